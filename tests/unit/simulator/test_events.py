from collections import Counter

import numpy as np
import pytest

from simulator.events import EVENTS, any_event


def test_everything_that_may_happen_happens_as_often_as_its_weight_says() -> None:
    generator = np.random.Generator(np.random.PCG64(1))
    drawn = Counter(any_event(generator).kind for _ in range(20_000))
    weights = sum(event.weight for event in EVENTS)
    for event in EVENTS:
        assert drawn[event.kind] / 20_000 == pytest.approx(event.weight / weights, rel=0.5), event.kind
    assert drawn.total() == 20_000


def test_kinds_differ() -> None:
    assert len({event.kind for event in EVENTS}) == len(EVENTS)
