"""Doors into a local cloud for other tools: psql, and whatever speaks to AWS."""

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer
from psycopg2.extensions import parse_dsn

from command_line.commands import display
from command_line.commands.target import DEFAULT_STATE, State
from local_cloud import LocalCloud, libpq
from local_cloud.postgres import EmbeddedPostgres
from totes.errors import UserError

_KEYWORDS = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}

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
    others = [f"{name}={value}" for name, value in keywords.items() if name not in _KEYWORDS]
    with libpq.restored():
        theirs = {} if database in running.embedded else libpq.of(os.environ)
    environment = {**os.environ, **theirs, **hidden}
    os.execve(  # noqa: S606 - the project's own program
        program, [str(program), *(["-d", " ".join(others)] if others else []), *(arguments or [])], environment
    )


def env(state: State = None) -> None:
    """Print what a shell needs for aws, boto3 and others to reach the local cloud: eval "$(totes local env)"."""
    running = LocalCloud.attach(state or DEFAULT_STATE)
    print("unset AWS_PROFILE AWS_SESSION_TOKEN")
    for name, value in running.variables().items():
        print(f"export {name}={shlex.quote(value)}")


def to_try(state: Path) -> list[str]:
    """Three commands for somebody who has a shop and a warehouse before them."""
    totes, folder = display.program(), shlex.quote(str(state))
    return [
        f"{totes} psql warehouse --state {folder} -c 'TABLE current_sales_order LIMIT 5'",
        f"{totes} status --state {folder} --watch",
        f'eval "$({totes} local env --state {folder})" && aws s3 ls',
    ]
