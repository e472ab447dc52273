"""A batch that is too large for one function is transformed in pieces by many, and is what one would have made."""

import dataclasses
import logging

import pytest

from simulator import Shop
from tests.support.databases import execute, value
from tests.support.memory_store import MemoryStore
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline, keys_of
from totes.errors import PieceFailed
from totes.lake import FailedPiece, PiecesLeft, pieces
from totes.star import STAR_TABLES, Transformed, batch, replay, transform, transform_piece

ROWS_IN_ONE_FUNCTION = 200
"""The first batch of the shop of these tests has more than twice as many."""


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "PARTS_IN_ONE_GO", 2)
    monkeypatch.setattr(batch, "PARTS_BETWEEN_BOOKMARKS", 2)


def begin(pipeline: Pipeline, *failed: FailedPiece, rows_in_one_function: int = ROWS_IN_ONE_FUNCTION) -> Transformed:
    """The transformation's function, at the beginning of a run and after its pieces."""
    return transform(
        pipeline.ingestion,
        pipeline.processed,
        STAR_TABLES,
        rows_in_one_function=rows_in_one_function,
        failed=failed,
    )


def transformed(pipeline: Pipeline, left: PiecesLeft, piece: int) -> bool:
    """A function of the map."""
    return transform_piece(pipeline.ingestion, pipeline.processed, STAR_TABLES, left.of, piece)


def asked(pipeline: Pipeline) -> PiecesLeft:
    """What a transformation has left to many functions."""
    left = begin(pipeline).untransformed
    assert left is not None
    return left


def star_of(pipeline: Pipeline) -> dict[str, bytes]:
    """What the processed bucket has but for bookmarks."""
    keys = [key for key in keys_of(pipeline.processed) if not key.startswith("bookmarks/")]
    return {key: pipeline.processed.get(key) for key in keys}


def by_one_function(pipeline: Pipeline) -> dict[str, bytes]:
    """What one function makes of the lake, each batch in one go."""
    alone = dataclasses.replace(pipeline, processed=MemoryStore().bucket("alone"))
    with pytest.MonkeyPatch.context() as ordinary:
        ordinary.setattr(batch, "PARTS_IN_ONE_GO", 1000)
        alone.transform()
    assert not any(key.startswith("bookmarks/") for key in keys_of(alone.processed))
    return star_of(alone)


def test_many_functions_in_any_order_make_what_one_makes(pipeline: Pipeline) -> None:
    pipeline.capture()
    left = asked(pipeline)
    assert (left.of, left.pieces) == (1, tuple(range(len(left.pieces))))
    assert len(left.pieces) >= 5
    assert star_of(pipeline) == {}, "nothing is done before"
    for piece in (*reversed(left.pieces), *left.pieces[:2]):  # two are done twice, as where an answer was lost
        assert transformed(pipeline, left, piece)
    done = begin(pipeline)
    assert (done.untransformed, done.newest, done.batches.count, done.waiting) == (None, 1, 1, False)
    assert star_of(pipeline) == by_one_function(pipeline)
    pipeline.load()
    assert value(pipeline.warehouse, "SELECT count(*) FROM fact_sales_order") == 100


def test_what_one_function_may_transform_it_does(pipeline: Pipeline) -> None:
    pipeline.capture()
    done = begin(pipeline, rows_in_one_function=100_000)
    assert (done.untransformed, done.newest) == (None, 1)


def test_a_run_that_ends_between_pieces_leaves_the_next_one_what_is_missing(pipeline: Pipeline) -> None:
    pipeline.capture()
    first, *others = asked(pipeline).pieces
    assert transformed(pipeline, asked(pipeline), others[0])
    assert asked(pipeline).pieces == (first, *others[1:])


def test_what_comes_before_a_large_batch_is_transformed_and_what_follows_waits(pipeline: Pipeline) -> None:
    pipeline.tick()
    for seed in range(2):
        Shop(pipeline.source, seed=seed).trade(5)
        pipeline.capture()
    larger = _capture_all(pipeline)
    Shop(pipeline.source, seed=9).trade(5)
    pipeline.capture()
    done = begin(pipeline)
    assert done.untransformed is not None
    assert (done.newest, done.untransformed.of, done.captured) == (larger - 1, larger, larger + 1)
    assert done.waiting
    for piece in done.untransformed.pieces:
        assert transformed(pipeline, done.untransformed, piece)
    assert begin(pipeline).newest == larger + 1
    assert star_of(pipeline) == by_one_function(pipeline)


def _capture_all(pipeline: Pipeline) -> int:
    """Capture a batch with nearly every row, some that are gone and some that no star holds; return its number."""
    execute(pipeline.source, "DELETE FROM payment WHERE payment_id IN (3, 40, 77)")
    execute(pipeline.source, "UPDATE sales_order SET agreed_delivery_date = 'TBC' WHERE sales_order_id % 9 = 0")
    execute(pipeline.source, "UPDATE purchase_order SET agreed_payment_date = 'TBC' WHERE purchase_order_id % 9 = 0")
    for table in ("sales_order", "payment", "transaction", "purchase_order", "counterparty", "staff"):
        execute(pipeline.source, f"UPDATE {table} SET last_updated = last_updated + interval '1 second'")
    captured = pipeline.capture()
    assert captured.batch is not None
    return captured.batch


def test_pieces_that_failed_end_the_run_with_their_names(pipeline: Pipeline) -> None:
    pipeline.capture()
    number = len(asked(pipeline).pieces)
    with pytest.raises(PieceFailed) as failure:
        begin(
            pipeline,
            FailedPiece(of=1, piece=2, error="LakeUnavailable"),
            FailedPiece(of=1, piece=0, error="LakeCorrupted"),
        )
    said = str(failure.value)
    assert said.startswith(f"2 of {number} pieces of batch 1 could not be transformed: piece 0 (of dim_")
    assert "): LakeCorrupted; piece 2 (of " in said
    assert star_of(pipeline) == {}


def test_a_piece_that_other_code_has_counted_is_nobodys(pipeline: Pipeline, caplog: pytest.LogCaptureFixture) -> None:
    pipeline.capture()
    left = asked(pipeline)
    with caplog.at_level(logging.WARNING):
        assert not transformed(pipeline, left, len(left.pieces))
    assert "other code has counted its pieces" in caplog.text
    assert keys_of(pipeline.processed) == []


def test_of_very_many_pieces_an_answer_names_as_many_as_a_run_can_hold(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "MOST_PIECES", 2)
    pipeline.capture()
    for expected in ((0, 1), (2, 3), (4,)):
        left = asked(pipeline)
        assert left.pieces == expected
        for piece in left.pieces:
            assert transformed(pipeline, left, piece)


def test_a_replay_that_begins_behind_a_large_batch_waits_for_it(pipeline: Pipeline) -> None:
    pipeline.capture()
    Shop(pipeline.source, seed=1).trade(5)
    pipeline.capture()
    left = asked(pipeline)
    waits = replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=2)
    assert waits is not None
    assert (waits.first, waits.done, waits.of, waits.published) == (2, 0, 1, False)
    assert asked(pipeline) == left, "nothing was published that leaves it out"
    for piece in left.pieces:
        assert transformed(pipeline, left, piece)
    assert begin(pipeline).newest == 2
    published = replay(pipeline.ingestion, pipeline.processed, STAR_TABLES)
    assert published is not None
    assert published.published
    pipeline.load()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
