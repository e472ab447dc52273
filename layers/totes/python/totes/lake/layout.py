"""Where the objects of batches lie in a bucket: how their keys begin, and which batch a key is of."""

import re
from collections.abc import Iterable

BATCHES = "batches/"
"""What a batch brings lies below this, in a folder per batch."""

HOLDINGS = "holdings/"
"""Merged sorted runs lie below this, in a folder per table; their names begin with the batch that merged them."""

_BATCH = re.compile(rf"(?:{BATCHES}|{HOLDINGS}[^/]+/)(\d{{10}})[/-].+")


def batch_folder(batch: int) -> str:
    """Return the folder of what a batch brings, without a slash behind it."""
    return f"{BATCHES}{batch:010d}"


def holdings_prefix(table: str, batch: int) -> str:
    """Return how the keys of a table's sorted runs begin that a batch has merged."""
    return f"{HOLDINGS}{table}/{batch:010d}"


def batch_of(key: str) -> int | None:
    """Return the batch whose run wrote an object; None: it is none of totes'."""
    match = _BATCH.fullmatch(key)
    return int(match[1]) if match else None


def written_prefixes(tables: Iterable[str]) -> list[str]:
    """Return the prefixes below which batches write objects, each in the order of batches.

    Args:
        tables: the tables that have sorted runs.
    """
    return [BATCHES, *(f"{HOLDINGS}{table}/" for table in sorted(tables))]
