"""totes secrets: the logins of the databases, without ever showing one."""

import json
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from command_line.authorities import certificates_in
from command_line.commands import display
from command_line.commands.asking import Yes, confirmed, typed_name
from command_line.commands.target import Environment, Json, Local, State, deployment_of
from command_line.logins import Logins, LoginState, known_login
from command_line.visible import Text
from totes.errors import UserError
from totes.tls import PEM

app = typer.Typer(help="The databases' logins, in Secrets Manager.", no_args_is_help=True)

_PORT = 5432

LoginName = Annotated[
    str, typer.Argument(metavar="LOGIN", callback=known_login, help="source, warehouse or dashboard.")
]


@app.command("list")
def list_secrets(
    is_local: Local = False, state: State = None, environment: Environment = None, as_json: Json = False
) -> None:
    """Show names and dates, never a value."""
    states = Logins(deployment_of(is_local, state, environment)).all()
    if as_json:
        print(json.dumps([asdict(each) for each in states], default=datetime.isoformat, indent=2))
    else:
        display.show(_table(states))


@app.command("set")
def set_secret(
    login_name: LoginName,
    host: Annotated[str | None, typer.Option(help="Where the database is (default: asked for).")] = None,
    port: Annotated[int | None, typer.Option(help="Its port (default: the stored one).")] = None,
    dbname: Annotated[str | None, typer.Option(help="Its name (default: asked for).")] = None,
    username: Annotated[str | None, typer.Option(help="Who logs in (default: asked for).")] = None,
    sslmode: Annotated[str | None, typer.Option(help="TLS, in libpq's words (default: verify-full).")] = None,
    sslrootcert: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Its authority's certificates, in PEM (default: the stored ones, or RDS's)."),
    ] = None,
    is_local: Local = False,
    state: State = None,
    environment: Environment = None,
) -> None:
    """Ask for a login, try it, and store it if the database takes it; the password is typed unseen or piped in.

    Where only port or TLS are said, for the stored host and user, an empty password keeps the stored one.
    """
    authority = {} if sslrootcert is None else {PEM: certificates_in(sslrootcert)}
    logins = Logins(deployment_of(is_local, state, environment))
    stored = logins.current(login_name)
    host = host or _asked("host", stored.get("host"))
    if host != stored.get("host"):
        stored = {}
    values: dict[str, Any] = {
        "engine": "postgres",
        "port": _PORT,
        **stored,
        "host": host,
        **({"port": port} if port else {}),
        **({"sslmode": sslmode} if sslmode else {}),
        **authority,
        "dbname": dbname or _asked("database", stored.get("dbname")),
        "username": username or _asked("user", stored.get("username")),
    }
    # totes init makes passwords that no person knows.
    is_known = bool(port or sslmode or sslrootcert) and not (dbname or username)
    if password := _password(may_be_empty=is_known and values["username"] == stored.get("username")):
        values["password"] = password
    logins.restore(login_name)
    logins.store(login_name, values)
    display.done(f"the login of the {login_name} works, and is the one that the functions use from now on")


@app.command("test")
def try_secret(
    login_name: LoginName, is_local: Local = False, state: State = None, environment: Environment = None
) -> None:
    """Log in as the secret says, from where the functions are."""
    Logins(deployment_of(is_local, state, environment)).test(login_name)
    display.done(f"the {login_name} takes the login")


@app.command("rotate")
def rotate_secret(
    login_name: LoginName,
    yes: Yes = False,
    is_local: Local = False,
    state: State = None,
    environment: Environment = None,
) -> None:
    """Give the database and the secret another password, now; only of a role that totes has made.

    On a server that is not totes' own it asks first.
    """
    deployment = deployment_of(is_local, state, environment)
    logins = Logins(deployment)
    logins.check_own(login_name)
    if not deployment.owns(login_name):
        place = logins.current(login_name)
        question = (
            f"the password of {place['username']} on {place['host']}, a server that is not totes' own, will be known "
            f"to {deployment.name} alone"
        )
        if not confirmed(yes)(question):
            raise UserError("nothing was changed")
    logins.rotate(login_name)
    display.done(f"the {login_name} has another password")


@app.command("delete")
def delete_secret(
    login_name: LoginName,
    yes: Yes = False,
    is_local: Local = False,
    state: State = None,
    environment: Environment = None,
) -> None:
    """Schedule the deletion of a secret, in thirty days; totes secrets set takes it back."""
    deployment = deployment_of(is_local, state, environment)
    who = "Whoever reads the warehouse by it" if login_name == "dashboard" else f"Every run of {deployment.name}"
    if not typed_name(yes, f"{who} will fail", login_name):
        raise UserError("nothing was changed")
    gone = Logins(deployment).delete(login_name)
    display.done(f"the login of the {login_name} will be gone for good on {gone:%Y-%m-%d}")


def _asked(what: str, stored: str | None) -> str:
    """Ask, and offer what is stored; where nobody can answer, take what is stored.

    Raises:
        UserError: nobody can answer and nothing is stored, as after totes secrets delete.
    """
    if not sys.stdin.isatty():
        if stored is None:
            raise UserError(f"no {what} is known: say --host, --dbname and --username, and pipe the password in")
        return stored
    answer: str = typer.prompt(what, default=stored)
    return answer


def _password(*, may_be_empty: bool = False) -> str:
    if not sys.stdin.isatty():
        password = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
    elif may_be_empty:
        password = typer.prompt("password (empty: the stored one)", hide_input=True, default="", show_default=False)
    else:
        password = typer.prompt("password", hide_input=True)
    if not (password or may_be_empty):
        raise UserError("a password is needed: type it, or pipe it in as one line")
    return password


def _table(states: list[LoginState]) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="dim")
    for heading in ("login", "secret", "changed", "rotated", "next rotation", ""):
        table.add_column(heading)
    for each in states:
        dates = [f"{moment:%Y-%m-%d}" if moment else "" for moment in (each.changed, each.rotated, each.next_rotation)]
        table.add_row(
            each.login_name, each.name, *dates, Text("scheduled for deletion" if each.deleted else "", style="red")
        )
    return table
