"""Which deployment a command means, as a person says it."""

from pathlib import Path
from typing import Annotated

import typer

from workbench.deployment import Deployment

DEFAULT_STATE = Path(".totes/local")

Local = Annotated[bool, typer.Option("--local", help="The local cloud instead of an AWS account.")]
State = Annotated[Path | None, typer.Option("--state", help=f"The local cloud's folder (default: {DEFAULT_STATE}).")]
Environment = Annotated[str, typer.Option("--env", help="The environment in the AWS account.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def deployment_of(is_local: bool, state: Path | None, environment: str) -> Deployment:
    """The deployment that a command's options name."""
    if is_local or state is not None:
        return Deployment.local(state or DEFAULT_STATE)
    return Deployment.in_account(environment)
