import json
from pathlib import Path
from types import SimpleNamespace

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct

from app import make_stacks
from stacks import config
from stacks.checks import acknowledge, enforce_rules
from tests.support.templates import ADDRESS, Synthesised, new_app

Finding = tuple[str, str]  # rule, construct path


def findings(folder: Path) -> set[Finding]:
    report = json.loads((folder / "validation-report.json").read_text())
    return {
        (violation["ruleName"], construct["constructPath"])
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
        if not violation["ruleName"].startswith("Annotation")  # the app's own warnings
    }


def covers(acknowledged: Finding, found: Finding) -> bool:
    rule, path = acknowledged
    return found[0] == rule and f"{found[1]}/".startswith(f"{path}/")


def test_nothing_is_found_that_is_not_acknowledged(synthesised: Synthesised) -> None:
    assert findings(synthesised.folder) == set()


def test_a_finding_fails_the_synth(tmp_path: Path) -> None:
    app = new_app(tmp_path)
    s3.Bucket(cdk.Stack(app, "careless"), "Public")
    enforce_rules(app)
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    assert ("AwsSolutions-S10", "careless/Public/Resource") in findings(tmp_path)


def test_an_acknowledgement_is_for_its_own_construct_only(tmp_path: Path) -> None:
    app = new_app(tmp_path)
    stack = cdk.Stack(app, "careless")
    acknowledge(s3.Bucket(stack, "One", enforce_ssl=True), "S1", reason="a test")
    s3.Bucket(stack, "Other", enforce_ssl=True)
    enforce_rules(app)
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    assert findings(tmp_path) == {("AwsSolutions-S1", "careless/Other/Resource")}


@pytest.mark.parametrize("name", config.names())
def test_every_acknowledgement_answers_a_finding_that_is_really_there(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    acknowledged: list[Finding] = []
    reasons: list[str] = []

    def record(construct: IConstruct) -> SimpleNamespace:
        def note(acknowledgment: cdk.Acknowledgment) -> None:
            acknowledged.append((acknowledgment.id, construct.node.path))
            reasons.append(acknowledgment.reason)

        return SimpleNamespace(acknowledge=note)

    silenced = SimpleNamespace(Validations=SimpleNamespace(of=record), Acknowledgment=cdk.Acknowledgment)
    monkeypatch.setattr("stacks.checks.cdk", silenced)
    app = new_app(tmp_path, **{"aws:cdk:disable-asset-staging": True})
    environment = config.named(name).telling(ADDRESS)
    monkeypatch.setattr("app.enforce_rules", lambda app: cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app)))
    make_stacks(app, environment)
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()

    found = findings(tmp_path)
    stale = [each for each in acknowledged if not any(covers(each, one) for one in found)]
    unanswered = [one for one in found if not any(covers(each, one) for each in acknowledged)]
    assert stale == []
    assert unanswered == []
    assert all(len(reason.split()) >= 8 for reason in reasons)
