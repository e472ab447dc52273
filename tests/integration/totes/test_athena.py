"""What Athena would read is what the warehouse holds: the same lists, files and SQL, read by DuckDB."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.integration.totes.test_editions import mistaken
from tests.support.athena import VIEWS, Reader, in_warehouse
from tests.support.databases import execute, session
from tests.support.lived import live
from tests.support.memory_store import MemoryStore
from tests.support.pipeline import Pipeline, keys_of
from totes.athena import ListProgress, lists, write_lists
from totes.errors import LakeUnavailable
from totes.lake import Bucket
from totes.star import STAR_TABLES, replay
from totes.warehouse import load

NAMES = [table.name for table in STAR_TABLES]


@pytest.fixture
def reader(tmp_path: Path, store: MemoryStore) -> Reader:
    """DuckDB in the place of Athena."""
    return Reader(tmp_path, store.bucket("processed"))


def listed(pipeline: Pipeline) -> ListProgress:
    found = write_lists(pipeline.processed, NAMES)
    assert found is not None
    return found


@pytest.mark.begun
def test_after_each_tick_athena_reads_what_the_warehouse_holds(pipeline: Pipeline, reader: Reader) -> None:
    pipeline.tick()
    assert listed(pipeline) == ListProgress(edition=1, batch=1, bucket=pipeline.processed.name)
    assert reader.read() == in_warehouse(pipeline.warehouse)
    live(pipeline)
    assert listed(pipeline) == ListProgress(edition=1, batch=6, bucket=pipeline.processed.name)
    found = reader.read()
    assert found == in_warehouse(pipeline.warehouse)
    # There was something to tell apart: versions, ends of rows, and rows that say what they said before.
    assert len(found["fact_payment"]) > len(found["current_payment"]) > 100
    assert any(row[-1] for row in found["fact_payment"])


@pytest.mark.begun
def test_a_row_that_comes_again_goes_on_and_one_that_is_gone_is_not_current(pipeline: Pipeline, reader: Reader) -> None:
    execute(pipeline.source, "CREATE TABLE kept AS SELECT * FROM payment WHERE payment_id IN (3, 4)")
    pipeline.tick()
    execute(pipeline.source, "DELETE FROM payment WHERE payment_id IN (3, 4)")
    pipeline.tick()
    execute(pipeline.source, "INSERT INTO payment SELECT * FROM kept WHERE payment_id = 3")
    pipeline.tick()
    listed(pipeline)
    found = reader.read()
    assert found == in_warehouse(pipeline.warehouse)
    assert [row[0] for row in found["current_payment"]].count(3) == 1
    assert [row[0] for row in found["fact_payment"]].count(3) == 3
    assert 4 not in [row[0] for row in found["current_payment"]]


@pytest.mark.begun
def test_a_dimension_says_its_latest_state(pipeline: Pipeline, reader: Reader) -> None:
    pipeline.tick()
    execute(pipeline.source, "UPDATE design SET file_name = 'new.json' WHERE design_id = 1")
    pipeline.tick()
    listed(pipeline)
    found = reader.read()
    assert found == in_warehouse(pipeline.warehouse)
    assert [(file, batch, gone) for key, _, _, file, *_, batch, gone in found["dim_design"] if key == 1] == [
        ("new.json", 2, False)
    ]


@pytest.mark.begun
def test_each_version_of_a_dimension_is_read_with_its_batch(pipeline: Pipeline, reader: Reader) -> None:
    inserted = "INSERT INTO design (design_id, design_name, file_location, file_name, last_updated) VALUES "
    for edit in (
        f"{inserted} (900, 'first', '/', 'n', now())",
        "UPDATE design SET design_name = 'second' WHERE design_id = 900",
        "UPDATE design SET last_updated = now() WHERE design_id = 900",  # says nothing new
        "DELETE FROM design WHERE design_id = 900",
        f"{inserted} (900, 'third', '/', 'n', now())",
    ):
        execute(pipeline.source, edit)
        pipeline.tick()
    listed(pipeline)
    found = reader.read(views=VIEWS)
    versions = sorted((row for row in found["dim_design_versions"] if row[0] == 900), key=lambda row: row[-2])
    assert [(name, batch, gone) for _, name, *_, batch, gone in versions] == [
        ("first", 2, False),
        ("second", 3, False),
        ("second", 5, True),
        ("third", 6, False),
    ]
    assert [row for row in found["dim_design"] if row[0] == 900] == versions[-1:]


@pytest.mark.begun
def test_a_key_that_no_star_can_hold_is_deleted_and_spoils_no_query(pipeline: Pipeline, reader: Reader) -> None:
    execute(
        pipeline.source,
        "ALTER TABLE sales_order ALTER sales_order_id TYPE bigint;"
        "INSERT INTO sales_order SELECT (jsonb_populate_record(old, '{\"sales_order_id\": 3000000000}')).* "
        "FROM sales_order AS old WHERE sales_order_id = 1",
    )
    assert pipeline.tick().quarantined == 1
    execute(pipeline.source, "DELETE FROM sales_order WHERE sales_order_id = 3000000000")
    pipeline.tick()
    listed(pipeline)
    assert reader.read() == in_warehouse(pipeline.warehouse)
    orders = next(view for view in VIEWS if view.name == "current_sales_order")
    # A condition on the key may be asked of the files' rows before the view's own.
    one = replace(orders, sql=f"SELECT * FROM ({orders.sql}) WHERE sales_order_id = 3")
    assert [row[0] for row in reader.read(views=[one])["current_sales_order"]] == [3]


@pytest.mark.begun
def test_what_no_manifest_names_is_not_read(pipeline: Pipeline, reader: Reader, store: MemoryStore) -> None:
    pipeline.tick()
    [key, *_] = [key for key in store.keys if "/fact_payment/stars" in key]
    orphan = key.replace("stars-00000", "stars-00007")
    pipeline.processed.put_new(orphan, pipeline.processed.get(key))
    listed(pipeline)
    assert orphan not in reader.named()
    assert reader.read() == in_warehouse(pipeline.warehouse)


@pytest.mark.lived
def test_a_draft_is_not_read_and_an_edition_is_from_the_moment_that_it_is_published(
    pipeline: Pipeline, reader: Reader
) -> None:
    listed(pipeline)
    before = reader.read()
    replay(pipeline.ingestion, pipeline.processed, mistaken(), first=1, time_is_up=lambda: True)
    assert listed(pipeline) == ListProgress(edition=1, batch=6, bucket=pipeline.processed.name)
    assert reader.read() == before
    while not replay(pipeline.ingestion, pipeline.processed, mistaken(), first=None).published:  # type: ignore[union-attr]
        pass
    assert listed(pipeline) == ListProgress(edition=2, batch=6, bucket=pipeline.processed.name)
    with session(pipeline.warehouse) as connection:
        load(connection, pipeline.processed, mistaken())
    found = reader.read()
    assert found["fact_purchase_order"] == in_warehouse(pipeline.warehouse)["fact_purchase_order"]
    assert found["fact_purchase_order"] != before["fact_purchase_order"]
    assert found["fact_payment"] == before["fact_payment"]


@pytest.mark.begun
def test_the_lists_of_a_copied_bucket_name_the_parts_of_the_copy(
    pipeline: Pipeline, store: MemoryStore, reader: Reader, tmp_path: Path
) -> None:
    listed(pipeline)
    for key in keys_of(pipeline.processed):
        store.put_object(Bucket="copied", Key=key, Body=pipeline.processed.get(key))
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id < 9")
    pipeline.tick()
    listed(pipeline)
    copy = replace(pipeline, processed=store.bucket("copied"))
    copy.transform()
    assert listed(copy) == ListProgress(edition=1, batch=2, bucket="copied")
    of_copy = Reader(tmp_path, copy.processed)
    assert of_copy.named() == reader.named()
    assert of_copy.read() == in_warehouse(pipeline.warehouse)


@pytest.mark.begun
def test_a_tick_without_changes_writes_nothing(pipeline: Pipeline, store: MemoryStore) -> None:
    pipeline.tick()
    listed(pipeline)
    puts, gets = store.calls["put"], store.calls["get"]
    pipeline.tick()
    assert listed(pipeline) == ListProgress(edition=1, batch=1, bucket=pipeline.processed.name)
    assert store.calls["put"] == puts
    assert store.calls["get"] - gets < 20


@pytest.mark.begun
def test_a_tick_asks_for_no_list_that_it_brings_nothing_to(pipeline: Pipeline, store: MemoryStore) -> None:
    pipeline.tick()
    listed(pipeline)
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 77")
    pipeline.tick()
    before = len(store.reads)
    listed(pipeline)
    assert {key for key in store.reads[before:] if key.startswith("athena/fact")} == {
        "athena/fact_payment/stars/0000000001"
    }


@pytest.mark.lived
def test_lists_that_are_deleted_are_made_again_from_the_manifests(
    pipeline: Pipeline, reader: Reader, store: MemoryStore
) -> None:
    listed(pipeline)
    for key in store.keys:
        if key.startswith("athena/"):
            pipeline.processed.delete(key)
    assert listed(pipeline) == ListProgress(edition=1, batch=6, bucket=pipeline.processed.name)
    assert reader.read() == in_warehouse(pipeline.warehouse)


@pytest.mark.lived
def test_batches_share_lists_of_which_only_the_last_is_written_again(
    pipeline: Pipeline, reader: Reader, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "SPAN", 2)
    listed(pipeline)
    first, second, third = (f"athena/fact_payment/stars/{number:010d}" for number in (1, 3, 5))
    assert {first, second, third} <= set(store.keys)
    held = [pipeline.processed.get(key) for key in (first, second, third)]
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 77")
    pipeline.tick()
    listed(pipeline)
    assert [pipeline.processed.get(key) for key in (first, second, third)] == held
    assert pipeline.processed.get("athena/fact_payment/stars/0000000007").count(b"\n") == 1
    assert reader.read() == in_warehouse(pipeline.warehouse)


@pytest.mark.lived
def test_where_time_is_up_the_next_run_goes_on(
    pipeline: Pipeline, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "SPAN", 2)
    found = [write_lists(pipeline.processed, NAMES, time_is_up=lambda: True) for _ in range(4)]
    assert [each and each.batch for each in found] == [2, 4, 6, 6]
    assert reader.read() == in_warehouse(pipeline.warehouse)


class Dying(Bucket):
    """A bucket whose store goes away after so many puts."""

    def __init__(self, bucket: Bucket, puts: int) -> None:
        super().__init__(bucket.name, _Limited(bucket.client, puts))  # type: ignore[arg-type]


class _Limited:
    def __init__(self, client: Any, puts: int) -> None:
        self._client, self._puts = client, puts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def put_object(self, **request: Any) -> None:
        if not self._puts:
            raise LakeUnavailable("the store went away")
        self._puts -= 1
        self._client.put_object(**request)


@pytest.mark.parametrize("puts", [0, 1, 5])
@pytest.mark.begun
def test_a_run_that_is_killed_leaves_lists_that_the_next_one_completes(
    puts: int, pipeline: Pipeline, reader: Reader
) -> None:
    pipeline.tick()
    listed(pipeline)
    live(pipeline)
    with pytest.raises(LakeUnavailable):
        write_lists(Dying(pipeline.processed, puts), NAMES)
    listed(pipeline)
    assert reader.read() == in_warehouse(pipeline.warehouse)
    assert len(reader.named()) == len(set(reader.named()))


class Overtaken(Bucket):
    """A bucket in which another run writes the lists before the first put of this one."""

    def __init__(self, bucket: Bucket) -> None:
        super().__init__(bucket.name, _Late(bucket))  # type: ignore[arg-type]


class _Late:
    def __init__(self, bucket: Bucket) -> None:
        self._bucket, self._late = bucket, True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bucket.client, name)

    def put_object(self, **request: Any) -> None:
        if self._late:
            self._late = False
            write_lists(self._bucket, NAMES)
        self._bucket.client.put_object(**request)


@pytest.mark.lived
def test_of_two_runs_at_once_one_leaves_the_lists_to_the_other(pipeline: Pipeline, reader: Reader) -> None:
    assert write_lists(Overtaken(pipeline.processed), NAMES) is None
    assert listed(pipeline) == ListProgress(edition=1, batch=6, bucket=pipeline.processed.name)
    assert reader.read() == in_warehouse(pipeline.warehouse)
    assert len(reader.named()) == len(set(reader.named()))
