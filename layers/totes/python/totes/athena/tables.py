"""The tables and views by which Athena shows the star: the files' columns, and what they come to, in SQL."""

# ruff: noqa: S608 - all names are those of the star's own definitions

from collections.abc import Sequence
from dataclasses import dataclass

from totes.athena.lists import DELETES, STARS
from totes.lake.layout import BATCHES
from totes.star_schema import INTEGER_RANGE, Calendar, Column, Dimension, Fact, Kind, StarTable

_HIVE = {
    Kind.INTEGER: "int",
    Kind.TEXT: "string",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.TIME: "bigint",
}
"""Athena has no time of day that a file of parquet could hold, but reads one as what it is stored as: nanoseconds."""

_SQL = {"int": "integer", "string": "varchar"}
"""What Athena's SQL calls otherwise than Glue does."""

BATCH = "batch_id"
DELETED = "is_deleted"


@dataclass(frozen=True, kw_only=True)
class Field:
    """A column of a table or a view: its name, its type in the words of Glue, and what it means."""

    name: str
    type: str
    meaning: str = ""

    @property
    def sql_type(self) -> str:
        """Its type in the words of Athena's SQL."""
        return _SQL.get(self.type, self.type)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A table over files as they are.

    Attributes:
        name: its name.
        folder: the lists of its files, within the folder of all lists.
        fields: its columns, which the files have by these names.
        meaning: what it holds, a sentence.
    """

    name: str
    folder: str
    fields: Sequence[Field]
    meaning: str


@dataclass(frozen=True, kw_only=True)
class View:
    """A view: its name, its columns, what it says, and how it comes to that."""

    name: str
    fields: Sequence[Field]
    meaning: str
    sql: str


def kept_of(table: StarTable) -> Sequence[Kept]:
    """The tables over a star table's files."""
    stars = Kept(
        name=f"{table.name}_{STARS}",
        folder=f"{table.name}/{STARS}",
        fields=[_field(column) for column in table.columns],
        meaning=f"Rows of {table.name}, batch by batch, as they were transformed.",
    )
    if isinstance(table, Calendar):
        return [stars]
    deletes = Kept(
        name=f"{table.name}_{DELETES}",
        folder=f"{table.name}/{DELETES}",
        fields=[Field(name="key", type="bigint", meaning=f"The {table.key} of a row that is gone.")],
        meaning=f"Keys of rows of {table.name} that are gone from the source, batch by batch.",
    )
    return [stars, deletes]


def views_of(table: StarTable) -> Sequence[View]:
    """The views of a star table: what the warehouse's has, a fact's current state, and a dimension's versions."""
    fields = [
        *(_field(column) for column in table.columns),
        Field(name=BATCH, type="int", meaning="The batch that brought this."),
        Field(name=DELETED, type="boolean", meaning="Whether the row is gone from the source."),
    ]
    names = ", ".join(field.name for field in fields)
    newest = f"row_number() OVER (PARTITION BY {table.key} ORDER BY {BATCH} DESC) AS newest"
    versions = _versions(table)
    latest = f"SELECT {names} FROM (SELECT *, {newest} FROM ({versions})) WHERE newest = 1"
    whole = View(
        name=table.name, fields=fields, meaning=table.meaning, sql=versions if isinstance(table, Fact) else latest
    )
    if isinstance(table, Fact):
        current = f"The newest version of each row of {table.name} that is not gone."
        return [whole, View(name=table.current_view, fields=fields, meaning=current, sql=f"{latest} AND NOT {DELETED}")]
    if isinstance(table, Dimension):
        held = f"Every version of each row of {table.name}, which holds until the next one of its key."
        return [whole, View(name=f"{table.name}_versions", fields=fields, meaning=held, sql=versions)]
    return [whole]


def _versions(table: StarTable) -> str:
    """Each row that is new or says something else than the one before it of its key, and each end of one."""
    columns = [column.name for column in table.columns]
    others = [name for name in columns if name != table.key]
    values = ", ".join(f"CASE WHEN {DELETED} THEN lag({name}) OVER by_key ELSE {name} END AS {name}" for name in others)
    changed = " OR ".join(f"lag({name}) OVER by_key IS DISTINCT FROM {name}" for name in others)
    return (
        f"SELECT {', '.join(columns)}, {BATCH}, {DELETED} FROM ("
        f"SELECT {table.key}, {values}, {BATCH}, {DELETED}, "
        f"lag({DELETED}) OVER by_key AS was_deleted, ({changed}) AS is_changed FROM ({_came(table)}) "
        f"WINDOW by_key AS (PARTITION BY {table.key} ORDER BY {BATCH}, {DELETED})"
        f") WHERE CASE WHEN {DELETED} THEN NOT was_deleted ELSE was_deleted IS NULL OR was_deleted OR is_changed END"
    )


def _came(table: StarTable) -> str:
    """What came of a table, rows and ends of rows, each with its batch, which is in the name of its file."""
    columns = ", ".join(column.name for column in table.columns)
    batch = f"CAST(regexp_extract(\"$path\", '/{BATCHES}([0-9]+)/', 1) AS integer) AS {BATCH}"
    stars = f"SELECT {columns}, {batch}, false AS {DELETED} FROM {table.name}_{STARS}"
    if isinstance(table, Calendar):
        return stars
    # No row of a key that the table cannot hold was ever in it, so its delete is left out. Where a reader asks for one
    # key, that condition may be tried before the one that leaves it out; so the cast may not fail either.
    nothing = ", ".join(
        f"TRY_CAST(key AS integer) AS {column.name}"
        if column.name == table.key
        else f"CAST(NULL AS {_field(column).sql_type}) AS {column.name}"
        for column in table.columns
    )
    deletes = f"SELECT {nothing}, {batch}, true AS {DELETED} FROM {table.name}_{DELETES} WHERE key {INTEGER_RANGE}"
    return f"{stars} UNION ALL {deletes}"


def _field(column: Column) -> Field:
    meaning = column.meaning
    if column.kind is Kind.TIME:
        meaning = f"{meaning.rstrip('.')}, in nanoseconds of the day.".lstrip(", ")
    return Field(name=column.name, type=_hive_type(column), meaning=meaning)


def _hive_type(column: Column) -> str:
    if column.kind is Kind.DECIMAL:
        return f"decimal({column.precision},{column.scale})"
    return _HIVE[column.kind]
