"""Of an alarm or an environment that is added, no step is forgotten; docs/extending.md has them."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SNAPSHOTS = ROOT / "tests" / "infrastructure" / "snapshots"

CODE = (ROOT / "stacks" / "constructs" / "alarms.py").read_text(encoding="utf-8")
ALARMS = re.findall(r'_Rule\(\s*name="([\w-]+)"', CODE)
CONFIGURATION = (ROOT / "stacks" / "config.py").read_text(encoding="utf-8")
ENVIRONMENTS = [name for name in re.findall(r'Environment\(\s*name="([\w-]+)"', CONFIGURATION) if name != "local"]


def test_the_alarms_and_environments_are_found() -> None:
    assert {"run-failed", "quarantine", "warehouse-storage"} <= set(ALARMS)
    assert {"dev", "prod"} <= set(ENVIRONMENTS)


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_is_in_the_runbook(alarm: str) -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    heading = alarm.capitalize().replace("-", " ")
    assert heading.lower() in map(str.lower, headings), f"docs/runbook.md lacks the line of {alarm}: ## {heading}"


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_is_set_off_by_a_fault_of_its_own(alarm: str) -> None:
    """Those of AWS's own metrics are set off together there."""
    if not alarm.startswith("warehouse-"):
        test = "tests/end_to_end/test_alarms.py"
        assert f'"{alarm}"' in (ROOT / test).read_text(encoding="utf-8"), f"{test} never sets off {alarm}"


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_is_in_the_snapshots(alarm: str) -> None:
    snapshot = (SNAPSHOTS / "prod" / "watch.json").read_text(encoding="utf-8")
    assert f'"AlarmName": "totes-prod-{alarm}"' in snapshot, (
        f"tests/infrastructure/snapshots/prod/watch.json lacks the alarm {alarm}: make snapshots"
    )


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_is_in_the_snapshots(environment: str) -> None:
    folder = f"tests/infrastructure/snapshots/{environment}"
    assert (ROOT / folder / "pipeline.json").exists(), f"{folder} lacks the templates of {environment}: make snapshots"


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_alarms_are_paid_for(environment: str) -> None:
    stacks = (file.read_text(encoding="utf-8") for file in (SNAPSHOTS / environment).glob("*.json"))
    count = sum(stack.count('"Type": "AWS::CloudWatch::Alarm"') for stack in stacks)
    document = (ROOT / "docs" / "costs.md").read_text(encoding="utf-8")
    told = document.partition(f"$ totes costs --env {environment}\n")[2]
    assert re.search(r"CloudWatch::Alarm +(\d+)", told)[1] == str(count), (  # type: ignore[index] # it is there
        f"docs/costs.md: put there what totes costs --env {environment} says now"
    )
