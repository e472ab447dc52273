"""Shapes of star tables: the words that the files in `star/tables` are written in and that the warehouse is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

HIGHEST_INTEGER = 2**31 - 1
"""The highest value of a 32-bit integer."""

INTEGER_RANGE = f"BETWEEN {-HIGHEST_INTEGER - 1} AND {HIGHEST_INTEGER}"
"""The values of a 32-bit integer, as a condition of SQL."""


class Kind(Enum):
    """What a star column holds; the value is its SQL type (a decimal's takes precision and scale)."""

    INTEGER = "integer"
    DECIMAL = "numeric"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time(3)"


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a star table.

    Attributes:
        name: its name.
        kind: what it holds.
        of: the source column that it is made of; `department.location` is one of a joined table.
        nullable: whether it may be NULL.
        precision, scale: of a decimal.
        names: where it translates a code, the name of each code.
        meaning: what it says, a sentence with its unit; the warehouse's comment on it.
    """

    name: str
    kind: Kind
    of: str
    nullable: bool = False
    precision: int = 0
    scale: int = 0
    names: Mapping[str, str] | None = None
    meaning: str = ""

    @property
    def sql_type(self) -> str:
        """The column's type in the warehouse."""
        return f"numeric({self.precision},{self.scale})" if self.kind is Kind.DECIMAL else self.kind.value


@dataclass(frozen=True, kw_only=True)
class Join:
    """A source table joined to a dimension's own by that table's key, which `on` refers to."""

    table: str
    key: str
    on: str


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A fact table: every captured version of a source row.

    Attributes:
        name: the table.
        source: the source table, a row of which is a version here.
        record_id: the serial key of a version.
        key: the column that tells which row a version is of.
        columns: the columns after record_id; `batch_id` and `is_deleted` follow.
        current_view: the view of the current state.
        meaning: what it holds, a sentence; the warehouse's comment on it.
    """

    name: str
    source: str
    record_id: str
    key: str
    columns: Sequence[Column]
    current_view: str
    meaning: str = ""
    joins: Sequence[Join] = field(default=(), init=False)


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """A dimension table: each source row as it was last captured.

    Attributes:
        name: the table.
        source: the source table that gives its rows.
        key: its primary key.
        columns: all columns, the key among them; `batch_id` and `is_deleted` follow. One that must have a value is a
            text, for an unknown member has to say something there.
        joins: source tables that complete a row.
        meaning: what it holds, a sentence; the warehouse's comment on it.

    Raises:
        ValueError: a column that must have a value is no text.
    """

    name: str
    source: str
    key: str
    columns: Sequence[Column]
    joins: Sequence[Join] = ()
    meaning: str = ""

    def __post_init__(self) -> None:
        """Refuse columns that an unknown member has nothing for."""
        for column in self.columns:
            if column.name != self.key and column.kind is not Kind.TEXT and not column.nullable:
                raise ValueError(
                    f"{self.name}.{column.name} must have a value and is no text: an unknown member, which stands for "
                    "a row in quarantine, has none; make it nullable"
                )


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """The dimension of dates: every date that a fact names. Its columns are made of the date itself.

    Attributes:
        name: the table.
        key: its primary key, the date.
        columns: all columns, the key among them; `batch_id` and `is_deleted` follow.
        meaning: what it holds, a sentence; the warehouse's comment on it.
    """

    name: str
    key: str
    columns: Sequence[Column]
    meaning: str = ""


StarTable = Fact | Dimension | Calendar


def source_key_of(table: Fact | Dimension) -> str:
    """Return the source column that a table's key is made of."""
    return next(column.of for column in table.columns if column.name == table.key)


def integer(name: str, *, of: str | None = None, nullable: bool = False, meaning: str = "") -> Column:
    """A 32-bit integer."""
    return Column(name=name, kind=Kind.INTEGER, of=of or name, nullable=nullable, meaning=meaning)


def decimal(
    name: str, precision: int, scale: int, *, of: str | None = None, nullable: bool = False, meaning: str = ""
) -> Column:
    """An exact decimal."""
    return Column(
        name=name,
        kind=Kind.DECIMAL,
        of=of or name,
        nullable=nullable,
        precision=precision,
        scale=scale,
        meaning=meaning,
    )


def text(
    name: str,
    *,
    of: str | None = None,
    nullable: bool = False,
    names: Mapping[str, str] | None = None,
    meaning: str = "",
) -> Column:
    """A text, byte for byte; with `names`, the name of the code that the source has."""
    return Column(name=name, kind=Kind.TEXT, of=of or name, nullable=nullable, names=names, meaning=meaning)


def boolean(name: str, *, of: str | None = None, nullable: bool = False, meaning: str = "") -> Column:
    """A truth value."""
    return Column(name=name, kind=Kind.BOOLEAN, of=of or name, nullable=nullable, meaning=meaning)


def date(name: str, *, of: str | None = None, nullable: bool = False, meaning: str = "") -> Column:
    """A date, of a timestamp or of a text yyyy-mm-dd; its year is one of 1 to 9999."""
    return Column(name=name, kind=Kind.DATE, of=of or name, nullable=nullable, meaning=meaning)


def time(name: str, *, of: str, nullable: bool = False, meaning: str = "") -> Column:
    """A timestamp's time of day, to the millisecond."""
    return Column(name=name, kind=Kind.TIME, of=of, nullable=nullable, meaning=meaning)
