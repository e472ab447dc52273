"""Each fault by its name: whatever it does to a run, two runs later all is well, and the history is whole."""

from contextlib import suppress

import pytest

from tests.faults.cards import CARDS, MissedError, Table
from tests.faults.invariants import after_every_run, once_all_is_well


@pytest.mark.parametrize("name", CARDS)
def test_nothing_is_lost_or_doubled_by(name: str, table: Table) -> None:
    assert table.world.tick().succeeded
    table.history.go_on(12)
    if name == "the store refuses":
        # Of three steps and three requests it draws one; the loader, say, puts no object.
        with suppress(MissedError):
            CARDS[name](table)
    else:
        CARDS[name](table)
    assert after_every_run(table.world) == []
    table.history.go_on(6)
    table.history.settle()
    for _ in range(2):
        tick = table.world.tick()
        assert tick.succeeded, tick
        assert after_every_run(table.world) == []
    assert once_all_is_well(table.world) == []
