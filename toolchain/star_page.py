"""Writes docs/star-schema.md: every star table with its key, its view of the current state and its columns.

`python toolchain/star_page.py` does it.
"""

from collections.abc import Iterator
from pathlib import Path

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


def document() -> str:
    """Return the page's text."""
    return "\n".join([_HEAD, *map(_section, STAR_TABLES)])


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
