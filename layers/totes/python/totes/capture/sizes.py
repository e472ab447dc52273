"""How much of a table is in memory at once, whatever its size; the peak of a capture is a few times the largest."""

PART_ROWS = 250_000
"""Rows of a part of the lake, at most."""

ROWS_AT_ONCE = 1_000_000
"""Rows that are merged at once, of all runs together."""

KEPT_ROWS = 1_000_000
"""Rows of parts that were read and are kept, since a reader in the order of keys needs them again at once."""

RUNS_AT_ONCE = 8
"""Runs that are merged at once: a part of each is in memory."""

KEYS_AT_ONCE = 500_000
"""Keys that are compared at once, of either side."""

UNORDERED_ROWS = 100_000
"""Rows up to which the source is not asked to put them in order; they come in a chunk or a few."""
