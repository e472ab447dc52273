import json
import re
from pathlib import Path
from typing import Any

from tests.support.templates import ADDRESS, Synthesised

FUNCTIONS = (
    *("raw_data_to_ingestion_bucket", "ingestion_to_processed_bucket", "processed_bucket_to_warehouse"),
    *("verify_warehouse", "sweep_ingestion_bucket", "prepare_warehouse"),
)


def alarms(synthesised: Synthesised) -> dict[str, dict[str, Any]]:
    """The alarms' properties, by their names without the environment's."""
    found = [each["Properties"] for each in synthesised.resources("AWS::CloudWatch::Alarm").values()]
    return {each["AlarmName"].removeprefix(f"totes-{synthesised.name}-"): each for each in found}


def anchors(root: Path) -> set[str]:
    headings = re.findall(r"^## (.+)$", (root / "docs" / "runbook.md").read_text(), flags=re.MULTILINE)
    return {heading.lower().replace(" ", "-") for heading in headings}


def test_there_is_an_alarm_for_everything_that_somebody_must_know(prod: Synthesised) -> None:
    assert set(alarms(prod)) == {
        *("run-failed", "run-timed-out", "run-throttled", "no-success", "dead-letters"),
        *("lag", "quarantine", "verify-difference", "rotation-failed"),
        *(f"function-{kind}-{function}" for kind in ("error", "slow") for function in FUNCTIONS),
    }


def test_every_alarm_ends_in_its_line_of_the_runbook(synthesised: Synthesised, root: Path) -> None:
    for name, alarm in alarms(synthesised).items():
        anchor = re.fullmatch(r".+ What to do: docs/runbook\.md#([a-z-]+)", alarm["AlarmDescription"])
        assert anchor, name
        assert anchor[1] in anchors(root), name


def test_every_line_of_the_runbook_is_some_alarms(prod: Synthesised, root: Path) -> None:
    named = {alarm["AlarmDescription"].rsplit("#", maxsplit=1)[1] for alarm in alarms(prod).values()}
    assert anchors(root) - named == {"disasters"}


def test_every_alarm_tells_the_topic_when_it_goes_off_and_when_all_is_well(synthesised: Synthesised) -> None:
    for name, alarm in alarms(synthesised).items():
        for word in ("AlarmActions", "OKActions"):
            assert [synthesised.said(action) for action in alarm[word]] == ["<Topic>"], (name, word)


def test_where_silence_means_trouble_it_is_taken_for_trouble(prod: Synthesised) -> None:
    breaching = {name for name, alarm in alarms(prod).items() if alarm["TreatMissingData"] == "breaching"}
    assert breaching == {"no-success", "lag"}
    for name in breaching:
        assert alarms(prod)[name]["EvaluationPeriods"] == 3


def test_what_is_never_started_is_never_late(local: Synthesised) -> None:
    assert not {"no-success", "lag"} & set(alarms(local))


def test_slow_is_four_fifths_of_the_time_that_a_function_may_take(prod: Synthesised) -> None:
    for function in FUNCTIONS:
        alarm = alarms(prod)[f"function-slow-{function}"]
        assert alarm["Threshold"] == prod.function(function)["Timeout"] * 1000 * 0.8


def test_the_topic_tells_the_environments_address(prod: Synthesised) -> None:
    told = prod.resources("AWS::SNS::Subscription")
    assert [(each["Properties"]["Protocol"], each["Properties"]["Endpoint"]) for each in told.values()] == [
        ("email", ADDRESS)
    ]


def test_an_environment_that_tells_nobody_says_so_at_every_synth(dev: Synthesised) -> None:
    report = (dev.folder / "validation-report.json").read_text()
    assert "dev has no alarm_email: nobody would be told" in report


def test_the_topic_hears_the_alarms_of_its_own_account_and_all_others_by_tls_only(synthesised: Synthesised) -> None:
    [policy] = synthesised.resources("AWS::SNS::TopicPolicy").values()
    denial, alarms = policy["Properties"]["PolicyDocument"]["Statement"]
    assert (denial["Effect"], denial["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert (alarms["Effect"], alarms["Action"]) == ("Allow", "sns:Publish")
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert synthesised.said(alarms["Resource"]) == "<Topic>"
    assert alarms["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_the_board_shows_every_alarm_and_every_metric(prod: Synthesised) -> None:
    [board] = prod.resources("AWS::CloudWatch::Dashboard").values()
    body = json.dumps(board["Properties"]["DashboardBody"])
    for logical_id in prod.resources("AWS::CloudWatch::Alarm"):
        assert logical_id in body
    for metric in ("LagSeconds", "SecondsSinceSuccess", "Rows", "QuarantinedRows", "Drift", "TimeoutUsedPercent"):
        assert metric in body
