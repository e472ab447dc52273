"""Pieces: a batch that is too large for one function is read by many, each a range of one table's keys."""
