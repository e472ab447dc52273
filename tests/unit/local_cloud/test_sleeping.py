"""A function in a network falls asleep where nobody calls it for weeks.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
"""

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from moto.core.exceptions import JsonRESTError

from local_cloud.endpoint.sleeping import call
from tests.support.waiting import until

NOW = datetime(2026, 11, 25, 12, 0)  # noqa: DTZ001 - as moto has it
WEEKS = timedelta(days=15)


def function(**others: Any) -> Any:
    return SimpleNamespace(
        **{"function_name": "totes-dev-sweep", "vpc_config": {"SubnetIds": ["a"]}, "state": "Active", **others}
    )


def refused(asleep: Any, moment: datetime) -> tuple[int, str]:
    with pytest.raises(JsonRESTError) as refusal:
        call(asleep, moment)
    return refusal.value.code, refusal.value.error_type


def test_the_call_that_wakes_it_is_refused_and_others_until_it_is_awake() -> None:
    asleep = function()
    call(asleep, NOW)
    assert refused(asleep, NOW + WEEKS) == (502, "ResourceNotReadyException")
    assert asleep.state == "Pending"
    assert refused(asleep, NOW + WEEKS) == (409, "ResourceConflictException")
    until(lambda: asleep.state == "Active")
    call(asleep, NOW + WEEKS)


def test_one_that_is_called_now_and_then_or_is_in_no_network_does_not_sleep() -> None:
    awake, outside = function(), function(vpc_config=None)
    call(awake, NOW)
    call(awake, NOW + timedelta(days=13))
    call(awake, NOW + timedelta(days=26))
    call(outside, NOW)
    call(outside, NOW + WEEKS)
