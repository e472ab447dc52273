"""What a person sees of a run: the states that it enters, and what it has come to."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.table import Table

from command_line.commands import display
from command_line.execution import Follow, RunResult
from command_line.rebuilding import Rebuilt, ReportBatches
from command_line.visible import Text
from totes.outcomes import GOING_ON


def state(name: str) -> None:
    """Show a state that the state machine has entered."""
    display.show(Text(f"  → {name}", style="dim"))


def silent(name: str) -> None:
    """Show nothing."""


def result(run: RunResult) -> None:
    """Show what a run came to."""
    if not run.succeeded:
        how = f"✗ the run {run.status.lower().replace('_', ' ')}"
        display.show(Text.assemble((how, "red"), f" after {run.seconds:.1f} s: {run.error}"))
    elif run.waiting:
        loaded = "nothing yet" if run.batch is None else f"batch {run.batch}"
        display.done(f"{loaded} is in the warehouse; {GOING_ON} ({run.seconds:.1f} s)")
    elif run.batch is None:
        display.done(f"nothing changed ({run.seconds:.1f} s)")
    else:
        display.done(f"batch {run.batch} is in the warehouse ({run.seconds:.1f} s)")
        if any(counts["rows_in"] for counts in run.tables.values()):
            display.show(_row_counts(run))


def _row_counts(run: RunResult) -> Table:
    table = Table("star table", box=None, padding=(0, 1), header_style="dim")
    for heading in ("rows in", "versions", "unchanged", "deleted", "quarantined"):
        table.add_column(heading, justify="right")
    for name, counts in run.tables.items():
        if counts["rows_in"]:
            table.add_row(
                name,
                f"{counts['rows_in']:,}",
                f"{counts['versions']:,}",
                f"{counts['unchanged']:,}",
                f"{counts['deleted']:,}",
                display.alarming(counts["quarantined"]),
            )
    return table


@contextmanager
def follow_rebuilding(*, shown: bool) -> Iterator[tuple[Follow, ReportBatches]]:
    """Show the states of runs, and below them a bar of the batches that are done, by the two functions returned."""
    with display.progress_bar(counted=True, shown=shown) as bar:
        task = bar.add_task("Starting a run", total=None)

        def tell(title: str, completed: int, total: int | None) -> None:
            if title != bar.tasks[task].description:
                bar.reset(task, description=title, total=total)
            bar.update(task, completed=completed, total=total)

        yield (state if shown else silent), tell


def rebuilt(made: Rebuilt) -> None:
    """Show how a warehouse was made again."""
    runs = "one run" if made.runs == 1 else f"{made.runs:,} runs"
    batches = "one batch" if made.batches == 1 else f"{made.batches:,} batches"
    display.done(f"the warehouse was made again of {batches}, by {runs} ({display.duration(made.seconds)})")
