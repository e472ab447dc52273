"""The three steps, run in this process by the library: what the functions do, without the functions."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.databases import own_session
from totes.capture import SOURCE_TABLES, Captured, capture
from totes.capture.source_schema import SourceTable
from totes.lake import Bucket, Journal
from totes.star import STAR_TABLES, Transformed, transform
from totes.warehouse import Loaded, load


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A source, a lake and a warehouse."""

    source: str
    warehouse: str
    ingestion: Bucket
    processed: Bucket
    tables: Sequence[SourceTable] = SOURCE_TABLES

    def capture(self, *, rows_in_one_function: int | None = None) -> Captured:
        with own_session(self.source, "source") as connection:
            return capture(connection, self.ingestion, self.tables, rows_in_one_function=rows_in_one_function)

    def transform(self) -> Transformed:
        return transform(self.ingestion, self.processed, STAR_TABLES)

    def load(self) -> Loaded:
        with own_session(self.warehouse, "warehouse") as connection:
            return load(connection, self.processed, STAR_TABLES, captured=Journal(self.ingestion).newest)

    def tick(self) -> Loaded:
        """One run of the state machine."""
        self.capture()
        self.transform()
        return self.load()

    def objects(self) -> dict[str, bytes]:
        """Every object of the lake by its place."""
        return {
            f"{bucket.name}/{key}": bucket.get(key)
            for bucket in (self.ingestion, self.processed)
            for key in keys_of(bucket)
        }


def keys_of(bucket: Bucket) -> list[str]:
    """Every key of a bucket."""
    return [found.key for found in bucket.listed("")]
