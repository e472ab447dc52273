"""A table that was read in pieces is as one that this version has captured."""

from datetime import UTC, datetime

from totes.capture.pieces.plan import Plan, PlannedPiece, ReadPiece
from totes.lake import CapturedTable, CaptureManifest, KeyRanges, SourceIdentity


def test_a_table_of_an_earlier_totes_that_was_read_in_pieces_is_not_read_whole_again() -> None:
    """It is too large for the one function that would read it."""
    base = CaptureManifest(
        batch=7,
        parent=None,
        captured_at=datetime(2024, 11, 15, tzinfo=UTC),
        horizon=9,
        source=SourceIdentity(system_identifier="7", timeline=1, database=5, started="100.0"),
        drift=(),
        tables={"payment": CapturedTable(columns=(), held=3)},
    )
    assert base.tables["payment"].is_of_an_earlier_totes
    plan = Plan(number=1, base=base, pieces=(PlannedPiece(table="payment", lowest=1, highest=9),))
    assert not plan.baseline({0: ReadPiece(parts=(), ranges=KeyRanges())}).tables["payment"].is_of_an_earlier_totes
