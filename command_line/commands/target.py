"""Which deployment a command means, as a person says it."""

from pathlib import Path
from typing import Annotated

import typer

from command_line.deployment import Deployment
from totes.errors import UserError

DEFAULT_STATE = Path(".totes/local")
DEFAULT_ENVIRONMENT = "dev"


def _said(environment: str | None) -> str | None:
    """Refuse the name that a script says whose variable is not set."""
    if environment == "":
        raise UserError("--env names no environment: what stands behind it is empty")
    return environment


Local = Annotated[bool, typer.Option("--local", help="The local cloud instead of an AWS account.")]
State = Annotated[Path | None, typer.Option("--state", help=f"The local cloud's folder (default: {DEFAULT_STATE}).")]
Environment = Annotated[
    str | None,
    typer.Option("--env", callback=_said, help=f"The environment in the AWS account (default: {DEFAULT_ENVIRONMENT})."),
]
EnvironmentName = Annotated[str, typer.Option("--env", callback=_said, help="The environment.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def deployment_of(is_local: bool, state: Path | None, environment: str | None) -> Deployment:
    """The deployment that a command's options name.

    Raises:
        UserError: they name one in the local cloud and one in an account.
    """
    if not is_local and state is None:
        return Deployment.in_account(environment or DEFAULT_ENVIRONMENT)
    if environment is not None:
        raise UserError(
            f"--env {environment} names an environment in an AWS account, and --local and --state the local cloud: "
            "say one of them"
        )
    return Deployment.local(state or DEFAULT_STATE)
