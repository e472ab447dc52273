"""An environment's month: what each resource type costs, what is free, and what is not known."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from costs import assumptions, prices
from costs.catalogue import FREE, PRICED
from costs.charge import Charge
from costs.prices import Price
from costs.runs import Runs
from costs.templates import TemplateResource, Unpriceable

CUSTOM_METRICS = "custom metrics"


@dataclass(frozen=True)
class Line:
    """What resources of one type use at one price.

    Attributes:
        kind: the resource type.
        count: how many resources use it.
        charge: how much of it, all together.
    """

    kind: str
    count: int
    charge: Charge


@dataclass(frozen=True)
class Unknown:
    """A resource of which it cannot be told what it costs, and why."""

    kind: str
    logical_id: str
    reason: str


@dataclass(frozen=True)
class Estimate:
    """A month's cost.

    Attributes:
        lines: what costs, by resource type.
        free: how many resources of each type cost nothing by themselves.
        unknown: what the total lacks.
    """

    lines: Sequence[Line]
    free: Mapping[str, int]
    unknown: Sequence[Unknown]

    @property
    def usd(self) -> Decimal:
        """The total of what is known."""
        return sum((line.charge.usd for line in self.lines), Decimal(0))

    def to_dict(self) -> dict[str, Any]:
        """The estimate with its prices, for JSON."""
        return {
            "region": prices.REGION,
            "prices_as_of": prices.AS_OF,
            "usd": float(round(self.usd, 2)),
            "lines": [_line_to_dict(line) for line in self.lines],
            "free": dict(self.free),
            "unknown": [vars(each) for each in self.unknown],
            "not_counted": list(assumptions.NOT_COUNTED),
        }


def estimate(resources: Sequence[TemplateResource]) -> Estimate:
    """What resources cost in a month; one of which that cannot be told is named in `unknown`, never zero."""
    runs = Runs(resources)
    charges: dict[tuple[str, Price], list[Charge]] = {
        (CUSTOM_METRICS, prices.CUSTOM_METRIC): [Charge(1, prices.CUSTOM_METRIC)] * assumptions.CUSTOM_METRICS
    }
    free = Counter[str]()
    unknown = []
    for resource in resources:
        try:
            found = _charges(resource, runs)
        except Unpriceable as reason:
            unknown.append(Unknown(resource.kind, resource.logical_id, str(reason)))
            continue
        if not found:
            free[resource.kind] += 1
        for charge in found:
            charges.setdefault((resource.kind, charge.price), []).append(charge)
    lines = [
        Line(kind, len(same), Charge(sum(charge.quantity for charge in same), price))
        for (kind, price), same in charges.items()
    ]
    return Estimate(
        lines=sorted(lines, key=lambda line: line.kind),
        free=dict(sorted(free.items())),
        unknown=unknown,
    )


def _charges(resource: TemplateResource, runs: Runs) -> list[Charge]:
    if resource.kind in FREE:
        return []
    if resource.kind not in PRICED:
        raise Unpriceable("nothing is written down of this type")
    return PRICED[resource.kind](resource, runs)


def _line_to_dict(line: Line) -> dict[str, Any]:
    price = line.charge.price
    return {
        "type": line.kind,
        "count": line.count,
        "quantity": round(float(line.charge.quantity), 3),
        "unit": price.unit,
        "price_usd": float(price.usd),
        "price_per": price.per,
        "usd": float(round(line.charge.usd, 4)),
    }
