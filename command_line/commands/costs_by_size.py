"""What a person sees of what shops of some sizes cost, and of which step breaks first."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.table import Table

from command_line.commands import display
from command_line.visible import Text
from costs import Break, Measured, Sized, by_size, shop
from costs.prices import AS_OF, REGION

_GB = 1024**3
_MB = 1024**2
_KINDS = {
    "AWS::RDS::DBInstance": "warehouse, USD a month",
    "AWS::Lambda::Function": "functions",
    "AWS::S3::Bucket": "buckets, and to browsers",
}
_SMALL = 10
_MANY_MINUTES = 2


def show(environment: str, found: Sequence[Sized], broken: Sequence[Break], measured: Measured) -> None:
    """Show what each size costs, where each step breaks, and what is assumed."""
    display.show(_figures(environment, found), "", _breaks(broken), "")
    for each in found:
        display.show(Text(_first(each, broken)), soft_wrap=True)
    display.show("")
    _show_remedies(broken)
    _show_assumptions(measured)


def document(found: Sequence[Sized], broken: Sequence[Break], measured: Measured) -> Mapping[str, Any]:
    """The same for programs."""
    return {
        "measured": measured.began,
        "sizes": [_size(each, broken) for each in found],
        "breaks": [_break(each) for each in broken],
        "assumed": [*shop.ASSUMED, *by_size.ASSUMED],
    }


def _break(broken: Break) -> Mapping[str, Any]:
    return {
        "step": broken.step,
        "limit": broken.limit,
        "orders_a_year": broken.orders_a_year,
        "then": broken.remedy,
    }


def _size(found: Sized, broken: Sequence[Break]) -> Mapping[str, Any]:
    capture, transform, load = found.first_load
    return {
        "orders_a_year": found.shop.orders_a_year,
        "orders": found.shop.orders,
        "rows": round(found.shop.rows),
        "usual_changes": round(found.shop.usual_changes, 3),
        "busiest_changes": round(found.shop.busiest_changes, 3),
        "first_load_seconds": {
            "capture": round(capture, 1),
            "transform": round(transform, 1),
            "load": round(load, 1),
        },
        "tick_seconds": {
            "idle": round(found.idle_tick, 2),
            "usual": round(found.usual_tick, 2),
            "busiest": round(found.busiest_tick, 2),
        },
        "stored_bytes": {
            "ingestion": round(found.stored.ingestion),
            "processed": round(found.stored.processed),
            "warehouse": round(found.stored.warehouse),
            "snapshots": round(found.stored.snapshots),
        },
        "night_bytes": round(found.night_bytes),
        "look_bytes": round(found.look_bytes),
        "instance": found.instance,
        "broken": [f"{each.step}: {each.limit}" for each in broken if not each.holds(found.shop.orders_a_year)],
        "cost": found.cost.to_dict(),
    }


def _figures(environment: str, found: Sequence[Sized]) -> Table:
    table = Table(f"{environment}: sales orders a year", box=None, padding=(0, 1), header_style="dim")
    for each in found:
        table.add_column(f"{each.shop.orders_a_year:,}", justify="right")
    for name, of in _ROWS.items():
        table.add_row(name, *(of(each) for each in found))
    table.add_section()
    for kind, name in _KINDS.items():
        table.add_row(name, *(f"{_usd(each, {kind}):,.2f}" for each in found))
    table.add_row(
        "all else",
        *(f"{_usd(each, {line.kind for line in each.cost.lines} - set(_KINDS)):,.2f}" for each in found),
    )
    table.add_row("in all", *(_total(each) for each in found), style="bold")
    return table


def _usd(found: Sized, kinds: set[str]) -> float:
    return float(sum(line.charge.usd for line in found.cost.lines if line.kind in kinds))


def _total(found: Sized) -> str:
    return f"{found.cost.usd:,.2f}{' and what is not known' if found.cost.unknown else ''}"


def _breaks(broken: Sequence[Break]) -> Table:
    table = Table("what breaks", "by", box=None, padding=(0, 1), header_style="dim")
    table.add_column("above, orders a year", justify="right")
    for each in broken:
        if each.orders_a_year is not None:
            table.add_row(each.step, each.limit, f"{each.orders_a_year:,}")
    return table


def _show_remedies(broken: Sequence[Break]) -> None:
    """Show what to do, once for all steps with the same remedy."""
    steps: dict[str, list[str]] = {}
    for each in broken:
        if each.orders_a_year is not None and each.step not in steps.setdefault(each.remedy, []):
            steps[each.remedy].append(each.step)
    display.show("what to do then:")
    for remedy, of in steps.items():
        display.show(f"  - {'; '.join(of)}: {remedy}", soft_wrap=True)


def _first(found: Sized, broken: Sequence[Break]) -> str:
    gone = [each for each in broken if not each.holds(found.shop.orders_a_year)]
    said = f"{found.shop.orders_a_year:,} orders a year: "
    if gone:
        more = f", then {len(gone) - 1} more" if len(gone) > 1 else ""
        return f"{said}the first to break is {gone[0].step} ({gone[0].limit}){more}"
    if broken and broken[0].orders_a_year is not None:
        return f"{said}all holds; {broken[0].step} would break first, above {broken[0].orders_a_year:,}"
    return f"{said}all holds"


def _show_assumptions(measured: Measured) -> None:
    sizes = " and ".join(f"{size:,}" for size in measured.sizes)
    prices = (
        f"Prices of {REGION} written down on {AS_OF}; figures measured on {measured.began[:10]} with {sizes} orders."
    )
    display.show("")
    display.show(Text(prices, style="dim"), soft_wrap=True)
    display.show("assumed:")
    for sentence in (*shop.ASSUMED, *by_size.ASSUMED):
        display.show(f"  - {sentence}", soft_wrap=True)


def _number(value: float) -> str:
    return f"{value:,.{2 if value < _SMALL else 0}f}"


def _time(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < _MANY_MINUTES:
        return f"{seconds:,.1f} s"
    return f"{minutes:,.0f} min"


def _size_of(size: float) -> str:
    return f"{_number(size / _GB)} GB" if size >= _GB / 10 else f"{_number(size / _MB)} MB"


_ROWS: Mapping[str, Callable[[Sized], str]] = {
    "orders that it has": lambda found: f"{found.shop.orders:,}",
    "rows in the source": lambda found: f"{found.shop.rows:,.0f}",
    "changes in a usual tick": lambda found: _number(found.shop.usual_changes),
    "changes in the busiest": lambda found: _number(found.shop.busiest_changes),
    "first load: capture": lambda found: _time(found.first_load[0]),
    "first load: transform": lambda found: _time(found.first_load[1]),
    "first load: load": lambda found: _time(found.first_load[2]),
    "tick without changes": lambda found: _time(found.idle_tick),
    "usual tick": lambda found: _time(found.usual_tick),
    "busiest tick": lambda found: _time(found.busiest_tick),
    "lake": lambda found: _size_of(found.stored.ingestion + found.stored.processed),
    "warehouse": lambda found: _size_of(found.stored.warehouse),
    "its instance": lambda found: found.instance or "not in the templates",
    "read of the source a night": lambda found: _size_of(found.night_bytes),
    "read by a look at the dashboard": lambda found: _size_of(found.look_bytes) if found.look_bytes else "off",
}
