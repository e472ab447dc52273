"""What is deployed has a price: the command reads the synthesised templates, and knows every resource in them."""

import json
import re
from pathlib import Path

import pytest

from tests.support.command_line import Answer, totes
from tests.support.templates import Synthesised
from workbench.costs import estimate, read_resources


def ask(project: Path, *options: str) -> Answer:
    """The command, typed in a folder that has a cdk.out."""
    return totes("costs", *options, folder=project)


@pytest.fixture
def project(tmp_path: Path, dev: Synthesised) -> Path:
    """A folder with the real templates of dev, and an environment with something that nobody has heard of."""
    (tmp_path / "cdk.out" / "odd").mkdir(parents=True)
    (tmp_path / "cdk.out" / "dev").symlink_to(dev.folder)
    odd = {"Resources": {"Robot": {"Type": "AWS::RoboMaker::Robot"}}}
    (tmp_path / "cdk.out" / "odd" / "odd.template.json").write_text(json.dumps(odd))
    return tmp_path


def test_every_resource_has_a_price_or_is_known_to_be_free(synthesised: Synthesised) -> None:
    unknown = estimate(read_resources(synthesised.folder)).unknown
    assert unknown == [], "write down in workbench/costs what is not known of these"


def test_dev_uses_what_its_schedules_say(dev: Synthesised) -> None:
    lines = {(line.kind, line.charge.price.unit): line for line in estimate(read_resources(dev.folder)).lines}
    assert lines["AWS::StepFunctions::StateMachine", "state transitions"].charge.quantity == 8760 * 12
    assert 3 * 8760 < lines["AWS::Lambda::Function", "requests"].charge.quantity < 3 * 8760 + 100
    assert lines["AWS::S3::Bucket", "GB-months"].count == len(dev.resources("AWS::S3::Bucket"))


def test_the_document_has_the_prices_used_and_adds_up(project: Path) -> None:
    document = json.loads(ask(project, "--env", "dev", "--json").out)
    assert (document["region"], document["prices_as_of"]) == ("eu-west-2", "2026-11-24")
    assert all(line["price_usd"] > 0 for line in document["lines"])
    assert document["usd"] == pytest.approx(sum(line["usd"] for line in document["lines"]), abs=0.01)


def test_the_table_has_the_total_and_what_is_not_in_it(project: Path) -> None:
    shown = ask(project).out
    total = json.loads(ask(project, "--json").out)["usd"]
    assert "StepFunctions::StateMachine" in shown
    assert f"dev: {total:,.2f} USD a month\n" in shown
    assert re.search(r"no cost counted for: .*IAM::Role", shown)
    assert "free tiers: none is taken off" in shown


def test_the_table_names_what_is_not_known_and_says_that_the_total_lacks_it(project: Path) -> None:
    shown = ask(project, "--env", "odd").out
    assert "AWS::RoboMaker::Robot Robot" in shown
    assert "USD a month, and what is not known" in shown


def test_without_templates_the_command_says_what_to_do(project: Path) -> None:
    answer = ask(project, "--env", "prod")
    assert answer.code == 1
    assert "cdk.out/prod; run make synth" in answer.err
