"""Rows of the source: read out of one state of it, in bounded memory and exact types."""
