"""What a person sees in the terminal."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from totes.outcomes import GOING_ON
from totes.star import STAR_TABLES
from totes.verify import Verdict
from workbench.cloud import LocalCloud
from workbench.execution import Follow, RunResult
from workbench.mails import Mail
from workbench.quarantine import QuarantinedRow
from workbench.rebuilding import Progress as Told
from workbench.rebuilding import Rebuilt
from workbench.report import Report
from workbench.simulator import Events

console = Console(highlight=False)


def step(sentence: str) -> None:
    """A step has begun."""
    console.print(f"[dim]·[/dim] {sentence}")


def done(sentence: str) -> None:
    """A step is done."""
    console.print(f"[green]✓[/green] {sentence}")


def failed(sentence: str) -> None:
    """Something failed, and the rest goes on."""
    console.print(Text.assemble(("✗ ", "red"), sentence))


def mails(sent: Sequence[Mail]) -> None:
    """What a local cloud would have sent."""
    if not sent:
        done("no mail was sent")
    for mail in sent:
        console.print(Text(f"{mail.sent_at:%Y-%m-%d %H:%M:%S} UTC  to {mail.to}", style="dim"))
        console.print(Text(mail.subject, style="bold"))
        console.print(Text(f"{mail.text}\n"))


def state(name: str) -> None:
    """The state machine has entered a state."""
    console.print(f"  [dim]→ {name}[/dim]")


def silent(name: str) -> None:
    """Show nothing."""


@contextmanager
def progress(title: str, *, shown: bool = True) -> Iterator[Callable[[int, int], None]]:
    """A progress bar, moved by calling it with what is done and what there is in all."""
    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not shown) as bar:
        task = bar.add_task(title, total=None)
        yield lambda completed, total: bar.update(task, completed=completed, total=total)


@contextmanager
def follow_rebuilding(*, shown: bool) -> Iterator[tuple[Follow, Told]]:
    """The states of runs, and below them a bar of the batches that are done: two functions to be called."""
    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not shown) as bar:
        task = bar.add_task("Starting a run", total=None)

        def tell(title: str, completed: int, total: int | None) -> None:
            if title != bar.tasks[task].description:
                bar.reset(task, description=title, total=total)
            bar.update(task, completed=completed, total=total)

        yield (state if shown else silent), tell


def rebuilt(made: Rebuilt) -> None:
    """A warehouse that was made again."""
    runs = "one run" if made.runs == 1 else f"{made.runs:,} runs"
    batches = "one batch" if made.batches == 1 else f"{made.batches:,} batches"
    done(f"the warehouse was made again of {batches}, by {runs} ({_duration(made.seconds)})")


def cloud_is_up(cloud: LocalCloud, folder: Path) -> None:
    """Where a local cloud is to be found, passwords left out."""
    done(f"the local cloud is up at {cloud.endpoint}")
    for command in ("run --local", "status --local", "local down"):
        console.print(f"    totes {command} --state {shlex.quote(str(folder))}", soft_wrap=True)


def result(run: RunResult) -> None:
    """What a run came to."""
    if not run.succeeded:
        console.print(
            f"[red]✗ the run {run.status.lower().replace('_', ' ')}[/red] after {run.seconds:.1f} s: {run.error}"
        )
    elif run.waiting:
        loaded = "nothing yet" if run.batch is None else f"batch {run.batch}"
        done(f"{loaded} is in the warehouse; {GOING_ON} ({run.seconds:.1f} s)")
    elif run.batch is None:
        done(f"nothing changed ({run.seconds:.1f} s)")
    else:
        done(f"batch {run.batch} is in the warehouse ({run.seconds:.1f} s)")
        if any(tally["rows_in"] for tally in run.tables.values()):
            console.print(_tallies(run))


def _tallies(run: RunResult) -> Table:
    table = Table("star table", box=None, padding=(0, 1), header_style="dim")
    for heading in ("rows in", "versions", "unchanged", "deleted", "quarantined"):
        table.add_column(heading, justify="right")
    for name, tally in run.tables.items():
        if tally["rows_in"]:
            table.add_row(
                name,
                f"{tally['rows_in']:,}",
                f"{tally['versions']:,}",
                f"{tally['unchanged']:,}",
                f"{tally['deleted']:,}",
                _alarming(tally["quarantined"]),
            )
    return table


def report(found: Report) -> None:
    """The state of a deployment."""
    console.print(report_view(found))


def report_view(found: Report) -> RenderableType:
    """The state of a deployment, to be shown once or again and again."""
    parts: list[RenderableType] = [_freshness(found), *_under_way(found), Text()]
    if not found.batches:
        return Group(*parts, Text("The warehouse holds no batch yet."))
    parts += [_tables(found), Text(), _batches(found)]
    if found.quarantine:
        parts += [Text(), _quarantine(found)]
    if found.drift:
        parts += [Text(), _drift(found)]
    return Group(*parts)


def _freshness(found: Report) -> Text:
    if found.fresh_as_of is None or found.lag_seconds is None:
        return Text("No run has succeeded yet.")
    pending = f"batches pending: {len(found.pending)}" if found.pending else "nothing is pending"
    return Text(
        f"{_duration(found.lag_seconds)} behind the source, {pending}\n"
        f"last good run: {found.fresh_as_of:%Y-%m-%d %H:%M:%S} UTC"
    )


def _under_way(found: Report) -> Iterator[Text]:
    if found.replaying is not None:
        done, of = found.replaying.done, found.replaying.of
        yield Text(f"a replay from batch {found.replaying.first}: {done:,} of {of:,} batches; {GOING_ON}")
    if found.rebuilding is not None:
        yield Text(f"a rebuild: {found.rebuilding['staged']:,} of {found.rebuilding['of']:,} batches; {GOING_ON}")


def _tables(found: Report) -> Table:
    table = Table("star table", box=None, padding=(0, 1), header_style="dim")
    for heading in ("rows", "versions", "last batch", "quarantined"):
        table.add_column(heading, justify="right")
    for star in STAR_TABLES:
        line = found.tables[star.name]
        batch = "" if line.last_batch is None else str(line.last_batch)
        table.add_row(star.name, f"{line.rows:,}", f"{line.versions:,}", batch, _alarming(line.quarantined))
    return table


def _batches(found: Report) -> Table:
    table = Table("batch", box=None, padding=(0, 1), header_style="dim")
    table.add_column("captured (UTC)", no_wrap=True)
    table.add_column("loaded after", no_wrap=True)
    for heading in ("rows in", "versions", "deleted", "quarantined"):
        table.add_column(heading, justify="right")
    for batch in found.batches:
        table.add_row(
            str(batch.batch),
            f"{batch.captured_at:%H:%M:%S}",
            _duration((batch.loaded_at - batch.captured_at).total_seconds()),
            f"{batch.rows_in:,}",
            f"{batch.versions:,}",
            f"{batch.deleted:,}",
            _alarming(batch.quarantined),
        )
    return table


def _quarantine(found: Report) -> Table:
    table = Table("quarantine", "key", "batch", "reason", box=None, padding=(0, 1), header_style="dim")
    for row in found.quarantine:
        table.add_row(row.star_table, str(row.key), str(row.batch), Text(row.reason))
    return table


def quarantine(rows: Sequence[QuarantinedRow]) -> None:
    """The rows that are in quarantine."""
    if not rows:
        done("nothing is in quarantine")
        return
    table = Table("star table", box=None, padding=(0, 1), header_style="dim")
    table.add_column("key", justify="right")
    table.add_column("batch", justify="right")
    table.add_column("since (UTC)", no_wrap=True)
    table.add_column("reason")
    for row in rows:
        table.add_row(
            row.star_table, str(row.key), str(row.batch), f"{row.captured_at:%Y-%m-%d %H:%M}", Text(row.reason)
        )
    console.print(table)


def quarantined_row(stays: Sequence[QuarantinedRow]) -> None:
    """One row's stays in quarantine, and all its values of the newest."""
    for stay in stays:
        end = "in quarantine still" if stay.resolved_by is None else f"resolved by batch {stay.resolved_by}"
        console.print(f"[dim]batch {stay.batch}, {stay.captured_at:%Y-%m-%d %H:%M} UTC, {end}:[/dim]")
        console.print(Text(f"  {stay.reason}"))
    table = Table("source column", "value", box=None, padding=(0, 1), header_style="dim")
    for name, text in stays[0].source_row.items():
        table.add_row(Text(name), Text("NULL", style="dim") if text is None else Text(text))
    console.print(table)


def verdict(found: Verdict) -> None:
    """What a verification found."""
    table = Table("star table", box=None, padding=(0, 1), header_style="dim")
    for heading in ("rows", "missing", "extra", "different", "in flight", "quarantined"):
        table.add_column(heading, justify="right")
    for name, star in found.tables.items():
        table.add_row(
            name,
            f"{star.rows:,}",
            _alarming(star.missing.len()),
            _alarming(star.extra.len()),
            _alarming(star.different.len()),
            f"{star.in_flight:,}",
            f"{star.quarantined:,}",
        )
    console.print(table)
    if not found.differences:
        done(f"the warehouse is what the source says: {found.rows:,} rows compared")
        return
    console.print(f"[red]✗ {found.differences:,} of {found.rows:,} rows differ[/red]; totes verify --repair mends them")
    for name, star in found.tables.items():
        for kind, keys in star.to_dict()["examples"].items():
            columns = f" in {', '.join(star.columns)}" if kind == "different" else ""
            console.print(Text(f"  {name}: {kind}{columns}: {', '.join(keys)}"))


def _drift(found: Report) -> Table:
    table = Table("batch", "what changed in the source's shape", box=None, padding=(0, 1), header_style="dim")
    for shift in found.drift:
        table.add_row(str(shift.batch), Text(shift.what))
    return table


def _alarming(count: int) -> str:
    return f"[yellow]{count:,}[/yellow]" if count else "0"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest:.0f} s" if minutes else f"{rest:.1f} s"


def events(counts: Events) -> None:
    """What a shop has done."""
    done(f"the shop made {counts}")
