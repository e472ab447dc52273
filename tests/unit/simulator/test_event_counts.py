from simulator import EventCounts
from simulator.event_counts import EventCounter


def test_events_read_like_a_sentence() -> None:
    assert str(EventCounts({"new staff": 1, "new designs": 1_200}, retries=2)) == (
        "1,201 events: new designs 1,200, new staff 1; 2 had to be tried again"
    )
    assert str(EventCounts()) == "0 events"


def test_a_tally_counts_within_another() -> None:
    whole = EventCounter()
    first, second = EventCounter(whole), EventCounter(whole)
    first.count("new staff")
    second.count("new staff")
    second.count_retry()
    assert first.so_far() == EventCounts({"new staff": 1})
    assert whole.so_far() == EventCounts({"new staff": 2}, retries=1)
