"""The simulated shop has every table that totes reads, with rows in it."""

from dataclasses import replace

import numpy as np

from simulator.history import history
from simulator.opening import opening_tables
from simulator.schema import lacking
from simulator.size import Size
from totes.capture import SOURCE_TABLES
from totes.capture.source_schema import Family


def test_the_shop_has_all_that_totes_reads() -> None:
    assert lacking(SOURCE_TABLES) == []


def test_every_table_has_rows_for_tests_to_compare() -> None:
    size, generator = Size(100), np.random.Generator(np.random.PCG64(1))
    filled = set(opening_tables(size, generator))
    for chunk in history(size, generator):
        filled |= set(vars(chunk))
    empty = [table.name for table in SOURCE_TABLES if table.name not in filled]
    assert empty == [], "simulator/opening.py gives these no rows"


def test_what_the_shop_lacks_is_named_with_the_file_that_it_belongs_in() -> None:
    [design] = [table for table in SOURCE_TABLES if table.name == "design"]
    assert lacking(
        [
            replace(design, name="fabric"),
            replace(design, columns={**design.columns, "weight": Family.NUMERIC}),
            replace(design, key="file_name"),
        ]
    ) == [
        "simulator/tables.sql lacks the table fabric, which totes reads",
        "simulator/tables.sql lacks the column design.weight, which totes reads",
        "simulator/keys.sql lacks the primary key design.file_name",
    ]
