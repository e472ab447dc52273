"""totes secrets: the logins of the databases, without ever showing one."""

import json
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from workbench.cli import display
from workbench.cli.target import Environment, Json, Local, State, deployment_of
from workbench.errors import UserError
from workbench.logins import Logins, LoginState

app = typer.Typer(help="The databases' logins, in Secrets Manager.", no_args_is_help=True)

Role = Annotated[str, typer.Argument(help="source, warehouse or dashboard.")]


@app.command("list")
def list_secrets(
    is_local: Local = False, state: State = None, environment: Environment = "dev", as_json: Json = False
) -> None:
    """Show names and dates, never a value."""
    states = Logins(deployment_of(is_local, state, environment)).all()
    if as_json:
        print(json.dumps([asdict(each) for each in states], default=datetime.isoformat, indent=2))
    else:
        display.console.print(_table(states))


@app.command("set")
def set_secret(
    role: Role,
    host: Annotated[str | None, typer.Option(help="Where the database is [default: asked for].")] = None,
    port: Annotated[int, typer.Option(help="Its port.")] = 5432,
    dbname: Annotated[str | None, typer.Option(help="Its name [default: asked for].")] = None,
    username: Annotated[str | None, typer.Option(help="Who logs in [default: asked for].")] = None,
    sslmode: Annotated[str | None, typer.Option(help="TLS, in libpq's words [default: verify-full].")] = None,
    is_local: Local = False,
    state: State = None,
    environment: Environment = "dev",
) -> None:
    """Ask for a login, try it, and store it if the database takes it; the password is typed unseen or piped in."""
    logins = Logins(deployment_of(is_local, state, environment))
    values: dict[str, Any] = {
        "engine": "postgres",
        "host": host or typer.prompt("host"),
        "port": port,
        "dbname": dbname or typer.prompt("database"),
        "username": username or typer.prompt("user"),
        "password": _password(),
        **({"sslmode": sslmode} if sslmode else {}),
    }
    logins.restore(role)
    logins.store(role, values)
    display.done(f"the login of the {role} works, and is the one that the functions use from now on")


@app.command("test")
def try_secret(role: Role, is_local: Local = False, state: State = None, environment: Environment = "dev") -> None:
    """Log in as the secret says, from where the functions are."""
    Logins(deployment_of(is_local, state, environment)).test(role)
    display.done(f"the {role} takes the login")


@app.command("rotate")
def rotate_secret(role: Role, is_local: Local = False, state: State = None, environment: Environment = "dev") -> None:
    """Give the database and the secret another password, now."""
    Logins(deployment_of(is_local, state, environment)).rotate(role)
    display.done(f"the {role} has another password")


@app.command("delete")
def delete_secret(
    role: Role,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    is_local: Local = False,
    state: State = None,
    environment: Environment = "dev",
) -> None:
    """Give a secret up for deletion in thirty days; totes secrets set takes it back."""
    deployment = deployment_of(is_local, state, environment)
    if not yes and typer.prompt(f"Every run of {deployment.name} will fail. The login's name, to go on") != role:
        raise UserError("nothing was deleted")
    gone = Logins(deployment).delete(role)
    display.done(f"the login of the {role} will be gone for good on {gone:%Y-%m-%d}")


def _password() -> str:
    if sys.stdin.isatty():
        password: str = typer.prompt("password", hide_input=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    if not password:
        raise UserError("a password is needed: type it, or pipe it in as one line")
    return password


def _table(states: list[LoginState]) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="dim")
    for heading in ("login", "secret", "changed", "rotated", "next rotation", ""):
        table.add_column(heading)
    for each in states:
        dates = [f"{moment:%Y-%m-%d}" if moment else "" for moment in (each.changed, each.rotated, each.next_rotation)]
        table.add_row(each.role, each.name, *dates, "[red]given up for deletion[/red]" if each.deleted else "")
    return table
