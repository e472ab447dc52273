"""totes costs: what an environment costs a month, as it is or with a shop of some size."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from command_line.commands import costs_by_size, display
from command_line.commands.target import DEFAULT_ENVIRONMENT, EnvironmentName, Json
from command_line.synthesis import synthesised
from command_line.visible import Text
from costs import Estimate, Measured, TemplateSet, breaks, by_each_way_out, estimate, read_resources, sized
from costs.assumptions import NOT_COUNTED
from costs.measured import DEFAULT as MEASURED
from costs.prices import AS_OF, REGION, Charge
from totes.errors import UserError

_SMALL = 10  # below it, two places matter


def costs(
    environment: EnvironmentName = DEFAULT_ENVIRONMENT,
    as_json: Json = False,
    orders_a_year: Annotated[
        list[int] | None,
        typer.Option(
            metavar="N",
            min=1,
            help="What a shop with so many sales orders a year costs, and which step breaks first; may be repeated.",
        ),
    ] = None,
    measured: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A result of make bench to reckon with (default: costs/measured.json)."),
    ] = None,
) -> None:
    """Work out from an environment's templates, which it synthesises, what it costs a month."""
    if measured is not None and not orders_a_year:
        raise UserError("--measured is for --orders-a-year: say how many sales orders the shop has a year")
    figures = Measured.read(measured or MEASURED) if orders_a_year else None
    with synthesised(environment) as templates:
        resources = read_resources(templates)
    if figures is not None:
        _costs_by_size(environment, TemplateSet(resources), orders_a_year or [], figures, as_json=as_json)
        return
    found, ways_out = estimate(resources), by_each_way_out(resources)
    if as_json:
        totals = {way: float(round(usd, 2)) for way, usd in ways_out.items()}
        print(json.dumps({**found.to_dict(), "usd_by_way_out": totals}, indent=2))
    else:
        show(environment, found, ways_out)


def _costs_by_size(
    environment: str, templates: TemplateSet, orders_a_year: Sequence[int], measured: Measured, *, as_json: bool
) -> None:
    found = [sized(templates, each, measured) for each in sorted(set(orders_a_year))]
    broken = breaks(templates, measured)
    if as_json:
        print(json.dumps(costs_by_size.document(found, broken, measured), indent=2))
    else:
        costs_by_size.show(environment, found, broken, measured)


def show(environment: str, found: Estimate, ways_out: Mapping[str, Decimal]) -> None:
    """Show what an environment costs a month, with each way out, what is assumed, and what is not counted."""
    display.show(_table(found))
    total = f"{environment}: {found.usd:,.2f} USD a month"
    display.show(f"\n{total}, and what is not known" if found.unknown else f"\n{total}")
    if ways_out:
        either = " or ".join(f'{usd:,.2f} with nat="{way}"' for way, usd in ways_out.items())
        display.show(Text(f"That is {either} (NewNetwork in stacks/config.py)."), soft_wrap=True)
    prices = f"Prices of {REGION} written down on {AS_OF}, as published: check before you rely on them."
    display.show(Text(prices, style="dim"), soft_wrap=True)
    for each in found.unknown:
        display.show(Text(f"not known: {each.kind} {each.logical_id}: {each.reason}", style="yellow"), soft_wrap=True)
    free = ", ".join(f"{kind.removeprefix('AWS::')} {count}" for kind, count in found.free.items())
    display.show(f"\nno cost counted for: {free or 'nothing'}", soft_wrap=True)
    display.show("not in it:")
    for sentence in NOT_COUNTED:
        display.show(f"  - {sentence}", soft_wrap=True)


def _table(found: Estimate) -> Table:
    table = Table("resource type", box=None, padding=(0, 1), header_style="dim")
    table.add_column("count", justify="right")
    table.add_column("usage assumed", justify="right")
    table.add_column("USD a month", justify="right", no_wrap=True)
    for kind, lines in groupby(found.lines, key=lambda line: line.kind):
        name = kind.removeprefix("AWS::")
        for line in lines:
            table.add_row(name, f"{line.count:,}", _usage(line.charge), f"{line.charge.usd:,.2f}")
            name = ""
    return table


def _usage(charge: Charge) -> str:
    return f"{charge.quantity:,.{2 if charge.quantity < _SMALL else 0}f} {charge.price.unit}"
