"""totes bootstrap-policy: what CloudFormation may do, for `cdk bootstrap` to be given."""

import json
from pathlib import Path
from typing import Annotated

import typer

from command_line.bootstrapping import boundary, policies
from command_line.commands import display
from command_line.commands.target import DEFAULT_ENVIRONMENT, EnvironmentName
from command_line.synthesis import synthesised

_FOLDER = Path(".totes/policies")


def bootstrap_policy(
    into: Annotated[Path, typer.Option("--into", metavar="DIR", help="The folder that they are written to.")] = _FOLDER,
    environment: EnvironmentName = DEFAULT_ENVIRONMENT,
) -> None:
    """Write the policies with which CloudFormation deploys an environment, and no more, and its roles' boundary."""
    with synthesised(environment, ("bounded=true",)) as templates:
        made = [boundary(templates, environment), *policies(templates, environment)]
    into.mkdir(parents=True, exist_ok=True)
    for policy in made:
        file = into / f"{policy.name}.json"
        file.write_text(json.dumps(json.loads(policy.document), indent=1) + "\n", encoding="utf-8")
        display.done(f"{file} is the policy {policy.name}")
