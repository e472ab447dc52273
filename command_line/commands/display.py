"""What a person sees in the terminal."""

import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from command_line.execution import Follow, RunResult
from command_line.mails import Mail
from command_line.rebuilding import Progress as Told
from command_line.rebuilding import Rebuilt
from command_line.report import Report
from command_line.typed_commands import completed, named_by
from command_line.verification import Verification
from command_line.visible import Console, Text
from local_cloud import LocalCloud
from simulator import Events
from totes.answers import Finding, QuarantinedRow
from totes.outcomes import GOING_ON
from totes.star import STAR_TABLES

console = Console(highlight=False, markup=False, emoji=False)
"""It shows words as they are: a bracket or a colon in an ARN, a path or a database's sentence is no markup, and no
character in it an order to the terminal."""


def show(*shown: RenderableType, soft_wrap: bool = False) -> None:
    """Print; where that goes to a file or a pipe, without the blanks that fill a table's last column."""
    if console.is_terminal:
        console.print(*shown, soft_wrap=soft_wrap)
        return
    with console.capture() as printed:
        console.print(*shown, soft_wrap=soft_wrap)
    print("\n".join(line.rstrip() for line in printed.get().splitlines()))


def program() -> str:
    """How this program is called from this folder: by its name where the shell finds it, else by its path."""
    if shutil.which("totes"):
        return "totes"
    called = Path(sys.argv[0]).absolute()
    here = Path.cwd()
    return shlex.quote(str(called.relative_to(here) if called.is_relative_to(here) else called))


def complete(sentence: str) -> str:
    """A sentence whose commands are to be typed as this one was: of the same deployment."""
    return completed(sentence, named_by(sys.argv[1:]))


_SHOWN_AS_A_MINUTE = 59.95
"""Seconds; from there on a tenth of a second would be shown as 60.0."""


def step(sentence: str) -> None:
    """A step has begun."""
    show(Text.assemble(("·", "dim"), f" {complete(sentence)}"))


def done(sentence: str) -> None:
    """A step is done."""
    show(Text.assemble(("✓", "green"), f" {complete(sentence)}"))


def failed(sentence: str) -> None:
    """Something failed, and the rest goes on."""
    console.print(Text.assemble(("✗ ", "red"), complete(sentence)))


def finding(found: Finding) -> None:
    """What was looked at, and whether it is as it should be."""
    mark, style = ("✓", "green") if found.good else ("✗", "red")
    show(Text.assemble((mark, style), f" {found.subject}: {complete(found.sentence)}"))


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
    show(Text(f"  → {name}", style="dim"))


def silent(name: str) -> None:
    """Show nothing."""


@contextmanager
def progress(title: str, *, shown: bool = True) -> Iterator[Callable[[int, int], None]]:
    """A progress bar, moved by calling it with what is done and what there is in all."""
    columns = (TextColumn("  {task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not shown) as bar:
        task = bar.add_task(title, total=None)
        yield lambda completed, total: bar.update(task, completed=completed, total=total)


@contextmanager
def waiting(title: str, *, shown: bool = True) -> Iterator[None]:
    """Something that does not say how far it is, and for how long it has been so."""
    columns = (TextColumn("  {task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not shown) as bar:
        bar.add_task(title, total=None)
        yield


@contextmanager
def follow_rebuilding(*, shown: bool) -> Iterator[tuple[Follow, Told]]:
    """The states of runs, and below them a bar of the batches that are done: two functions to be called."""
    columns = (TextColumn("  {task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
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


def cloud_is_up(cloud: LocalCloud, folder: Path, *, continued: bool) -> None:
    """Where a local cloud is to be found, passwords left out, and what to do with it."""
    done(f"the local cloud is up at {cloud.endpoint}")
    if cloud.scheduled:
        step("its schedules start runs by themselves; without --schedule only totes run does")
    fill = ("simulate --orders 100 --for 0",) if "source" in cloud.embedded and not continued else ()
    for command in (*fill, "run", "status", "local down --keep"):
        show(f"    {program()} {command} --state {shlex.quote(str(folder))}", soft_wrap=True)


def cloud_has_stopped(folder: Path) -> None:
    """How a cloud that was stopped goes on."""
    done("the local cloud has stopped; its databases, its lake and its secrets are kept")
    for command, what in (("local up", "continues it"), ("local down", "removes it")):
        show(f"    {program()} {command} --state {shlex.quote(str(folder))}   {what}", soft_wrap=True)


def left_by_a_killed_demo(folder: Path, size: int) -> None:
    """What an earlier demo could not clear away."""
    step(f"Removed {folder}, which a demo that was killed had left ({size / 1e6:,.0f} MB)")


def demo_is_up(cloud: LocalCloud, commands: Sequence[str]) -> None:
    """Where a demo's databases are, and what to try; the passwords end with it."""
    for name, value in (("source", cloud.source_uri), ("warehouse", cloud.warehouse_uri), ("folder", str(cloud.state))):
        show(f"    {name:<9} {value}", soft_wrap=True)
    step("To try, in another terminal:")
    for command in commands:
        show(f"    {command}", soft_wrap=True)


def result(run: RunResult) -> None:
    """What a run came to."""
    if not run.succeeded:
        how = f"✗ the run {run.status.lower().replace('_', ' ')}"
        show(Text.assemble((how, "red"), f" after {run.seconds:.1f} s: {run.error}"))
    elif run.waiting:
        loaded = "nothing yet" if run.batch is None else f"batch {run.batch}"
        done(f"{loaded} is in the warehouse; {GOING_ON} ({run.seconds:.1f} s)")
    elif run.batch is None:
        done(f"nothing changed ({run.seconds:.1f} s)")
    else:
        done(f"batch {run.batch} is in the warehouse ({run.seconds:.1f} s)")
        if any(counts["rows_in"] for counts in run.tables.values()):
            show(_row_counts(run))


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
                _alarming(counts["quarantined"]),
            )
    return table


def report(found: Report) -> None:
    """The state of a deployment."""
    show(report_view(found))


@contextmanager
def watching() -> Iterator[Callable[[Report], None]]:
    """A place on the screen for the state of a deployment, drawn again and again; elsewhere one after the other."""
    if not console.is_terminal:
        yield lambda found: console.print(report_view(found), Text(), sep="\n")
        return
    with Live(console=console, auto_refresh=False) as live:
        yield lambda found: live.update(report_view(found), refresh=True)


def report_view(found: Report) -> RenderableType:
    """The state of a deployment, to be shown once or again and again."""
    parts: list[RenderableType] = [_freshness(found)]
    if found.awaited_login is not None:
        parts.append(_awaited_login(found.awaited_login))
    parts += [*_under_way(found), Text()]
    if found.no_answer is not None:
        return Group(*parts, _no_answer(found.no_answer))
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
        shown = Text("No run has succeeded yet." if found.no_answer is None else "No good run is on record.")
    else:
        pending = f"batches pending: {len(found.pending)}" if found.pending else "no batch waits to be loaded"
        shown = Text(
            f"{_duration(found.lag_seconds)} behind the source, {pending}\n"
            f"last good run: {found.fresh_as_of:%Y-%m-%d %H:%M:%S} UTC"
        )
    if found.failure is not None:
        began = found.failure.began.astimezone(UTC)
        shown.append(f"\n✗ the last run failed ({began:%Y-%m-%d %H:%M:%S} UTC): ", style="red")
        shown.append(found.failure.why)
    return shown


def _awaited_login(login_name: str) -> RenderableType:
    """What to do where nobody has stored a login."""
    ways = [f"totes init {login_name} --admin URI"]
    if login_name == "warehouse":
        ways.append("totes init warehouse, where the warehouse is totes' own")
    return Text.assemble(
        (f"✗ the last run stepped back, for the login of the {login_name} was not filled in: ", "red"),
        complete(
            f"make a role there ({'; '.join(ways)}), or store a login that you are given (totes secrets "
            f"set {login_name})"
        ),
    )


def _no_answer(why: str) -> RenderableType:
    return Text.assemble(("✗ the warehouse does not answer: ", "red"), complete(why))


def _under_way(found: Report) -> Iterator[Text]:
    if found.replaying is not None:
        done, of = found.replaying.done, found.replaying.of
        yield Text(f"a replay from batch {found.replaying.first}: {done:,} of {_batches_of(of)}; {GOING_ON}")
    if found.rebuilding is not None:
        yield Text(f"a rebuild: {found.rebuilding['staged']:,} of {_batches_of(found.rebuilding['of'])}; {GOING_ON}")


def _batches_of(count: int) -> str:
    return "1 batch" if count == 1 else f"{count:,} batches"


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
    show(table)


def quarantined_row(stays: Sequence[QuarantinedRow]) -> None:
    """One row's stays in quarantine, and all its values of the newest."""
    for stay in stays:
        end = "in quarantine still" if stay.resolved_by is None else f"resolved by batch {stay.resolved_by}"
        show(Text(f"batch {stay.batch}, {stay.captured_at:%Y-%m-%d %H:%M} UTC, {end}:", style="dim"))
        show(Text(f"  {stay.reason}"))
    table = Table("source column", "value", box=None, padding=(0, 1), header_style="dim")
    for name, text in stays[0].source_row.items():
        table.add_row(Text(name), Text("NULL", style="dim") if text is None else Text(text))
    show(table)


def verdict(found: Verification) -> None:
    """What a verification found."""
    table = Table("star table", box=None, padding=(0, 1), header_style="dim")
    for heading in ("rows", "missing", "extra", "different", "in flight", "quarantined"):
        table.add_column(heading, justify="right")
    for name, star in found.tables.items():
        table.add_row(
            name,
            f"{star.rows:,}",
            _alarming(star.missing),
            _alarming(star.extra),
            _alarming(star.different),
            f"{star.in_flight:,}",
            f"{star.quarantined:,}",
        )
    show(table)
    if not found.differences:
        done(f"the warehouse is what the source says: {found.rows:,} rows compared")
        return
    how = f"✗ {found.differences:,} of {found.rows:,} rows differ"
    show(Text.assemble((how, "red"), complete("; totes verify --repair repairs them")))
    for name, star in found.tables.items():
        for kind, keys in star.examples.items():
            columns = f" in {', '.join(star.columns)}" if kind == "different" else ""
            show(Text(f"  {name}: {kind}{columns}: {', '.join(keys)}"))


def _drift(found: Report) -> Table:
    table = Table("batch", "what changed in the source's shape", box=None, padding=(0, 1), header_style="dim")
    for shift in found.drift:
        table.add_row(str(shift.batch), Text(shift.what))
    return table


def _alarming(count: int) -> Text:
    return Text(f"{count:,}", style="yellow" if count else "")


def _duration(seconds: float) -> str:
    if seconds < _SHOWN_AS_A_MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def events(counts: Events) -> None:
    """What a shop has done."""
    done(f"the shop made {counts}")
