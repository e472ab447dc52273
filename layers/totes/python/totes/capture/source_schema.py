"""What totes asks of a source table: the words that the files in `capture/tables` are written in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Family(Enum):
    """Types that may stand for each other in the source; a column that changes within its family keeps the contract."""

    INTEGER = "an integer"
    NUMERIC = "a numeric"
    TEXT = "a text, varchar, char, enum or date"
    BOOLEAN = "a boolean"
    TIMESTAMP = "a timestamp, with or without time zone"


@dataclass(frozen=True, kw_only=True)
class SourceTable:
    """The contract with one table of the source, in schema `public`.

    The lake and the star know a table and its columns by the names that they had when totes first read them. What the
    source has renamed since keeps its name here, and so its history: only what reads the source asks for the new one.

    Attributes:
        name: the table.
        key: its primary key, an integer column.
        columns: the columns that the star needs, and the family of types that each must be of. Others are carried
            in the lake as they are.
        completed_by: column that refers to another table's key, and that table: a dimension joins the two, so a
            batch that has one of the rows has the other too.
        renamed_to: what the source calls the table now, or will soon; None: as it is called here.
        renamed: of `columns` those that the source calls something else now, or will soon, and what. A source that has
            no such table or column yet is read by the first names (`renaming.as_named_by`).

    Raises:
        ValueError: a column is renamed that is not one of `columns`, or two are renamed to one.
    """

    name: str
    key: str
    columns: Mapping[str, Family]
    completed_by: Mapping[str, str] = field(default_factory=dict)
    renamed_to: str | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a renaming that leaves a column without a name of its own in the source."""
        if unknown := sorted(self.renamed.keys() - self.columns.keys()):
            raise ValueError(f"{self.name}: renamed has {unknown[0]}, which is none of its columns")
        names = [self.source_column(name) for name in self.columns]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{self.name}: two of its columns are {twice[0]} in the source; renamed has one too many")

    @property
    def source_name(self) -> str:
        """What the source calls the table."""
        return self.name if self.renamed_to is None else self.renamed_to

    @property
    def source_key(self) -> str:
        """What the source calls its key."""
        return self.source_column(self.key)

    def source_column(self, name: str) -> str:
        """What the source calls a column that has this name here."""
        return self.renamed.get(name, name)

    def own_name_of(self, source_column: str) -> str | None:
        """What a column of the source is called here; None: it is not carried, because another one has its name."""
        own = next((own for own, name in self.renamed.items() if name == source_column), None)
        return own or (None if source_column in self.renamed else source_column)
