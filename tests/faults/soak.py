"""The long soak: make soak TICKS=10000 SEED=1.

Random histories and random faults in many short worlds, side by side on as many processes as there are cores for; all
invariants are checked after each tick. The faults that have happened least often come first, so each happens about as
often as every other. At the first violation: the shortest history that shows it, to be played again by --plan.
"""

import argparse
import json
import multiprocessing
import multiprocessing.util
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from tests.faults.kept import Kept, code
from tests.faults.random_faults import Report, TickPlan, drawn, play, shortest
from tests.faults.registry import FAULTS
from tests.faults.world import Ground, ground

console = Console(highlight=False)

WORLD = 40
"""Ticks of a world: long enough for a history, short enough for its checks, which read all of it, to be quick."""

_TRIES = 60
_BEGIN, _END = "<!-- soak: written by make soak REPORT=docs/guarantees.md -->", "<!-- end of soak -->"
_FAILED = Path("build/soak-failed.json")
_KEPT = Path("build/soak.jsonl")


class _Stage:
    """A process's own ground, kept for all worlds that it plays."""

    kept = ExitStack()
    ground: Ground | None = None


def _play(plan: Sequence[TickPlan]) -> Report:
    if _Stage.ground is None:
        _Stage.ground = _Stage.kept.enter_context(ground())
        multiprocessing.util.Finalize(None, _Stage.kept.close, exitpriority=100)
    return play(plan, _Stage.ground)


def soak(ticks: int, seed: int, processes: int, kept: Kept) -> tuple[Report, list[TickPlan]]:
    """Play so many ticks; return what they came to, and the plan that failed, empty where none did."""
    started, total, played = time.monotonic(), Report(), kept.so_far()
    for report in played.values():
        _add(total, report)
    if played:
        console.print(f"[dim]Going on after {total.ticks:,} earlier ticks.[/dim]")
    seeds = (number for number in range(seed, seed + ticks) if number not in played)
    drawn_times = Counter(total.faults)
    running: dict[Future[Report], tuple[int, list[TickPlan]]] = {}
    left = ticks - total.ticks
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        while left > 0 or running:
            while left > 0 and len(running) < processes:
                number = next(seeds)
                plan = drawn(number, min(left, WORLD), played=drawn_times)
                left -= len(plan)
                drawn_times.update(tick.fault for tick in plan if tick.fault)
                running[pool.submit(_play, plan)] = number, plan
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                (number, plan), report = running.pop(future), future.result()
                _add(total, report)
                drawn_times = _happened_or_may(total, (plan for _, plan in running.values()))
                seconds = time.monotonic() - started
                console.print(f"[dim]{total.ticks:,} ticks, {seconds:,.0f} s[/dim]", soft_wrap=True)
                if report.violations:
                    kept.forget()
                    return total, plan[: report.ticks]
                kept.add(number, report)
    kept.forget()
    return total, []


def _happened_or_may(total: Report, running: Iterable[Sequence[TickPlan]]) -> Counter[str]:
    """How often each fault has happened, or will have when what is played now has come to its end."""
    times = Counter(total.faults)
    for plan in running:
        times.update(tick.fault for tick in plan if tick.fault)
    return times


def _add(total: Report, report: Report) -> None:
    total.ticks += report.ticks
    total.faults += report.faults
    total.missed += report.missed
    total.rows_checked += report.rows_checked
    total.violations += report.violations


def told(report: Report, command: str) -> str:
    """Faults by kind, rows checked, violations."""
    width = max(len(name) for name in FAULTS)
    lines = [f"$ {command}", f"{'fault'.ljust(width)}  times"]
    lines += [f"{name.ljust(width)} {report.faults[name]:6,}" for name in sorted(FAULTS)]
    lines.append(
        f"{report.ticks:,} ticks, {report.faults.total():,} faults of {len(report.faults)} kinds "
        f"({report.missed:,} more came to nothing), {report.rows_checked:,} rows checked, "
        f"{len(report.violations)} violations"
    )
    return "\n".join(lines)


def write_report(file: Path, text: str) -> None:
    """Put a report between the two markers of a document."""
    before, rest = file.read_text(encoding="utf-8").split(_BEGIN)
    _, after = rest.split(_END)
    file.write_text(f"{before}{_BEGIN}\n```console\n{text}\n```\n{_END}{after}", encoding="utf-8")


def shrink(plan: Sequence[TickPlan]) -> int:
    """Show the shortest history that fails, and keep it."""
    with ground() as stage:
        short = shortest(plan, lambda tried: bool(play(tried, stage).violations), _TRIES)
    console.print("The shortest history that shows it:")
    for tick in short:
        console.print(f"  {tick}", soft_wrap=True)
    _FAILED.parent.mkdir(exist_ok=True)
    _FAILED.write_text(json.dumps([asdict(tick) for tick in short]), encoding="utf-8")
    console.print(f"It is played again by: python -m tests.faults.soak --plan {_FAILED}")
    return 1


def main(arguments: argparse.Namespace) -> int:
    """Soak; return the exit code."""
    if arguments.plan:
        plan = [TickPlan(**tick) for tick in json.loads(arguments.plan.read_text(encoding="utf-8"))]
        with ground() as stage:
            report = play(plan, stage)
        failed: list[TickPlan] = []
    else:
        head: dict[str, object] = {"ticks": arguments.ticks, "seed": arguments.seed, "code": code()}
        report, failed = soak(arguments.ticks, arguments.seed, arguments.processes, Kept(_KEPT, head))
    text = told(report, f"make soak TICKS={arguments.ticks} SEED={arguments.seed}")
    console.print(text, soft_wrap=True, markup=False)
    for violation in report.violations[:10]:
        console.print(f"[red]{violation}[/red]", soft_wrap=True, markup=False)
    if arguments.report and not report.violations:
        write_report(arguments.report, text)
    if failed:
        return shrink(failed)
    return 1 if report.violations else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--report", type=Path, help="a document whose soak section is written again")
    parser.add_argument("--plan", type=Path, help="a plan to play again, as a soak that failed has left it")
    sys.exit(main(parser.parse_args()))
