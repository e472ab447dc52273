"""What a person sees of an environment's cost."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import groupby

from rich.table import Table

from command_line.commands import display
from command_line.visible import Text
from costs import Estimate
from costs.assumptions import NOT_COUNTED
from costs.prices import AS_OF, REGION, Charge

_SMALL = 10  # below it, two places matter


def show(environment: str, found: Estimate, ways_out: Mapping[str, Decimal]) -> None:
    """What an environment costs a month, by either way out too, what of it is assumed, and what is not in it."""
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
