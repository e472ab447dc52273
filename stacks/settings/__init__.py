"""What may be said of an environment, part by part; stacks/environment.py puts the parts together."""
