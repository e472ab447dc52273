"""totes dashboard: what the shop looks at every morning, served on this machine or written as plain files."""

import shlex
import threading
from pathlib import Path
from typing import Annotated

import typer

from command_line.commands import dashboard_users, display
from command_line.commands.target import Environment, Local, State, deployment_of
from command_line.dashboard import export, serving
from totes.errors import UserError

PORT = 8765

app = typer.Typer(invoke_without_command=True)
dashboard_users.add_to(app)


@app.callback()
def dashboard(
    context: typer.Context,
    is_local: Local = False,
    state: State = None,
    environment: Environment = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0: wherever nobody does.")] = PORT,
    to: Annotated[
        Path | None,
        typer.Option("--export", metavar="FOLDER", help="Write page and data there as plain files, and end."),
    ] = None,
) -> None:
    """Serve the dashboard of a local cloud on this machine until Ctrl-C, or write a deployment's as plain files."""
    if context.invoked_subcommand is not None:
        return
    deployment = deployment_of(is_local, state, environment)
    if to is not None:
        with display.progress("Copying the snapshots") as progress:
            files = export(deployment.snapshots, to, progress)
        display.done(f"{files:,} files of data and the page are in {to}; this serves them:")
        display.show(f"  python -m http.server --directory {shlex.quote(str(to))}", soft_wrap=True)
        return
    if deployment.endpoint is None:
        raise UserError(
            "a deployed dashboard is served by CloudFront, to those who sign in; say --local for that of a local "
            "cloud, or --export FOLDER for plain files"
        )
    with serving(deployment.snapshots, port) as address:
        display.done(f"the dashboard is at {address} (Ctrl-C ends it)")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            display.console.print()
