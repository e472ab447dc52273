"""What must not be left half done is not, however a person ends it."""

import signal
import threading
from collections.abc import Iterator

import pytest

from command_line.commands import interrupts

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def ended_by_signals() -> Iterator[None]:
    before = {number: signal.signal(number, signal.SIG_DFL) for number in ENDINGS}
    interrupts.end_on_signals()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def interrupted_by(number: signal.Signals) -> bool:
    """Whether a signal interrupts what goes on; the tests themselves go on in any case."""
    try:
        signal.raise_signal(number)
    except KeyboardInterrupt:
        return True
    return False


@pytest.mark.parametrize("number", ENDINGS)
def test_neither_ctrl_c_nor_a_closed_terminal_leaves_a_removal_half_done(number: signal.Signals) -> None:
    with interrupts.undisturbed():
        assert not interrupted_by(number)
    assert interrupted_by(number)


@pytest.mark.parametrize("number", ENDINGS)
def test_what_stops_in_order_stops_in_order_at_first_and_at_once_at_the_second_time(number: signal.Signals) -> None:
    stop = threading.Event()
    with interrupts.stopping(stop):
        assert not interrupted_by(number)
        assert stop.is_set()
        assert interrupted_by(number)
