"""The long soak: make soak TICKS=1000 SEED=1.

Random histories and random faults, tick after tick, all invariants checked after each; at the first violation the
shortest history that shows it, and the seed.
"""

import argparse
import sys
import time

from rich.console import Console
from rich.table import Table

from tests.faults.deck import Report, TickPlan, drawn, play, shortest
from tests.faults.world import ground

console = Console(highlight=False)
_TRIES = 60


def main(ticks: int, seed: int) -> int:
    """Soak; return the exit code."""
    started = time.monotonic()

    def told(report: Report) -> None:
        if report.ticks % 100 == 0:
            console.print(f"[dim]{report.ticks:,} ticks, {time.monotonic() - started:,.0f} s[/dim]")

    plan = drawn(seed, ticks)
    with ground() as stage:
        report = play(plan, stage, told=told)
        show(report, seed)
        if not report.violations:
            return 0
        short = shortest(plan[: report.ticks], lambda tried: bool(play(tried, stage).violations), _TRIES)
    show_history(short)
    return 1


def show(report: Report, seed: int) -> None:
    """Faults by kind, rows checked, violations."""
    table = Table("fault", box=None, padding=(0, 1), header_style="dim")
    table.add_column("times", justify="right")
    for name, times in sorted(report.faults.items()):
        table.add_row(name, str(times))
    console.print(table)
    console.print(
        f"seed {seed}: {report.ticks:,} ticks, {report.faults.total():,} faults of {len(report.faults)} kinds "
        f"({report.missed} more came to nothing), "
        f"{report.rows_checked:,} rows checked, {len(report.violations)} violations",
        soft_wrap=True,
    )
    for violation in report.violations[:10]:
        console.print(f"[red]{violation}[/red]", soft_wrap=True, markup=False)


def show_history(plan: list[TickPlan]) -> None:
    """The shortest history that fails."""
    console.print("The shortest history that shows it:")
    for tick in plan:
        console.print(f"  {tick}", soft_wrap=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    sys.exit(main(arguments.ticks, arguments.seed))
