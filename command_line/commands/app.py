"""All commands in one program; what a command does is in the module that it is named after."""

import json
import sys
from dataclasses import asdict
from importlib.metadata import version
from typing import Annotated

import typer

from command_line.commands import alarms, dashboard, display, interrupts, local, quarantine, runs, secrets
from command_line.commands.asking import Yes, confirmed
from command_line.commands.bootstrapping import bootstrap_policy
from command_line.commands.costs import costs
from command_line.commands.demo import Demo
from command_line.commands.simulate import simulate
from command_line.commands.target import DEFAULT_STATE, Environment, Json, Local, State, deployment_of
from command_line.commands.tunnel import tunnel
from command_line.doctor import Doubtful, examine
from command_line.retention import limit_log
from command_line.roles import make_roles
from local_cloud import LocalCloud
from simulator import MOST

app = typer.Typer(
    name="totes",
    help="A shop's PostgreSQL becomes a star-schema warehouse, on AWS or on a laptop.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command(context_settings={"ignore_unknown_options": True})(local.psql)
app.command(context_settings={"ignore_unknown_options": True})(tunnel)
app.command("bootstrap-policy")(bootstrap_policy)
for each in (runs.run, runs.status, runs.verify, runs.rebuild, runs.replay, costs, simulate):
    app.command()(each)
app.add_typer(local.app, name="local")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(secrets.app, name="secrets")
app.add_typer(alarms.app, name="alarms")
app.add_typer(dashboard.app, name="dashboard")


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
    interrupts.end_on_signals()


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Three ticks and a summary, then end.")] = False,
    orders: Annotated[int, typer.Option(min=1, max=MOST, help="Sales orders that the shop has to begin with.")] = 1000,
    seed: Annotated[int, typer.Option(help="What the shop's content and life follow from.")] = 1,
) -> None:
    """Watch a simulated shop's orders reach the warehouse, all on this machine (Ctrl-C ends it)."""
    with Demo.up(orders=orders, seed=seed) as running:
        if once:
            running.three_ticks()
        else:
            running.until_interrupted()


@app.command()
def doctor(
    is_local: Local = False, state: State = None, environment: Environment = None, as_json: Json = False
) -> None:
    """Look at source, warehouse, lake, alarms and disk before a run does; exit 1 if one is not as it should be."""
    deployment = deployment_of(is_local, state, environment)
    in_cloud = LocalCloud.attach(state or DEFAULT_STATE) if deployment.endpoint is not None else None
    findings = []
    for finding in examine(deployment, in_cloud):
        findings.append(finding)
        if not as_json:
            display.finding(finding, doubtful=isinstance(finding, Doubtful))
    if as_json:
        said = [{**asdict(each), "doubtful": isinstance(each, Doubtful)} for each in findings]
        print(json.dumps(said, indent=2))
    if not all(each.good for each in findings):
        sys.exit(1)


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
