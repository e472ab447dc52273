"""What totes does, by the library that its functions call."""

from pathlib import Path

from tests.benchmark.suite.folder_store import FolderStore
from tests.benchmark.suite.where import Where
from tests.support.databases import session
from tests.support.pipeline import Pipeline
from totes.capture import SOURCE_TABLES
from totes.star import STAR_TABLES
from totes.verify import verify as compare
from totes.warehouse import load as load_stars


def pipeline(where: Where) -> Pipeline:
    """The three steps between a source and a warehouse, over a lake that is a folder."""
    store = FolderStore(Path(where.lake))
    return Pipeline(
        source=where.source,
        warehouse=where.target,
        ingestion=store.bucket("ingestion"),
        processed=store.bucket("processed"),
    )


def extract(where: Where) -> None:
    """Source to parquet."""
    pipeline(where).capture()


def transform(where: Where) -> None:
    """Parquet to star rows, parquet too."""
    pipeline(where).transform()


def load(where: Where) -> None:
    """Star rows to the warehouse."""
    pipeline(where).load()


def tick(where: Where) -> None:
    """All three."""
    pipeline(where).tick()


def verify(where: Where) -> None:
    """The warehouse compared with the source."""
    lake = pipeline(where).ingestion
    with session(where.source) as source, session(where.target) as warehouse:
        compare(source, warehouse, lake, SOURCE_TABLES, STAR_TABLES)


def rebuild(where: Where) -> None:
    """The whole warehouse, made again beside the live one."""
    with session(where.target) as connection:
        load_stars(connection, pipeline(where).processed, STAR_TABLES, rebuild=True)
