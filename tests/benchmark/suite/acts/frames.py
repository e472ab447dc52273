"""What a script with pandas does: all rows at once, a frame of them, parquet or executemany."""

from contextlib import closing
from pathlib import Path

import pandas as pd
import psycopg2
from psycopg2.extensions import cursor as Cursor

from tests.benchmark.suite.acts.plain import insert
from tests.benchmark.suite.where import Where


def parquet(where: Where) -> None:
    """Each of the source's tables to a file of parquet."""
    with closing(psycopg2.connect(where.source)) as source, source.cursor() as cursor:
        for table in where.tables:
            _frame(cursor, table).to_parquet(Path(where.files) / f"{table}.parquet")


def executemany(where: Where) -> None:
    """Each of the source's tables by INSERT into bare tables."""
    with (
        closing(psycopg2.connect(where.source)) as source,
        closing(psycopg2.connect(where.target)) as target,
        source.cursor() as reading,
        target.cursor() as writing,
    ):
        for table in where.tables:
            frame = _frame(reading, table)
            values = frame.astype(object).where(frame.notna(), None)
            writing.executemany(insert(table, frame.shape[1]), values.itertuples(index=False, name=None))
        target.commit()


def _frame(cursor: Cursor, table: str) -> pd.DataFrame:
    cursor.execute(f"SELECT * FROM {table}")
    return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description or ()])
