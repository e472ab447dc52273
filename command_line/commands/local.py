"""totes local, and totes psql: a local cloud, from its start to its end, and how other tools reach it."""

import json
import os
import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from psycopg2.extensions import make_dsn, parse_dsn

import local_cloud
from command_line.commands import display
from command_line.commands.target import DEFAULT_STATE, Json, State
from command_line.commands.teardown import stop, take_down
from command_line.deployment import Deployment
from command_line.logs import log_lines, readable
from command_line.mails import Mail, mails_of
from command_line.visible import Text
from local_cloud import LocalCloud, libpq
from local_cloud.folder import StateFolder
from local_cloud.postgres import EmbeddedPostgres
from totes.errors import UserError

app = typer.Typer(help="The local cloud: the stacks as AWS would run them, on this machine.", no_args_is_help=True)

_KEYWORDS = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}

_TEN_YEARS = 5_256_000
"""Minutes; a moment that lies much further back has no date."""

Passed = Annotated[list[str] | None, typer.Argument(metavar="ARGUMENT", help="Further arguments of psql.")]


def psql(
    database: Annotated[str, typer.Argument(help="source or warehouse.")], arguments: Passed = None, state: State = None
) -> None:
    """Open a database of the local cloud in psql; options that totes does not know are passed on to psql."""
    running = LocalCloud.attach(state or DEFAULT_STATE)
    uris = {"source": running.source_uri, "warehouse": running.warehouse_uri}
    if database not in uris:
        raise UserError(f"there is no database {database!r}; there are {', '.join(uris)}")
    program = EmbeddedPostgres(running.state).binaries / "psql"
    keywords = parse_dsn(uris[database])
    # By variables, for everybody on the machine sees what a process was called with.
    hidden = {_KEYWORDS[name]: value for name, value in keywords.items() if name in _KEYWORDS}
    others = make_dsn(**{name: value for name, value in keywords.items() if name not in _KEYWORDS})
    with libpq.restored():
        theirs = {} if database in running.embedded else libpq.of(os.environ)
    environment = {**os.environ, **theirs, **hidden}
    os.execve(  # noqa: S606 - the project's own program
        program, [str(program), *(["-d", others] if others else []), *(arguments or [])], environment
    )


@app.command()
def env(state: State = None) -> None:
    """Print what a shell needs for aws, boto3 and others to reach the local cloud: eval "$(totes local env)"."""
    running = LocalCloud.attach(state or DEFAULT_STATE)
    print("unset AWS_PROFILE AWS_SESSION_TOKEN")
    for name, value in running.variables().items():
        print(f"export {name}={shlex.quote(value)}")


@app.command()
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
        say=display.step,
        environment=environment,
        ends_with_caller=not detach,
        persistent=True,
        scheduled=schedule,
    )
    _show_cloud(running, folder, continued=continued)
    if detach:
        return
    try:
        local_cloud.wait(folder)
    except KeyboardInterrupt:
        stop(folder)
    else:
        display.done("the local cloud was ended by another command")


def _show_cloud(cloud: LocalCloud, folder: Path, *, continued: bool) -> None:
    """Show where a local cloud is, without passwords, and what to do with it."""
    display.done(f"the local cloud is up at {cloud.endpoint}")
    if cloud.scheduled:
        display.step("its schedules start runs by themselves; without --schedule only totes run does")
    fill = ("simulate --orders 100 --for 0",) if "source" in cloud.embedded and not continued else ()
    for command in (*fill, "run", "status", "local down --keep"):
        display.show(f"    {display.program()} {command} --state {shlex.quote(str(folder))}", soft_wrap=True)


@app.command()
def down(
    state: State = None,
    keep: Annotated[bool, typer.Option("--keep", help="Only stop it; totes local up continues it.")] = False,
) -> None:
    """Stop a local cloud and remove its folder; databases named by URI stay as they are."""
    if keep:
        stop(state or DEFAULT_STATE)
    else:
        take_down(state or DEFAULT_STATE)


@app.command()
def logs(
    function: Annotated[str, typer.Argument(help="The function, as its folder in lambdas/ is called.")],
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what is logged, until Ctrl-C.")] = False,
    since: Annotated[
        float | None, typer.Option(metavar="MINUTES", min=0.0, max=_TEN_YEARS, help="Only of the last so many minutes.")
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


@app.command()
def mail(state: State = None, as_json: Json = False) -> None:
    """Show the mails that alarms and invitations have sent in the local cloud, oldest first."""
    sent = mails_of(Deployment.local(state or DEFAULT_STATE))
    if as_json:
        print(json.dumps([asdict(each) for each in sent], default=datetime.isoformat, indent=2))
    else:
        _show_mails(sent)


def _show_mails(sent: Sequence[Mail]) -> None:
    """Show the mails that a local cloud would have sent."""
    if not sent:
        display.done("no mail was sent")
    for mail in sent:
        display.console.print(Text(f"{mail.sent_at:%Y-%m-%d %H:%M:%S} UTC  to {mail.to}", style="dim"))
        display.console.print(Text(mail.subject, style="bold"))
        display.console.print(Text(f"{mail.text}\n"))


def to_try(state: Path) -> list[str]:
    """Three commands for somebody who has a shop and a warehouse before them."""
    totes, folder = display.program(), shlex.quote(str(state))
    return [
        f"{totes} psql warehouse --state {folder} -c 'TABLE current_sales_order LIMIT 5'",
        f"{totes} status --state {folder} --watch",
        f'eval "$({totes} local env --state {folder})" && aws s3 ls',
    ]
