"""The acceptance run: an environment of its own is deployed, worked with, broken, healed and taken away again.

What it types is what a person types. It goes on where it was stopped, and leaves nothing.
"""
