"""What totes asks of a source table: the words that the files in `capture/tables` are written in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Family(Enum):
    """Types that may stand for each other in the source; a column that changes within its family keeps the contract."""

    INTEGER = "an integer"
    NUMERIC = "a numeric"
    TEXT = "a text, varchar, char or enum"
    BOOLEAN = "a boolean"
    TIMESTAMP = "a timestamp without time zone"


@dataclass(frozen=True, kw_only=True)
class SourceTable:
    """The contract with one table of the source, in schema `public`.

    Attributes:
        name: the table.
        key: its primary key, an integer column.
        columns: the columns that the star needs, and the family of types that each must be of. Others are carried
            in the lake as they are.
        completed_by: column that refers to another table's key, and that table: a dimension joins the two, so a
            batch that has one of the rows has the other too.
    """

    name: str
    key: str
    columns: Mapping[str, Family]
    completed_by: Mapping[str, str] = field(default_factory=dict)
