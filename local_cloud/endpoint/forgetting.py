"""What an endpoint forgets that stays up for days: all that it knows is in the memory of its process.

AWS forgets by age: an execution after 90 days, a metric after 15 months, log events and superseded versions of objects
when their group or bucket says so. A laptop may run every few seconds, so here the number counts. It is large enough
for whatever totes asks for: the last page of executions, the values of the week that an alarm may look at.
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
"""

import gc
import threading
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

from moto.cloudwatch.models import CloudWatchBackend
from moto.logs.models import LogStream
from moto.s3.utils import _VersionedKeyStore

from local_cloud.endpoint.patches import patch

_Thing = TypeVar("_Thing")

_EXECUTIONS = 100
"""Of a state machine, for each way to end: as many as are listed on a page, so that the last success is among them."""

_AT_ONCE = 50
"""So many executions are forgotten together: to look for garbage takes some tenths of a second."""

_VALUES = 2500
"""Of a metric: a week has 2,016 ticks of five minutes."""

_EVENTS = 5000
"""Of a log stream."""

_VERSIONS = 100
"""Of an object."""

_MORE = 1000
"""So many are let in before all are looked through again."""

_WHY = "moto forgets nothing, and would fill the memory of a machine on which runs follow each other for days"

_FORGETTING = threading.Lock()

_moto_put_metric_data = CloudWatchBackend.put_metric_data
_moto_put_log_events = LogStream.put_log_events
_moto_set_versions = _VersionedKeyStore.setlist


def install() -> None:
    """Let metrics, logs and buckets forget."""
    patch(CloudWatchBackend, "put_metric_data", _put_metric_data, why=_WHY)
    patch(LogStream, "put_log_events", _put_log_events, why=_WHY)
    patch(_VersionedKeyStore, "setlist", _set_versions, why=_WHY)


def forget_executions(machine: Any) -> None:
    """Forget a state machine's oldest executions of those that have ended; no other thread may start one meanwhile."""
    remembered = _remembered(machine.executions)
    if len(machine.executions) - len(remembered) >= _AT_ONCE:
        machine.executions = remembered  # a new list, for others may be looking through the old one
        # An execution and its threads name each other, and the daemon looks for such garbage once in thousands of runs.
        gc.collect()


def _remembered(executions: Sequence[Any]) -> list[Any]:
    ended = [each for each in executions if each.status != "RUNNING"]
    kept = {id(each) for each in newest_of_each(ended, lambda each: each.status, _EXECUTIONS)}
    return [each for each in executions if each.status == "RUNNING" or id(each) in kept]


def newest_of_each(things: Sequence[_Thing], kind: Callable[[_Thing], Hashable], most: int) -> list[_Thing]:
    """Return the last things of each kind, in the order that they have.

    Args:
        things: the oldest first.
        kind: tells a thing's kind.
        most: how many of each kind.
    """
    seen: Counter[Hashable] = Counter()
    kept = []
    for each in reversed(things):
        seen[kind(each)] += 1
        if seen[kind(each)] <= most:
            kept.append(each)
    return kept[::-1]


def _put_metric_data(backend: Any, namespace: str, metric_data: list[dict[str, Any]]) -> None:
    with _FORGETTING:
        before = len(backend.metric_data)
        _moto_put_metric_data(backend, namespace, metric_data)
        if len(backend.metric_data) // _MORE > before // _MORE:
            backend.metric_data = newest_of_each(backend.metric_data, _metric_of, _VALUES)


def _metric_of(value: Any) -> Hashable:
    return value.namespace, value.name, tuple((each.name, each.value) for each in value.dimensions)


def _put_log_events(stream: Any, log_events: list[dict[str, Any]]) -> str:
    with _FORGETTING:
        token = _moto_put_log_events(stream, log_events)
        if len(stream.events) >= _EVENTS + _MORE:
            stream.events = stream.events[-_EVENTS:]
        return str(token)


def _set_versions(store: Any, key: Any, versions: Any) -> None:
    """Say which versions an object has; moto closes the buffers of those that it has no more."""
    _moto_set_versions(store, key, versions[-_VERSIONS:] if isinstance(versions, list) else versions)
