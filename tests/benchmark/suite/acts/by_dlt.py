"""What dlt takes, asked for its quickest way between two PostgreSQL databases: arrow, then COPY of CSV."""

import os

import dlt
from dlt.destinations import postgres
from dlt.sources.sql_database import sql_database

from tests.benchmark.suite.where import Where

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"


def replace(where: Where) -> None:
    """Each of the source's tables, as dlt makes it."""
    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=f"{where.files}/dlt",
        destination=postgres(where.target),
        dataset_name="shop",
    )
    source = sql_database(
        where.source.replace("postgresql:", "postgresql+psycopg2:"), table_names=where.tables, backend="pyarrow"
    )
    pipeline.run(source, write_disposition="replace", loader_file_format="csv").raise_on_failed_jobs()
