"""How much of a table is in memory at once, whatever its size; the peak of a capture is a few times the largest."""

PART_ROWS = 250_000
"""Rows of a part of the lake, at most."""

PART_BYTES = 64 * 1024 * 1024
"""What the rows of a part take in memory, at most about: a column that totes does not need may hold pictures."""

FULL_BYTES = 4 * 1024 * 1024
"""A part of at least so many bytes is not merged again, however few rows it has."""

ROWS_AT_ONCE = 1_000_000
"""Rows that are merged at once, of all sorted runs together."""

BYTES_AT_ONCE = 192 * 1024 * 1024
"""Memory that rows merged at once may take; cached parts may take as much again."""

KEPT_ROWS = 1_000_000
"""Rows of cached parts: a reader in the order of keys needs them again at once."""

SORTED_RUNS_AT_ONCE = 8
"""Sorted runs that are merged at once: a part of each is in memory."""

KEYS_AT_ONCE = 500_000
"""Keys that are compared at once, of either side."""

UNORDERED_ROWS = 100_000
"""Rows up to which the source is not asked to put them in order; they come in a chunk or a few."""
