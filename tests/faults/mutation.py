"""The mutation run of the protocol: make mutation, or python -m tests.faults.mutation "a weakness" ...

Each pipeline that is weak on purpose is given random histories and faults until an invariant catches it; one that is
not caught, or a pipeline that ships and is, ends the run with 1.
"""

import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from tests.faults import content, objects, outages, replays, steps
from tests.faults.random_faults import TickPlan, drawn, play
from tests.faults.weaknesses import WEAKNESSES
from tests.faults.world import Ground, ground

console = Console(highlight=False)

# What the protocol is about; the others take longer and tell nothing more of it.
AMONG = [name for group in (steps, objects, outages, content, replays) for name in group.FAULTS]

TICKS = 150
"""So many a weakness has to live through to be taken for one that nothing catches."""

_INVARIANTS = ("complete", "single", "ordered", "atomic", "accounted", "replayable", "healing")


@dataclass(frozen=True, kw_only=True)
class Caught:
    """By which invariant, or within which fault, a weakness was caught, after how many ticks."""

    by: str
    ticks: int
    violation: str


def hunted(weakness: str | None, stage: Ground, plan: list[TickPlan]) -> Caught | None:
    """Play a plan with a weakness; None where no invariant catches it."""
    report = play(plan, stage, weakness=weakness, all_is_checked_every=5)
    if not report.violations:
        return None
    [violation, *_] = report.violations
    named = re.search(rf"\b({'|'.join(_INVARIANTS)}): ", violation)
    return Caught(by=named[1] if named else "what the fault expects", ticks=report.ticks, violation=violation)


def main(names: Sequence[str]) -> int:
    """Hunt weaknesses; return the exit code."""
    started = time.monotonic()
    table = Table("weakness", "caught by", box=None, padding=(0, 1), header_style="dim")
    table.add_column("ticks", justify="right")
    alive = []
    with ground() as stage:
        plan = drawn(1, TICKS, among=AMONG)
        shipped = hunted(None, stage, plan)
        console.print(f"[dim]the pipeline that ships: {shipped or 'well'}[/dim]", soft_wrap=True)
        for name in names:
            caught = hunted(name, stage, plan)
            if caught is None:
                alive.append(name)
            table.add_row(name, caught.by if caught else "nothing", str(caught.ticks if caught else len(plan)))
            console.print(f"[dim]{time.monotonic() - started:,.0f} s: {name}: {caught}[/dim]", soft_wrap=True)
    console.print(table)
    console.print(f"{len(names)} weaknesses, {len(alive)} not caught; the pipeline that ships: {shipped or 'well'}")
    return 1 if alive or shipped else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(WEAKNESSES)))
