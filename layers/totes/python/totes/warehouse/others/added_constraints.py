"""An index or constraint that others have added to a star table may refuse rows of the shop: then it is named.

So may a table that somebody has partitioned, if it has no partition for a row.
"""

import re
from collections.abc import Sequence

import psycopg2

from totes.errors import ConfigurationError
from totes.sqlstate import INTEGRITY_CONSTRAINT_VIOLATION, is_of_class, primary_message
from totes.star_schema import Fact, StarTable

_OF_A_CONSTRAINT = (INTEGRITY_CONSTRAINT_VIOLATION,)
"""The SQLSTATE class of constraints, and of columns that must have a value."""

_NO_PARTITION = "ExecFindPartition"
"""The function of the server's that finds no partition for a row; its SQLSTATE is that of a check."""


def refused_by_others(error: psycopg2.Error, tables: Sequence[StarTable], batch: int) -> ConfigurationError | None:
    """Return the error to raise if an index, a constraint, a column or partitions of others refuse a batch.

    Args:
        error: the error that the load of the batch ended with.
        tables: the star tables.
        batch: the batch.

    Returns:
        The error, which says what to do; None if something else refuses the batch.
    """
    of = error.diag
    if of.source_function == _NO_PARTITION:
        return ConfigurationError(
            f"batch {batch} cannot be loaded: {of.table_name} is partitioned, and has no partition for a row of the "
            "batch; add one, or a DEFAULT"
        )
    table = next((table for table in tables if table.name == of.table_name), None)
    what = of.constraint_name or of.column_name
    if isinstance(error, psycopg2.errors.ProgramLimitExceeded):  # for an index; those of totes' own hold numbers
        refusing = f"index {what} of {of.table_name}" if what else "index"
    elif is_of_class(error, _OF_A_CONSTRAINT) and table is not None and what and not _is_own(table, what):
        refusing = f"{'constraint or index' if of.constraint_name else 'column'} {what} of {table.name}"
    else:
        return None
    return ConfigurationError(
        f"batch {batch} cannot be loaded: a row is refused ({error.pgcode}: {primary_message(error)}) by the "
        f"{refusing}, which totes did not make; drop it, for what rows may be is the shop's to say"
    )


def _is_own(table: StarTable, name: str) -> bool:
    """Whether a constraint or column is one that totes makes; PostgreSQL may have added a number to its name."""
    own = {column.name for column in table.columns} | {"batch_id", "is_deleted"}
    if isinstance(table, Fact):
        own.add(table.record_id)
    key = re.escape(table.key)
    return name in own or re.fullmatch(rf"{re.escape(table.name)}_(pkey|{key}_batch_id_key)\d*", name) is not None
