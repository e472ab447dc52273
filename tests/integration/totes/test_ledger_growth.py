"""What a run reads of the ledger does not grow with it, where nothing has changed."""

from tests.support.databases import execute, session, value
from tests.support.memory_store import MemoryStore
from tests.support.pipeline import Pipeline
from tests.support.snapshots import folder_of
from tests.support.what_was_read import await_statistics
from totes.dashboard_snapshot import Published, publish

BATCHES = 5_000
_READ = (
    "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::integer FROM pg_stat_user_tables WHERE schemaname = 'etl'"
)


def rows_read(pipeline: Pipeline) -> int:
    """How many rows of the ledger were read since the warehouse exists."""
    await_statistics(pipeline.warehouse)
    found: int = value(pipeline.warehouse, _READ)
    return found


def published(pipeline: Pipeline, store: MemoryStore) -> Published:
    with session(pipeline.warehouse) as connection:
        found = publish(connection, folder_of(store))
    assert found is not None
    return found


def read_by_a_publication(pipeline: Pipeline, store: MemoryStore) -> int:
    """How many rows of the ledger are read by a publication that has nothing new to say."""
    before = rows_read(pipeline)
    assert published(pipeline, store).files == 0
    return rows_read(pipeline) - before


def test_a_publication_that_has_nothing_new_to_say_reads_no_more_of_a_ledger_of_many_batches(
    pipeline: Pipeline,
) -> None:
    store = MemoryStore()
    pipeline.tick()
    published(pipeline, store)
    of_one = read_by_a_publication(pipeline, store)
    execute(
        pipeline.warehouse,
        "INSERT INTO etl.batch (batch_id, edition, capture_sha256, horizon, captured_at) "
        "SELECT n, edition, capture_sha256, horizon, captured_at FROM etl.batch, generate_series(2, %(batches)s) AS n; "
        "INSERT INTO etl.batch_table SELECT n, 'dim_design', 1, 1, 0, 0, 0 FROM generate_series(2, %(batches)s) AS n",
        {"batches": BATCHES},
    )
    assert published(pipeline, store).batch == BATCHES
    assert read_by_a_publication(pipeline, store) == of_one
