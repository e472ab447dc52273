"""Faults of the network between the functions and what they speak to: it is slow, it is cut, it falls silent."""

import contextlib
from collections.abc import Callable, Iterator, Mapping

from tests.faults.functions import CAPTURE, LOAD, STEPS, TRANSFORM, Function
from tests.faults.proxy import Proxy
from tests.faults.run import pause, whole
from tests.faults.scene import Fault, MissedError, Scene, arrives, refused, stir
from tests.faults.worker import Returned

_SLOW = 0.004
"""Seconds a piece; a run hands on some hundreds."""

_PLACES: Mapping[str, Mapping[str, str]] = {
    "source": {CAPTURE: "source COPY .*payment"},
    "warehouse": {LOAD: "warehouse (COPY|INSERT INTO public)"},
    "store": {CAPTURE: "s3 PutObject batches/", TRANSFORM: "s3 GetObject batches/", LOAD: "s3 GetObject batches/"},
}
"""Of each of the three that functions speak to, which step is at which boundary when its network fails."""

_UNAVAILABLE = {"source": "SourceUnavailable", "warehouse": "WarehouseUnavailable"}


@contextlib.contextmanager
def _through_a_proxy(scene: Scene, target: str) -> Iterator[tuple[Proxy, Mapping[str, Function]]]:
    proxy = Proxy(scene.world.port_of(target))
    functions = scene.world.through({target: proxy.port})
    try:
        yield proxy, functions
    finally:
        for function in functions.values():
            function.kill()
        proxy.close()


def _slow(target: str) -> Fault:
    def happen(scene: Scene) -> None:
        """Every piece is late, both ways; the run succeeds."""
        stir(scene)
        with _through_a_proxy(scene, target) as (proxy, functions):
            proxy.delay = _SLOW
            for name in STEPS:
                outcome = whole(functions[name])
                assert isinstance(outcome, Returned), outcome
        arrives(scene)

    return happen


def _failing(target: str, fail: Callable[[Proxy], int]) -> Fault:
    def happen(scene: Scene) -> None:
        """Every connection that is open fails at a moment of the run; what is opened later works."""
        stir(scene)
        places = _PLACES[target]
        step = list(places)[scene.number(len(places))]
        for name in STEPS[: STEPS.index(step)]:
            assert isinstance(whole(scene.world.functions[name]), Returned)
        with _through_a_proxy(scene, target) as (proxy, functions):
            assert pause(functions[step], places[step])
            assert fail(proxy), "nobody was connected"
            outcome = functions[step].release()
        if target == "store":
            assert isinstance(outcome, Returned), outcome  # the SDK asks again
        else:
            refused(outcome, _UNAVAILABLE[target])
            # What the function no longer knows of, the database's own keepalives end a minute later.
            scene.world.terminate(target)
        arrives(scene)

    return happen


def _silenced(proxy: Proxy) -> int:
    if not proxy.falls_silent():
        raise MissedError
    return proxy.silence()


FAULTS: Mapping[str, Fault] = {
    **{f"the network to the {target} slow": _slow(target) for target in _PLACES},
    **{f"the network to the {target} cut": _failing(target, Proxy.cut) for target in _PLACES},
    **{f"the network to the {target} half open": _failing(target, _silenced) for target in _PLACES},
}
