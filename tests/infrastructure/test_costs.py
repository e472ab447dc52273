"""What is deployed has a price: the command reads the synthesised templates, and knows every resource in them."""

import json
import re
from pathlib import Path

import pytest

from tests.support.command_line import totes
from tests.support.templates import Synthesised
from workbench.cli.costs import show
from workbench.costs import estimate, read_resources


def test_every_resource_has_a_price_or_is_known_to_be_free(synthesised: Synthesised) -> None:
    unknown = estimate(read_resources(synthesised.folder)).unknown
    assert unknown == [], "write down in workbench/costs what is not known of these"


def test_dev_uses_what_its_schedules_say(dev: Synthesised) -> None:
    lines = {(line.kind, line.charge.price.unit): line for line in estimate(read_resources(dev.folder)).lines}
    assert lines["AWS::StepFunctions::StateMachine", "state transitions"].charge.quantity == 8760 * 12
    assert 3 * 8760 < lines["AWS::Lambda::Function", "requests"].charge.quantity < 3 * 8760 + 200
    assert lines["AWS::S3::Bucket", "GB-months"].count == len(dev.resources("AWS::S3::Bucket"))


def test_the_document_has_the_prices_used_and_adds_up(tmp_path: Path) -> None:
    document = totes("costs", "--env", "prod", "--json", folder=tmp_path).json()
    assert (document["region"], document["prices_as_of"]) == ("eu-west-2", "2026-11-24")
    assert all(line["price_usd"] > 0 for line in document["lines"])
    assert document["usd"] == pytest.approx(sum(line["usd"] for line in document["lines"]), abs=0.01)


def test_the_table_has_the_total_and_what_is_not_in_it(dev: Synthesised, tmp_path: Path) -> None:
    shown = totes("costs", folder=tmp_path).out
    total = estimate(read_resources(dev.folder)).usd
    assert "StepFunctions::StateMachine" in shown
    assert f"dev: {total:,.2f} USD a month\n" in shown
    assert re.search(r"no cost counted for: .*IAM::Role", shown)
    assert "free tiers: none is taken off" in shown


def test_the_table_names_what_is_not_known_and_says_that_the_total_lacks_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = {"Resources": {"Robot": {"Type": "AWS::RoboMaker::Robot"}}}
    (tmp_path / "odd.template.json").write_text(json.dumps(odd))
    show("odd", estimate(read_resources(tmp_path)))
    shown = capsys.readouterr().out
    assert "AWS::RoboMaker::Robot Robot" in shown
    assert "USD a month, and what is not known" in shown


def test_an_environment_that_does_not_exist_is_a_sentence(tmp_path: Path) -> None:
    answer = totes("costs", "--env", "nosuch", folder=tmp_path)
    assert answer.code == 1
    assert "there is no environment 'nosuch'" in answer.err
