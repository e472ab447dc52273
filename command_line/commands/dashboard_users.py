"""totes dashboard invite, users, remove, address: who may read the deployed dashboard, and where it is."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from command_line.commands import display
from command_line.commands.asking import Yes, confirmed
from command_line.commands.target import Environment, Json, Local, State, deployment_of
from command_line.dashboard_users import DashboardUsers
from totes.errors import UserError

Email = Annotated[str, typer.Argument(help="The person's e-mail address.")]


def invite(email: Email, is_local: Local = False, state: State = None, environment: Environment = None) -> None:
    """Let somebody read the dashboard: Cognito mails them its address and a password for the first time."""
    deployment = deployment_of(is_local, state, environment)
    again = DashboardUsers(deployment).invite(email)
    where = "totes local mail shows it" if deployment.endpoint is not None else "it comes from Cognito"
    once_more = " once more, with another password" if again else ""
    display.done(f"{email} is invited{once_more}; a mail says where the dashboard is and how to sign in ({where})")


def users(is_local: Local = False, state: State = None, environment: Environment = None, as_json: Json = False) -> None:
    """Show who may read the dashboard."""
    found = DashboardUsers(deployment_of(is_local, state, environment)).all()
    if as_json:
        print(json.dumps([asdict(each) for each in found], default=datetime.isoformat, indent=2))
        return
    if not found:
        display.done("nobody has been invited yet")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("e-mail", "state", "invited (UTC)"):
        table.add_column(column)
    for each in found:
        table.add_row(each.email, each.state, f"{each.invited_at:%Y-%m-%d %H:%M}")
    display.show(table)


def remove(
    email: Email, yes: Yes = False, is_local: Local = False, state: State = None, environment: Environment = None
) -> None:
    """Take somebody's access to the dashboard away."""
    deployment = deployment_of(is_local, state, environment)
    users_of = DashboardUsers(deployment)
    if not confirmed(yes)(f"{email} will not be able to sign in to the dashboard of {deployment.name}"):
        raise UserError("nothing was changed")
    users_of.remove(email)
    display.done(f"{email} is removed; a page that is open goes on for an hour at most")


def address(is_local: Local = False, state: State = None, environment: Environment = None) -> None:
    """Print where the deployed dashboard is."""
    deployment = deployment_of(is_local, state, environment)
    if deployment.endpoint is not None:
        raise UserError("in a local cloud no CloudFront serves the page; totes dashboard does, and says where")
    print(deployment.dashboard_outputs["DashboardAddress"])


def add_to(group: typer.Typer) -> None:
    """Put these commands into a group."""
    for command in (invite, users, remove, address):
        group.command()(command)
