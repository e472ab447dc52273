"""What a person sees of the state of a deployment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table

from command_line.commands import display
from command_line.run_history import RUNS_LOOKED_AT
from command_line.status import Status
from command_line.visible import Text
from totes.outcomes import GOING_ON
from totes.star import STAR_TABLES


def show(found: Status) -> None:
    """Show the state of a deployment."""
    display.show(view(found))


@contextmanager
def watching() -> Iterator[Callable[[Status, str | None], None]]:
    """Show states of a deployment: at a terminal in one place, elsewhere one after the other.

    The function's second argument says why a newer look has failed; None: it has not.
    """
    if not display.console.is_terminal:
        yield lambda found, missed: display.show(Group(view(found) if missed is None else _missed(missed), Text()))
        return
    with Live(console=display.console, auto_refresh=False) as live:

        def update(found: Status, missed: str | None) -> None:
            live.update(view(found) if missed is None else Group(view(found), _missed(missed)), refresh=True)

        yield update


def _missed(why: str) -> RenderableType:
    return Text.assemble(("✗ the state is not known now, and is asked for again: ", "red"), display.complete(why))


def view(found: Status) -> RenderableType:
    """Return the state of a deployment in the form in which it is shown."""
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


def _freshness(found: Status) -> Text:
    pending = f"batches pending: {len(found.pending)}" if found.pending else "no batch waits to be loaded"
    if found.fresh_as_of is None or found.lag_seconds is None:
        shown = Text(f"{pending}\n")
    else:
        shown = Text(f"{display.duration(found.lag_seconds)} behind the source, {pending}\n")
        # A batch is captured a moment after its run began: that is no news. That the warehouse holds less now is.
        if found.last_success is None or found.fresh_as_of < found.last_success:
            shown.append(f"the warehouse holds all that the source had at {_moment(found.fresh_as_of)} UTC\n")
    if found.last_success is None:
        shown.append(f"No good run is on record (of the last {RUNS_LOOKED_AT}).")
    else:
        shown.append(f"last good run: {_moment(found.last_success)} UTC")
    if found.failure is not None:
        shown.append(f"\n✗ the last run failed ({_moment(found.failure.began)} UTC): ", style="red")
        shown.append(found.failure.why)
    return shown


def _awaited_login(login_name: str) -> RenderableType:
    """What to do where nobody has stored a login."""
    ways = [f"totes init {login_name} --admin URI"]
    if login_name == "warehouse":
        ways.append("totes init warehouse, where the warehouse is totes' own")
    return Text.assemble(
        (f"✗ the last run stepped back, for the login of the {login_name} was not filled in: ", "red"),
        display.complete(
            f"make a role there ({'; '.join(ways)}), or store a login that you are given (totes secrets "
            f"set {login_name})"
        ),
    )


def _no_answer(why: str) -> RenderableType:
    return Text.assemble(("✗ the warehouse does not say what it holds: ", "red"), display.complete(why))


def _under_way(found: Status) -> Iterator[Text]:
    if found.under_way is not None:
        yield Text(f"a run is under way since {_moment(found.under_way)} UTC")
    if found.replaying is not None:
        finished, total = found.replaying.done, found.replaying.of
        columns = ", ".join(found.replaying.unknown)
        next_one = f"it is to have {columns} and waits for the totes that has begun it" if columns else GOING_ON
        yield Text(f"a replay from batch {found.replaying.first}: {finished:,} of {_batches_of(total)}; {next_one}")
    if found.rebuilding is not None:
        yield Text(f"a rebuild: {found.rebuilding['staged']:,} of {_batches_of(found.rebuilding['of'])}; {GOING_ON}")


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _time_or_moment(at: datetime) -> str:
    """The time alone would be taken for one of today."""
    return f"{at.astimezone(UTC):%H:%M:%S}" if at.astimezone(UTC).date() == datetime.now(UTC).date() else _moment(at)


def _batches_of(count: int) -> str:
    return "1 batch" if count == 1 else f"{count:,} batches"


def _tables(found: Status) -> Table:
    table = Table("star table", box=None, padding=(0, 1), header_style="dim")
    for heading in ("rows", "versions", "last batch", "quarantined"):
        table.add_column(heading, justify="right")
    for star in STAR_TABLES:
        line = found.tables[star.name]
        batch = "" if line.last_batch is None else str(line.last_batch)
        table.add_row(star.name, f"{line.rows:,}", f"{line.versions:,}", batch, display.alarming(line.quarantined))
    return table


def _batches(found: Status) -> Table:
    table = Table("batch", box=None, padding=(0, 1), header_style="dim")
    table.add_column("captured (UTC)", no_wrap=True)
    table.add_column("loaded after", no_wrap=True)
    for heading in ("rows in", "versions", "deleted", "quarantined"):
        table.add_column(heading, justify="right")
    for batch in found.batches:
        table.add_row(
            str(batch.batch),
            _time_or_moment(batch.captured_at),
            display.duration((batch.loaded_at - batch.captured_at).total_seconds()),
            f"{batch.rows_in:,}",
            f"{batch.versions:,}",
            f"{batch.deleted:,}",
            display.alarming(batch.quarantined),
        )
    return table


def _quarantine(found: Status) -> Table:
    table = Table("quarantine", "key", "batch", "reason", box=None, padding=(0, 1), header_style="dim")
    for row in found.quarantine:
        table.add_row(row.star_table, str(row.key), str(row.batch), Text(row.reason))
    return table


def _drift(found: Status) -> Table:
    table = Table("batch", "what changed in the source's shape", box=None, padding=(0, 1), header_style="dim")
    for shift in found.drift:
        table.add_row(str(shift.batch), Text(shift.what))
    return table
