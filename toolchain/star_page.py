"""Writes docs/star-schema.md: every star table with its key, its view of the current state and its columns.

And what the star is made of: the contract with the source.

`python toolchain/star_page.py` does it.
"""

from collections.abc import Iterator
from pathlib import Path

from totes.capture import SOURCE_TABLES
from totes.capture.source_schema import Family, SourceTable
from totes.references import dimension_of
from totes.star import STAR_TABLES
from totes.star_schema import Column, Fact, StarTable
from totes.warehouse.definitions import columns_made
from totes.warehouse.for_readers.comments import comments

FILE = Path(__file__).parents[1] / "docs" / "star-schema.md"

_HEAD = """# The star schema

<!-- Written by: python toolchain/star_page.py -->

Every table of the star, in schema `public` of the warehouse. [warehouse.md](warehouse.md) says how to connect and what
to know before you query; the [reports](reports.md) answer common questions. `fact_exchange_rate` is no star table;
[warehouse.md](warehouse.md) has it.

To see a fact as it stands now, query its current view: it has the newest version of each row that is not deleted, in
the same columns. What a column that *joins* a table says is the key of a row there; `NULL` after a type means that
the column may be NULL.
"""

_SOURCE = """## What is read of the source

The contract with the source: its tables in schema `public`, and of each the columns that the star needs, by what they
must be. An integer is a `smallint`, `integer` or `bigint`; a domain counts as the type that it is over. A timestamp
with time zone is read in UTC. A key is `NOT NULL` and has a unique index on it alone. Other columns may be there, and
the lake carries them.

| table | columns |
|---|---|
"""


def document() -> str:
    """Return the page's text."""
    return "\n".join([_HEAD, *map(_section, STAR_TABLES), _SOURCE + "\n".join(map(_read, SOURCE_TABLES)) + "\n"])


def _read(table: SourceTable) -> str:
    """A row of what is read of a source table."""
    of_family = {family: [name for name, of in table.columns.items() if of is family] for family in Family}
    said = [
        f"{family.value}: " + ", ".join(f"`{name}`" + " (the key)" * (name == table.key) for name in names)
        for family, names in of_family.items()
        if names
    ]
    return f"| `{table.name}` | {'; '.join(said)} |"


def _section(table: StarTable) -> str:
    lines = [f"## {table.name}\n", f"{table.meaning}\n"]
    if isinstance(table, Fact):
        lines += [
            f"- key: `{table.record_id}`; a version is known for good by `{table.key}` and `batch_id`",
            f"- current view: `{table.current_view}`",
            "",
            "| column | type | meaning | joins |",
            "|---|---|---|---|",
        ]
    else:
        lines += [f"- key: `{table.key}`", "", "| column | type | meaning |", "|---|---|---|"]
    return "\n".join([*lines, *_rows(table)]) + "\n"


def _rows(table: StarTable) -> Iterator[str]:
    # Said of this table alone, a column's comment does not repeat what it refers to.
    meanings = {column: meaning for (_, name), column, meaning in comments([table]) if name == table.name}
    columns = {column.name: column for column in table.columns}
    for _, name, kind, nullable in columns_made([table]):
        cells = [f"`{name}`", kind.removesuffix(" without time zone") + ", NULL" * nullable, meanings[name]]
        if isinstance(table, Fact):
            cells.append(_joined(columns.get(name)))
        yield f"| {' | '.join(cells)} |"


def _joined(column: Column | None) -> str:
    """The dimension that a fact's column names a row of, and by which key."""
    dimension = dimension_of(column, STAR_TABLES) if column else None
    if column is None or dimension is None or isinstance(dimension, Fact):
        return ""
    return f"`{dimension.name}`" + f" by `{dimension.key}`" * (dimension.key != column.name)


if __name__ == "__main__":
    FILE.write_text(document(), encoding="utf-8")
