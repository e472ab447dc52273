"""Which source may follow the last batch's, by what each says of itself."""

from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest

from totes.capture.source.snapshot import Snapshot
from totes.capture.source.succession import _is_behind, check_succession
from totes.errors import SourceUnavailable
from totes.lake import CaptureManifest, SourceIdentity


@pytest.mark.parametrize(
    ("earlier", "later"), [("0/F0000000", "1/00000010"), ("1/00000010", "1/00000011"), ("9/0", "10/0")]
)
def test_a_position_is_behind_every_later_one_also_of_the_next_four_gigabytes(earlier: str, later: str) -> None:
    assert _is_behind(earlier, later)
    assert not _is_behind(later, earlier)


def source(*, in_recovery: bool) -> SourceIdentity:
    return SourceIdentity(system_identifier="7", timeline=1, database=5, started="100.0", in_recovery=in_recovery)


def standby(host: str) -> Snapshot:
    return Snapshot(connection=Mock(), horizon=9, ceiling=9, source=source(in_recovery=True), replayed="0/9", host=host)


def batch_of_the_primary(host: str, age: timedelta) -> CaptureManifest:
    return CaptureManifest(
        batch=7,
        parent=None,
        captured_at=datetime.now(UTC) - age,
        horizon=8,
        source=source(in_recovery=False),
        drift=(),
        tables={},
        position="0/8",
        host=host,
    )


def test_a_standby_under_its_primarys_name_is_refused_for_a_quarter_of_an_hour() -> None:
    with pytest.raises(SourceUnavailable, match="a standby of the primary that batch 7 was read from"):
        check_succession(standby("shop"), batch_of_the_primary("shop", timedelta(minutes=14)))
    check_succession(standby("shop"), batch_of_the_primary("shop", timedelta(minutes=16)))


def test_a_standby_that_somebody_has_named_is_read_at_once() -> None:
    check_succession(standby("standby-of-shop"), batch_of_the_primary("shop", timedelta()))
