"""Transaction ids are compared only where they can be: same source, grown older, by less than half of the ids."""

import dataclasses
from datetime import UTC, datetime
from unittest.mock import Mock

import pytest

from totes.capture.source.snapshot import EVERY_ROW, NAMED_IDS, Snapshot
from totes.lake import CaptureManifest, SourceIdentity

SOURCE = SourceIdentity(system_identifier="7", timeline=1, database=5, started="1700000000.5")
FAR = 2**31 - 2**24


def snapshot(ceiling: int, source: SourceIdentity = SOURCE) -> Snapshot:
    return Snapshot(connection=Mock(), horizon=ceiling, ceiling=ceiling, source=source)


def last(horizon: int) -> CaptureManifest:
    return CaptureManifest(
        batch=1, parent=None, captured_at=datetime.now(UTC), horizon=horizon, source=SOURCE, drift=(), tables={}
    )


@pytest.mark.parametrize(
    ("horizon", "ceiling", "continues"),
    [
        (1000, 1000, True),
        (1000, 5000, True),
        (1001, 1000, False),  # ids went backwards: the source was put back
        (1000, 1000 + FAR - 1, True),
        (1000, 1000 + FAR, False),  # half of the ids have been given out since: before and after are one
        (2**32 + 7, 2**32 + 9, True),
        (7, 2**32 + 9, False),
    ],
)
def test_a_horizon_holds_for_the_same_source_within_half_of_the_ids(
    horizon: int,
    ceiling: int,
    continues: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    assert snapshot(ceiling).continues(last(horizon)) is continues
    assert (snapshot(ceiling).may_be_new(last(horizon)) != EVERY_ROW) is continues


@pytest.mark.parametrize(
    "other",
    [
        dataclasses.replace(SOURCE, system_identifier="8"),
        dataclasses.replace(SOURCE, timeline=2),
        dataclasses.replace(SOURCE, database=6),
        dataclasses.replace(SOURCE, started="1800000000.5"),
    ],
)
def test_a_source_that_differs_in_anything_is_read_whole(other: SourceIdentity) -> None:
    assert not snapshot(2000, other).continues(last(1000))


def test_the_first_batch_is_read_whole() -> None:
    assert snapshot(2000).may_be_new(None) == EVERY_ROW


@pytest.mark.parametrize(
    ("horizon", "ceiling", "named"),
    [
        (10, 13, "OneOf(('{10,11,12}', 'xid'))"),
        (10, 10, "SQL('false')"),
        (2**32 + 10, 2**32 + 12, "OneOf(('{10,11}', 'xid'))"),
        (
            2**32 - 2,
            2**32 + 5,
            "OneOf(('{4294967294,4294967295,3,4}', 'xid'))",
        ),  # between them lie ids of no transaction
        (2**32 + 10, 2**32 + 10 + NAMED_IDS + 1, "(SELECT age('), Literal('10')"),
    ],
)
def test_transactions_are_named_by_their_lower_32_bits_as_xmin_is(horizon: int, ceiling: int, named: str) -> None:
    assert named in repr(snapshot(ceiling).may_be_new(last(horizon)))
