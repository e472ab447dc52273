"""What the warehouse's own types cannot hold is kept as text, and stops no other row."""

import polars as pl
from psycopg2 import sql

from tests.support.databases import session
from totes.warehouse.quarantine import copy_quarantine

QUARANTINE = sql.Identifier("quarantine")

FINE = '{"file_name": "café €"}'
NUL = '{"file_name": "café €\\u0000"}'
DEEP = "[" * 100_000 + "]" * 100_000
LONG = '{"file_name": "\\u0000' + "é" * 2_000_000 + '"}'


def test_a_row_that_jsonb_refuses_is_in_quarantine_by_its_text_beside_those_that_it_takes(empty_database: str) -> None:
    """`\\u0000` is refused as no character, deep nesting as past a limit; so would be a text of 256 MB."""
    said = [FINE, NUL, DEEP, LONG, FINE]
    brought = pl.DataFrame(
        [
            {"batch_id": 7, "star_table": "dim_design", "key": key, "reason": "naïve", "source_row": row}
            for key, row in enumerate(said)
        ]
    )
    with session(empty_database) as warehouse, warehouse.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE quarantine (batch_id integer, star_table text, key bigint, reason text, source_row jsonb)"
        )
        copy_quarantine(cursor, QUARANTINE, brought)
        cursor.execute("SELECT key, batch_id, star_table, reason, source_row FROM quarantine ORDER BY key")
        kept = cursor.fetchall()
    assert [row[:3] for row in kept] == [(key, 7, "dim_design") for key in range(5)]
    reasons, texts = [row[3] for row in kept], [row[4] for row in kept]
    assert [(reasons[key], texts[key]) for key in (0, 4)] == [("naïve", {"file_name": "café €"})] * 2
    assert reasons[1].startswith("na\\xefve; the warehouse refuses it (22P05): ")
    assert reasons[2].startswith("na\\xefve; the warehouse refuses it (54001): ")
    assert texts[1] == {"_text": '{"file_name": "caf\\xe9 \\u20ac\\u0000"}'}
    assert texts[2] == {"_text": DEEP}
    assert texts[3] == {"_text": LONG[:1_000_000].replace("é", "\\xe9")}, "a row of any size is shortened"
