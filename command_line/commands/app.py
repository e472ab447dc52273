"""The commands; each is a few lines over the module that does the work."""

import json
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

import local_cloud
from command_line import quarantine, rebuilding
from command_line.commands import alarms, costs_by_size, dashboard, display, doors, interrupts, secrets
from command_line.commands import costs as costs_display
from command_line.commands.asking import Yes, confirmed
from command_line.commands.bootstrapping import bootstrap_policy
from command_line.commands.demo import Demo
from command_line.commands.target import (
    DEFAULT_ENVIRONMENT,
    DEFAULT_STATE,
    Environment,
    EnvironmentName,
    Json,
    Local,
    State,
    deployment_of,
)
from command_line.commands.teardown import stop, take_down
from command_line.commands.tunnel import tunnel
from command_line.deployment import Deployment
from command_line.doctor import examine
from command_line.execution import run as run_execution
from command_line.logs import log_lines, readable
from command_line.mails import mails_of
from command_line.rebuilding import Rebuilt
from command_line.report import report_on
from command_line.retention import limit_log
from command_line.roles import make_roles
from command_line.synthesis import synthesised
from command_line.verification import Verification, verdict_on
from command_line.verification import repair as repair_it
from costs import Measured, TemplateSet, breaks, by_each_way_out, estimate, read_resources, sized
from costs.measured import DEFAULT as MEASURED
from local_cloud import LocalCloud, libpq
from local_cloud.databases import login, refuse_where_no_shop_is
from local_cloud.folder import StateFolder
from simulator import Shop, build, up_to_yesterday
from totes import payloads
from totes.capture import SOURCE_TABLES
from totes.errors import UserError

_SECONDS_BETWEEN_LOOKS = 5.0

app = typer.Typer(
    name="totes",
    help="A shop's PostgreSQL becomes a star-schema warehouse, on AWS or on a laptop.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
local = typer.Typer(help="The local cloud: the stacks as AWS would run them, on this machine.", no_args_is_help=True)
quarantined = typer.Typer(help="The rows that could not become star rows.", no_args_is_help=True)
app.command(context_settings={"ignore_unknown_options": True})(doors.psql)
app.command(context_settings={"ignore_unknown_options": True})(tunnel)
app.command("bootstrap-policy")(bootstrap_policy)
local.command()(doors.env)
app.add_typer(local, name="local")
app.add_typer(quarantined, name="quarantine")
app.add_typer(secrets.app, name="secrets")
app.add_typer(alarms.app, name="alarms")
app.add_typer(dashboard.app, name="dashboard")

StarTableName = Annotated[str, typer.Argument(help="The star table.")]


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"totes {version('totes')}")
        raise typer.Exit


@app.callback()
def prepare(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Let interrupts end a command."""
    interrupts.heed()


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Three ticks and a summary, then end.")] = False,
    orders: Annotated[int, typer.Option(min=1, help="Sales orders that the shop has to begin with.")] = 1000,
    seed: Annotated[int, typer.Option(help="What the shop's content and life follow from.")] = 1,
) -> None:
    """Watch a simulated shop's orders reach the warehouse, all on this machine (Ctrl-C ends it)."""
    with Demo.up(orders=orders, seed=seed) as running:
        if once:
            running.three_ticks()
        else:
            running.until_interrupted()


@app.command()
def run(
    is_local: Local = False,
    state: State = None,
    environment: Environment = None,
    as_json: Json = False,
    accept_deletes: Annotated[
        list[str] | None,
        typer.Option(metavar="TABLE", help="Source table whose deletes are meant, however many; may be repeated."),
    ] = None,
) -> None:
    """Start one run and follow it, state by state; exit 0 only if it succeeded."""
    if unknown := sorted({*(accept_deletes or ())} - {table.name for table in SOURCE_TABLES}):
        raise UserError(
            f"there is no source table {unknown[0]!r}; name one of {', '.join(table.name for table in SOURCE_TABLES)}"
        )
    asked = {payloads.ACCEPT_DELETES: accept_deletes} if accept_deletes else {}
    _run(deployment_of(is_local, state, environment), asked, as_json=as_json)


@app.command()
def status(
    is_local: Local = False,
    state: State = None,
    environment: Environment = None,
    as_json: Json = False,
    watch: Annotated[bool, typer.Option("--watch", help="Show it again every few seconds, until Ctrl-C.")] = False,
    max_lag: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0.0, help="Exit 1 if the warehouse is further behind.")
    ] = None,
) -> None:
    """Show how fresh the warehouse is, and what waits.

    Exit 1 if the last run failed or had no login, or the warehouse does not answer.
    """
    deployment = deployment_of(is_local, state, environment)
    if watch:
        if as_json:
            raise UserError("--watch is for a screen; leave it out, and call totes status --json again and again")
        _watch(deployment)
        return
    report = report_on(deployment)
    if as_json:
        print(report.to_json())
    else:
        display.report(report)
        if deployment.scheduled:
            display.step("the local cloud's schedules start runs by themselves")
    wrong = (report.failure, report.awaited_login, report.no_answer)
    if any(each is not None for each in wrong) or report.is_later_than(max_lag):
        sys.exit(1)


@app.command()
def doctor(
    is_local: Local = False, state: State = None, environment: Environment = None, as_json: Json = False
) -> None:
    """Look at source, warehouse, lake and disk before a run does; exit 1 if one is not as it should be."""
    deployment = deployment_of(is_local, state, environment)
    in_cloud = LocalCloud.attach(state or DEFAULT_STATE) if deployment.endpoint is not None else None
    findings = []
    for finding in examine(deployment, in_cloud):
        findings.append(finding)
        if not as_json:
            display.finding(finding)
    if as_json:
        print(json.dumps([asdict(each) for each in findings], indent=2))
    if not all(each.good for each in findings):
        sys.exit(1)


@app.command()
def verify(
    is_local: Local = False,
    state: State = None,
    environment: Environment = None,
    as_json: Json = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Repair what differs by runs that capture it again.")
    ] = False,
) -> None:
    """Compare the whole warehouse with the source; exit 0 only if it is equal.

    What is on its way, or in quarantine, is no difference.
    """
    deployment = deployment_of(is_local, state, environment)
    verdict = _verdict(deployment, to_repair=repair, as_json=as_json)
    if verdict.differences and repair:
        if not as_json:
            display.verdict(verdict)
        repair_it(deployment, verdict, display.silent if as_json else display.state)
        verdict = _verdict(deployment, as_json=as_json)
    if as_json:
        print(json.dumps(verdict.document, indent=2))
    else:
        display.verdict(verdict)
    if verdict.differences:
        sys.exit(1)


@app.command()
def rebuild(
    is_local: Local = False, state: State = None, environment: Environment = None, as_json: Json = False
) -> None:
    """Rebuild the warehouse from the lake, by runs that are followed until it is done; needs no source."""
    deployment = deployment_of(is_local, state, environment)
    with _going_on_without_us(), display.follow_rebuilding(shown=not as_json) as (follow, progress):
        rebuilt = rebuilding.rebuild(deployment, follow, progress)
    _show_rebuilt(rebuilt, as_json=as_json)


@app.command()
def replay(
    first: Annotated[int, typer.Option("--from", metavar="BATCH", help="The first batch to transform again.")],
    is_local: Local = False,
    state: State = None,
    environment: Environment = None,
    as_json: Json = False,
) -> None:
    """Transform batches again, after a mistake in a star table was fixed, and load the warehouse again."""
    deployment = deployment_of(is_local, state, environment)
    with _going_on_without_us(), display.follow_rebuilding(shown=not as_json) as (follow, progress):
        rebuilt = rebuilding.replay(deployment, first, follow, progress)
    _show_rebuilt(rebuilt, as_json=as_json)


@app.command()
def init(
    database: Annotated[str, typer.Argument(help="source or warehouse.")],
    admin: Annotated[
        str | None, typer.Option(help="URI of a role that may make roles (default: the own warehouse's master).")
    ] = None,
    role: Annotated[
        str | None,
        typer.Option(help="Name of the role, made with a new password and stored (default: what the secret says)."),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            help="Where the functions reach the database, if --admin leads through a tunnel (default: there)."
        ),
    ] = None,
    port: Annotated[int | None, typer.Option(help="Its port there (default: as in stacks/config.py).")] = None,
    yes: Yes = False,
    is_local: Local = False,
    state: State = None,
    environment: Environment = None,
) -> None:
    """Make the roles that totes uses in a database, each with what it needs and no more; may be repeated.

    It asks before it changes a login that is there.
    """
    deployment = deployment_of(is_local, state, environment)
    roles = make_roles(deployment, database, admin, name=role, host=host, port=port, confirm=confirmed(yes))
    if database == "warehouse":
        limit_log(deployment)
    display.done(f"the {database} has the roles {', '.join(roles)}")


@app.command()
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
        costs_display.show(environment, found, ways_out)


def _costs_by_size(
    environment: str, templates: TemplateSet, orders_a_year: Sequence[int], measured: Measured, *, as_json: bool
) -> None:
    found = [sized(templates, each, measured) for each in sorted(set(orders_a_year))]
    broken = breaks(templates, measured)
    if as_json:
        print(json.dumps(costs_by_size.document(found, broken, measured), indent=2))
    else:
        costs_by_size.show(environment, found, broken, measured)


@app.command()
def simulate(
    source: Annotated[str | None, typer.Option(help="The database's URI (default: the local cloud's source).")] = None,
    state: State = None,
    orders: Annotated[
        int | None, typer.Option(min=1, help="Build the shop with so many sales orders first, in an empty database.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same shop; its last sale is of yesterday.")] = 1,
    rate: Annotated[float, typer.Option(min=0.0, help="Events a second that the shop then lives on with.")] = 2.0,
    writers: Annotated[int, typer.Option(min=1, help="Writers at once.")] = 2,
    seconds: Annotated[
        float | None, typer.Option("--for", min=0.0, help="Seconds to live on; 0: only build (default: until Ctrl-C).")
    ] = None,
) -> None:
    """Build a totesys database from nothing, and let the shop live on."""
    if source is not None:
        uri, theirs = source, True
    else:
        running = LocalCloud.attach(state or DEFAULT_STATE)
        uri, theirs = running.source_uri, "source" not in running.embedded
    with libpq.restored() if theirs else nullcontext():
        _simulate(uri, orders, seed, rate, writers, seconds)


@quarantined.command("list")
def list_quarantine(
    is_local: Local = False, state: State = None, environment: Environment = None, as_json: Json = False
) -> None:
    """Show the rows that are in quarantine, and why."""
    rows = quarantine.open_rows(deployment_of(is_local, state, environment))
    if as_json:
        print(quarantine.to_json(rows))
    else:
        display.quarantine(rows)


@quarantined.command("show")
def show_quarantine(
    star_table: StarTableName,
    key: Annotated[int, typer.Argument(help="The row's key.")],
    is_local: Local = False,
    state: State = None,
    environment: Environment = None,
    as_json: Json = False,
) -> None:
    """Show one row: why it is or was in quarantine, and every value that the source has of it."""
    stays = quarantine.rows_of(deployment_of(is_local, state, environment), star_table, key)
    if as_json:
        print(quarantine.to_json(stays))
    else:
        display.quarantined_row(stays)


@quarantined.command("retry")
def retry_quarantine(
    star_table: Annotated[str | None, typer.Argument(help="The star table (default: all).")] = None,
    keys: Annotated[list[int] | None, typer.Argument(metavar="KEY", help="The rows' keys (default: all).")] = None,
    is_local: Local = False,
    state: State = None,
    environment: Environment = None,
    as_json: Json = False,
) -> None:
    """Read rows from the source and convert them again, after totes or a row that they refer to was fixed."""
    deployment = deployment_of(is_local, state, environment)
    _run(deployment, {payloads.RECAPTURE: quarantine.to_recapture(deployment, star_table, keys or [])}, as_json=as_json)


@local.command()
def up(
    detach: Annotated[bool, typer.Option("--detach", help="Return when the stacks are deployed and ready.")] = False,
    source: Annotated[str | None, typer.Option(help="URI of the source (default: an embedded PostgreSQL).")] = None,
    warehouse: Annotated[
        str | None, typer.Option(help="URI of the warehouse (default: an embedded PostgreSQL).")
    ] = None,
    state: State = None,
    environment: Annotated[
        str | None, typer.Option("--env", help="The environment whose stacks are deployed (default: local).")
    ] = None,
    schedule: Annotated[
        bool, typer.Option("--schedule", help="Let the stacks' schedules start runs, as in AWS.")
    ] = False,
) -> None:
    """Start a local cloud and deploy the stacks into it, or continue the one that has stopped in the folder."""
    folder = state or DEFAULT_STATE
    continued = StateFolder(folder).can_continue
    running = local_cloud.up(
        folder,
        source=source,
        warehouse=warehouse,
        progress=display.step,
        environment=environment,
        tied=not detach,
        lasting=True,
        scheduled=schedule,
    )
    display.cloud_is_up(running, folder, continued=continued)
    if detach:
        return
    try:
        local_cloud.wait(folder)
    except KeyboardInterrupt:
        stop(folder)
    else:
        display.done("the local cloud was ended by another command")


@local.command()
def down(
    state: State = None,
    keep: Annotated[bool, typer.Option("--keep", help="Only stop it; totes local up continues it.")] = False,
) -> None:
    """Stop a local cloud and remove its folder; databases named by URI stay as they are."""
    if keep:
        stop(state or DEFAULT_STATE)
    else:
        take_down(state or DEFAULT_STATE)


@local.command()
def logs(
    function: Annotated[str, typer.Argument(help="The function, as its folder in lambdas/ is called.")],
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what is logged, until Ctrl-C.")] = False,
    since: Annotated[
        float | None, typer.Option(metavar="MINUTES", min=0.0, help="Only of the last so many minutes.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Each line as it was logged, metrics too.")] = False,
    state: State = None,
) -> None:
    """Print what a function has logged in the local cloud."""
    deployment = Deployment.local(state or DEFAULT_STATE)
    age = None if since is None else timedelta(minutes=since)
    with suppress(KeyboardInterrupt):
        for line in log_lines(deployment, function, since=age, follow=follow):
            text = line if as_json else readable(line)
            if text is not None:
                print(text, flush=follow)


def _simulate(uri: str, orders: int | None, seed: int, rate: float, writers: int, seconds: float | None) -> None:
    login(uri, "source")  # it says what is wrong with the way there
    if orders is None:
        refuse_where_no_shop_is(uri)
    else:
        with display.progress("Building the shop") as progress:
            build(uri, orders=orders, seed=seed, progress=progress)
        up_to_yesterday(uri)
        display.done(f"a shop with {orders:,} sales orders")
    if seconds == 0 or rate == 0:
        return
    stop = threading.Event()
    display.done(f"the shop lives on: about {rate:g} events a second by {writers} writers (Ctrl-C ends it)")
    with interrupts.stopping(stop):
        counts = Shop(uri, seed=seed).live(rate, writers, stop, seconds)
    display.events(counts)


def _watch(deployment: Deployment) -> None:
    with suppress(KeyboardInterrupt), display.watching() as show:
        while True:
            show(report_on(deployment))
            time.sleep(_SECONDS_BETWEEN_LOOKS)


@local.command()
def mail(state: State = None, as_json: Json = False) -> None:
    """Show the mails that alarms and invitations have sent in the local cloud, oldest first."""
    sent = mails_of(Deployment.local(state or DEFAULT_STATE))
    if as_json:
        print(json.dumps([asdict(each) for each in sent], default=datetime.isoformat, indent=2))
    else:
        display.mails(sent)


def _verdict(deployment: Deployment, *, to_repair: bool = False, as_json: bool) -> Verification:
    with display.waiting("Comparing", shown=not as_json):
        return verdict_on(deployment, to_repair=to_repair)


@contextmanager
def _going_on_without_us() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise UserError(
            "no longer following, and nothing is stopped: the run under way ends by itself, and every later one, the "
            "schedule's or one of totes run, goes on until all is done; totes status says how far it is"
        ) from None


def _show_rebuilt(rebuilt: Rebuilt, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({**asdict(rebuilt), "seconds": round(rebuilt.seconds, 3)}, indent=2))
    else:
        display.rebuilt(rebuilt)


def _run(deployment: Deployment, asked: Mapping[str, Any], *, as_json: bool) -> None:
    try:
        result = run_execution(deployment, display.silent if as_json else display.state, asked)
    except KeyboardInterrupt:
        raise UserError(
            "no longer following, and nothing is stopped: the run goes on and ends by itself; totes status says how "
            "it ended"
        ) from None
    if as_json:
        print(result.to_json())
    else:
        display.result(result)
    if not result.succeeded:
        sys.exit(1)
