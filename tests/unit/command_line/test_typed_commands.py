"""A command that a sentence names is one that can be typed: of the deployment that the person has named."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.main import get_command

from command_line.commands.app import app
from command_line.typed_commands import OF_A_DEPLOYMENT, OF_A_LOCAL_CLOUD, completed, named_by


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        ("status", ""),
        ("status --env dev-alice --json", "--env dev-alice"),
        ("status --env=prod", "--env prod"),
        ("status --local", "--local"),
        ("status --local --state here", "--state here"),
        ("local up --env prod --state here", "--state here"),
        ("tunnel --env prod -- psql --state odd", "--env prod"),
    ],
)
def test_a_command_line_names_its_deployment(typed: str, named: str) -> None:
    assert named_by(typed.split()) == named


def test_a_folder_with_a_blank_is_quoted() -> None:
    assert named_by(["run", "--state", "our shop"]) == "--state 'our shop'"


@pytest.mark.parametrize(
    ("said", "options", "shown"),
    [
        ("totes run", "--env prod", "totes run --env prod"),
        ("(totes secrets set source)", "--env prod", "(totes secrets set --env prod source)"),
        ("totes init makes a role", "--local", "totes init --local makes a role"),
        ("totes status and totes run", "--env a", "totes status --env a and totes run --env a"),
        ("totes run --accept-deletes payment", "--state x", "totes run --state x --accept-deletes payment"),
        ("totes run", "", "totes run"),
        ("the totes running here", "--env prod", "the totes running here"),
        ("totes local down removes it", "--state x", "totes local down --state x removes it"),
        ("totes local down removes it", "--local", "totes local down removes it"),
        ("/opt/totes run", "--env prod", "/opt/totes run"),
        ("deploy it (cdk deploy --all)", "--env dev-alice", "deploy it (cdk deploy --all -c env=dev-alice)"),
        ("deploy it (cdk deploy --all)", "--env prod", "deploy it (cdk deploy --all -c env=prod)"),
        ("deploy it (cdk deploy --all)", "--state x", "deploy it (cdk deploy --all)"),
    ],
)
def test_a_sentence_is_completed(said: str, options: str, shown: str) -> None:
    assert completed(said, options) == shown


@pytest.mark.parametrize("options", ["--env prod-bob", "--state x", "--local"])
def test_a_command_that_names_its_deployment_stays_as_it_is(options: str) -> None:
    once = completed("totes run, totes psql warehouse, or cdk deploy --all, or totes verify --repair", options)
    assert completed(once, options) == once
    said = "totes dashboard --local serves it, and totes run --env dev runs"
    assert completed(said, options) == said


def leaves(group: typer.core.TyperGroup, *before: str) -> Iterator[tuple[str, set[str]]]:
    """Each command and its options."""
    for name, command in group.commands.items():
        options = {option for parameter in command.params for option in parameter.opts}
        if not isinstance(command, typer.core.TyperGroup) or command.invoke_without_command:
            yield " ".join((*before, name)), options
        if isinstance(command, typer.core.TyperGroup):
            yield from leaves(command, *before, name)


def test_every_command_that_names_a_deployment_is_known() -> None:
    group: Any = get_command(app)
    known = dict(leaves(group))
    assert {name for name, options in known.items() if {"--env", "--local", "--state"} <= options} == OF_A_DEPLOYMENT
    assert {
        name for name, options in known.items() if "--state" in options and "--local" not in options
    } == OF_A_LOCAL_CLOUD
