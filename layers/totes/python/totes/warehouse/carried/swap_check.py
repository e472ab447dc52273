"""What would be lost if the tables of a rebuild replaced the live ones is named, before it begins and when they do."""

from collections.abc import Collection, Iterator, Sequence

from psycopg2.extensions import cursor as Cursor

from totes.errors import ConfigurationError
from totes.star_schema import Fact, StarTable
from totes.warehouse.carried.dependents import Dependents, Replaced
from totes.warehouse.carried.table_settings import (
    OldColumn,
    columns_of,
    indexes_with_statistics,
    of_another,
    other_places,
    partitioned,
    publications_of,
)
from totes.warehouse.definitions import replacements
from totes.warehouse.grants import oids_of


def dependents_to_restore(cursor: Cursor, tables: Sequence[StarTable]) -> Dependents:
    """Check that nothing is lost if the tables of a rebuild replace the live ones, and that the loader may do that.

    Returns:
        What depends on the live tables, and is to be made again.

    Raises:
        ConfigurationError: something would be lost, or a live table belongs to a role whose rights the loader does not
            have; the sentence says what, and what to do.
    """
    cursor.execute("SELECT star_table, column_name FROM etl.star_column")
    made = set(cursor.fetchall())
    names, live, beside, stars = zip(*replacements(tables), strict=True)
    replacing = dict(zip(oids_of(cursor, live), oids_of(cursor, beside), strict=True))
    shown = dict(zip(replacing, names, strict=True))
    columns, places = columns_of(cursor, replacing), other_places(cursor, replacing)
    owners, indexes = of_another(cursor, shown), indexes_with_statistics(cursor, replacing)
    in_parts = partitioned(cursor, replacing)
    replaced: dict[int, Replaced] = {}
    hinders: list[str] = []
    for (oid, name), table in zip(shown.items(), stars, strict=True):
        replaced[oid] = Replaced(
            shown=name,
            gone={column.name for column in columns[oid] if not column.stays},
            defaults={column.name: column.default for column in columns[oid] if column.default is not None},
            other_defaults={column.name for column in columns[oid] if column.has_other_default},
            unique=(table.key, "batch_id") if isinstance(table, Fact) else (),
            view=table.current_view if isinstance(table, Fact) else None,
        )
        hinders += [owners[oid]] if oid in owners else []
        hinders += (
            [f"{name} is partitioned, and what replaces it is not; rename it, and the next load makes the table"]
            if oid in in_parts
            else []
        )
        hinders += _of_columns(name, columns[oid], {column for of, column in made if of == name})
        hinders += [
            f"the {word} of {name} would be lost; take it back, and set it again afterwards" for word in places[oid]
        ]
        hinders += [
            f"the STATISTICS of an expression of the index {index} of {name} would be lost; take them back, and set "
            "them again afterwards"
            for index in indexes[oid]
        ]
    hinders += [
        f"the publication {name}, which is of all tables, would publish other ones; drop it, make it again afterwards, "
        "and refresh its subscribers"
        for name in publications_of(cursor, replacing)
    ]
    dependents = Dependents.of_replaced(cursor, tables, replaced)
    if hinders := [*hinders, *dependents.hinders]:
        raise ConfigurationError(f"the star tables cannot be replaced: {'; '.join(hinders)}")
    return dependents


def _of_columns(shown: str, columns: Sequence[OldColumn], made: Collection[str]) -> Iterator[str]:
    """What would be lost with the columns of a table, and of the settings that somebody has made on them."""
    for column in columns:
        if not column.stays and column.name not in made:
            yield f"the column {column.name} of {shown} is not totes' own and would be lost; move it to another table"
        if column.is_set:
            yield (
                f"what is set on the column {column.name} of {shown} (STATISTICS, STORAGE, COMPRESSION, COLLATE or "
                "options) would be lost; take it back, and set it again afterwards"
            )
