"""totes quarantine: the rows that could not become star rows."""

from typing import Annotated

import typer

from command_line import quarantine
from command_line.commands import quarantine_view
from command_line.commands.runs import run_and_follow
from command_line.commands.target import Environment, Json, Local, State, deployment_of
from totes import payloads

app = typer.Typer(help="The rows that could not become star rows.", no_args_is_help=True)

StarTableName = Annotated[str, typer.Argument(help="The star table.")]


@app.command("list")
def list_quarantine(
    is_local: Local = False, state: State = None, environment: Environment = None, as_json: Json = False
) -> None:
    """Show the rows that are in quarantine, and why."""
    rows = quarantine.open_rows(deployment_of(is_local, state, environment))
    if as_json:
        print(quarantine.to_json(rows))
    else:
        quarantine_view.rows(rows)


# A key may be negative, and "-1" would be an option.
@app.command("show", context_settings={"ignore_unknown_options": True})
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
        quarantine_view.row(stays)


@app.command("retry", context_settings={"ignore_unknown_options": True})
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
    recapture = quarantine.to_recapture(deployment, star_table, keys or [])
    run_and_follow(deployment, {payloads.RECAPTURE: recapture}, as_json=as_json)
