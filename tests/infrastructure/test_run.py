import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from stacks import config
from stacks.constructs.invoking import ASLEEP, RETRYABLE
from stacks.constructs.pieces import _KILLED
from tests.support.templates import Synthesised, synthesise
from totes import errors
from totes.outcomes import ANOTHER_RUN, GOING_ON, LOADED, NO_LOGIN, NOTHING_CHANGED

INVOCATIONS = ("Capture", "Transform", "Load")
PIECES = ("Read the pieces", "Transform the pieces")
PUBLICATIONS = ("Publish", *(f"Say that {name} failed" for name in (*INVOCATIONS, *PIECES, "Athena's lists")))


@pytest.fixture(scope="module")
def states(dev: Synthesised) -> dict[str, Any]:
    found: dict[str, Any] = dev.definition()["States"]
    return found


def tasks(states: dict[str, Any]) -> dict[str, Any]:
    """The tasks that a run fails with."""
    return {name: state for name, state in states.items() if state["Type"] == "Task" and name not in PUBLICATIONS}


def successors(state: dict[str, Any]) -> set[str]:
    """Where a state leads to if nothing fails."""
    choices = {choice["Next"] for choice in state.get("Choices", ())}
    return choices | {state[key] for key in ("Next", "Default") if key in state}


def test_every_environment_runs_the_same_definition(dev: Synthesised, prod: Synthesised, local: Synthesised) -> None:
    assert dev.definition() == prod.definition() == local.definition()


def test_a_run_checks_then_ingests_transforms_loads_and_publishes(states: dict[str, Any], dev: Synthesised) -> None:
    assert dev.definition()["StartAt"] == "Look for another run"
    assert {name: successors(state) for name, state in states.items() if successors(state)} == {
        "Look for another run": {"Is another run under way?"},
        "Is another run under way?": {"Step back", "Capture", "The lake alone"},
        "Capture": {"What is in the lake?"},
        "What is in the lake?": {"Read the pieces", "The lake is empty", "Transform"},
        "Read the pieces": {"Capture"},
        "Transform": {"Load"},
        "The lake alone": {"Transform"},
        "Load": {"Publish"},
        "Publish": {"Is anything left?"},
        "Not published": {"Is anything left?"},
        **{f"Say that {name} failed": {f"{name} failed"} for name in (*INVOCATIONS, *PIECES)},
        "Is anything left?": {
            "Transform the pieces",
            "Say that Athena's lists failed",
            "Going on",
            "Loaded",
            "Nothing changed",
        },
        "Say that Athena's lists failed": {"Not listed"},
        "Transform the pieces": {"Nothing more is asked"},
        "Nothing more is asked": {"Transform"},
    }


def test_what_aws_calls_an_error_is_in_the_runbook(root: Path) -> None:
    _, _, after = (root / "docs" / "runbook.md").read_text(encoding="utf-8").partition("## Run failed\n")
    table = after.partition("\n## ")[0]
    of_aws = {name for name in (*RETRYABLE, *ASLEEP, *_KILLED) if "." in name} | {
        "Runtime.OutOfMemory",
        "States.Timeout",
    }
    assert {"Lambda.TooManyRequestsException", "Runtime.ExitError", "Sandbox.Timedout", "Lambda.Unknown"} <= of_aws
    assert [name for name in sorted(of_aws) if f"`{name}`" not in table] == []


def test_each_step_invokes_its_function_and_keeps_what_it_returns(states: dict[str, Any]) -> None:
    assert {name: (states[name]["Resource"], states[name]["ResultPath"]) for name in INVOCATIONS} == {
        "Capture": ("<CaptureFunction.Arn>", "$.capture"),
        "Transform": ("<TransformFunction.Arn>", "$.transform"),
        "Load": ("<LoadFunction.Arn>", "$.load"),
    }


def test_it_asks_for_the_running_executions_of_its_own_state_machine(states: dict[str, Any]) -> None:
    assert states["Look for another run"]["Resource"].endswith(":states:::aws-sdk:sfn:listExecutions")
    assert states["Look for another run"]["Parameters"] == {
        "StateMachineArn.$": "$$.StateMachine.Id",
        "StatusFilter": "RUNNING",
        "MaxResults": 2,
    }
    listed = states["Look for another run"]["ResultSelector"]["listed.$"]
    assert listed == "States.ArrayContains($.Executions[*].ExecutionArn, $$.Execution.Id)"
    condition, *_ = states["Is another run under way?"]["Choices"]
    assert condition == {
        "Or": [
            {"Variable": "$.running", "NumericGreaterThan": 1},
            {
                "And": [
                    {"Variable": "$.listed", "BooleanEquals": False},
                    {"Variable": "$.running", "NumericGreaterThan": 0},
                ]
            },
        ],
        "Next": "Step back",
    }


def test_load_knows_when_the_source_was_seen(states: dict[str, Any]) -> None:
    assert states["Load"]["Parameters"]["seen.$"] == "$.capture.seen"


def test_who_asks_for_the_lake_alone_is_not_kept_waiting_by_a_lost_source(states: dict[str, Any]) -> None:
    _, condition = states["Is another run under way?"]["Choices"]
    assert states["Look for another run"]["ResultSelector"]["asked.$"] == "$$.Execution.Input"
    assert condition["And"] == [
        {"Variable": "$.asked.lake_alone", "IsPresent": True},
        {"Variable": "$.asked.lake_alone", "BooleanEquals": True},
    ]
    assert condition["Next"] == "The lake alone"
    assert (states["The lake alone"]["Result"], states["The lake alone"]["ResultPath"]) == ({"seen": ""}, "$.capture")


def test_pieces_of_a_large_source_are_read_by_many_functions_and_then_captured_together(
    states: dict[str, Any],
) -> None:
    pieces = states["Read the pieces"]
    [asked, *_] = states["What is in the lake?"]["Choices"]
    assert (asked["Variable"], asked["IsPresent"], asked["Next"]) == ("$.capture.unread", True, "Read the pieces")
    assert pieces["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert (pieces["ItemsPath"], pieces["MaxConcurrency"]) == ("$.capture.unread.pieces", 4)
    assert pieces["ItemSelector"] == {
        "execution.$": "$$.Execution.Id",
        "plan.$": "$.capture.unread.plan",
        "piece.$": "$$.Map.Item.Value",
    }
    assert not {"ToleratedFailurePercentage", "ToleratedFailureCount"} & set(pieces)
    assert (pieces["ResultPath"], states["Capture"]["Parameters"]["read.$"]) == ("$.read", "$.read")
    assert states["Look for another run"]["ResultSelector"]["read"] == []


def test_pieces_of_a_large_batch_are_transformed_by_many_functions_and_then_put_together(
    states: dict[str, Any],
) -> None:
    pieces = states["Transform the pieces"]
    [asked, *_] = states["Is anything left?"]["Choices"]
    assert (asked["Variable"], asked["IsPresent"]) == ("$.transform.untransformed", True)
    assert asked["Next"] == "Transform the pieces"
    assert pieces["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert (pieces["ItemsPath"], pieces["MaxConcurrency"]) == ("$.transform.untransformed.pieces", 4)
    assert pieces["ItemSelector"] == {
        "execution.$": "$$.Execution.Id",
        "batch.$": "$.transform.untransformed.batch",
        "piece.$": "$$.Map.Item.Value",
    }
    assert not {"ToleratedFailurePercentage", "ToleratedFailureCount"} & set(pieces)
    assert pieces["ResultPath"] == "$.transformed"
    assert states["Transform"]["Parameters"]["transformed.$"] == "$.transformed"
    assert states["Look for another run"]["ResultSelector"]["transformed"] == []


def test_what_a_person_asks_is_asked_once_though_a_batch_is_transformed_in_pieces(states: dict[str, Any]) -> None:
    assert {states[step]["Parameters"]["asked.$"] for step in INVOCATIONS} == {"$.asked"}
    after = states["Nothing more is asked"]
    assert (after["Result"], after["ResultPath"], after["Next"]) == ({}, "$.asked", "Transform")


@pytest.mark.parametrize(("does", "step", "of"), [("Read", "Capture", "plan"), ("Transform", "Transform", "batch")])
def test_a_piece_that_was_killed_is_done_again_and_one_that_fails_says_its_name(
    states: dict[str, Any], does: str, step: str, of: str
) -> None:
    children = states[f"{does} the pieces"]["ItemProcessor"]["States"]
    task = children[f"{does} a piece"]
    assert task["Resource"] == f"<{step}Function.Arn>"
    assert "Parameters" not in task, "the event of a piece is the input of its execution"
    [retry] = task["Retry"]
    assert {*states[step]["Retry"][1]["ErrorEquals"], "Sandbox.Timedout", "Runtime.ExitError"} <= set(
        retry["ErrorEquals"]
    )
    [catch] = task["Catch"]
    assert (catch["ErrorEquals"], catch["ResultPath"]) == (["States.ALL"], "$.failure")
    assert children[catch["Next"]] == {
        "Type": "Pass",
        "Parameters": {f"{of}.$": f"$.{of}", "piece.$": "$.piece", "error.$": "$.failure.Error"},
        "End": True,
    }


def test_a_run_that_lacked_time_for_all_says_that_the_next_goes_on(states: dict[str, Any]) -> None:
    _, _, first, second = states["Is anything left?"]["Choices"]
    assert [(each["Variable"], each["BooleanEquals"]) for each in first["Or"]] == [
        ("$.transform.waiting", True),
        ("$.load.waiting", True),
    ]
    assert first["Next"] == "Going on"
    assert (second["Variable"], second["NumericGreaterThan"], second["Next"]) == ("$.load.loaded.count", 0, "Loaded")
    assert states["Load"]["Parameters"]["captured.$"] == "$.transform.captured"


def test_every_task_retries_with_full_jitter_and_an_upper_bound(states: dict[str, Any]) -> None:
    assert set(tasks(states)) == {"Look for another run", *INVOCATIONS}
    for state in tasks(states).values():
        *_, retry = state["Retry"]
        assert retry["JitterStrategy"] == "FULL"
        assert retry["BackoffRate"] > 1
        assert 1 <= retry["MaxAttempts"] <= 5
        assert retry["MaxDelaySeconds"] <= 60


@pytest.mark.parametrize("name", [*INVOCATIONS, "Publish"])
def test_a_function_that_has_slept_for_weeks_is_waited_for_for_minutes(states: dict[str, Any], name: str) -> None:
    asleep, _ = states[name]["Retry"]
    assert asleep == {
        "ErrorEquals": [
            "Lambda.ENINotReadyException",
            "Lambda.ResourceConflictException",
            "Lambda.ResourceNotReadyException",
        ],
        "IntervalSeconds": 30,
        "BackoffRate": 1,
        "MaxAttempts": 8,
    }


@pytest.mark.parametrize("name", INVOCATIONS)
def test_all_that_the_library_calls_retryable_is_retried(states: dict[str, Any], name: str) -> None:
    _, retry = states[name]["Retry"]
    assert {each.__name__ for each in errors.RetryableError.__subclasses__()} <= set(retry["ErrorEquals"])


@pytest.mark.parametrize("name", INVOCATIONS)
def test_what_a_person_must_fix_is_not_retried(states: dict[str, Any], name: str) -> None:
    _, retry = states[name]["Retry"]
    permanent = {
        each.__name__ for each in errors.TotesError.__subclasses__() if not issubclass(each, errors.RetryableError)
    }
    assert {"ContractError", "ConfigurationError", "LakeCorrupted"} <= permanent
    assert not {*permanent, "States.ALL", "States.TaskFailed", "States.Timeout"} & set(retry["ErrorEquals"])


def test_every_task_ends_in_a_failure_that_names_step_error_and_cause(states: dict[str, Any]) -> None:
    for name, state in tasks(states).items():
        *_, catch = state["Catch"]
        assert catch["ErrorEquals"] == ["States.ALL"]
        failed = successors(states[catch["Next"]]) if name in INVOCATIONS else {catch["Next"]}
        assert states[failed.pop()] == {
            "Type": "Fail",
            "ErrorPath": f"States.Format('{name}.{{}}', $.failure.Error)",
            "CausePath": "$.failure.Cause",
        }
        assert catch["ResultPath"] == "$.failure"


@pytest.mark.parametrize(("name", "login"), [("Capture", "source"), ("Load", "warehouse")])
def test_a_run_steps_back_while_a_login_is_not_filled_in_yet(states: dict[str, Any], name: str, login: str) -> None:
    catch, _ = states[name]["Catch"]
    assert (catch["ErrorEquals"], catch["Next"]) == (["NotFilledInYet"], f"No login of the {login}")


def test_lambda_ends_a_function_before_the_state_machine_gives_up_on_it(
    states: dict[str, Any], dev: Synthesised
) -> None:
    longest = max(each["Properties"]["Timeout"] for each in dev.resources("AWS::Lambda::Function").values())
    for name in INVOCATIONS:
        assert states[name]["TimeoutSeconds"] > longest
    for name in PUBLICATIONS:
        assert states[name]["TimeoutSeconds"] > dev.function("publish_snapshot")["Timeout"]
    assert dev.definition()["TimeoutSeconds"] > 3 * longest


def test_a_run_ends_with_its_outcome_and_what_each_step_returned(states: dict[str, Any]) -> None:
    every_step = {f"{step}.$": f"$.{step}" for step in ("capture", "transform", "load", "publish")}
    assert {name: state["Parameters"] for name, state in states.items() if state.get("End")} == {
        "Going on": {"outcome": GOING_ON, **every_step},
        "Loaded": {"outcome": LOADED, **every_step},
        "Nothing changed": {"outcome": NOTHING_CHANGED, **every_step},
        "The lake is empty": {"outcome": NOTHING_CHANGED, "capture.$": "$.capture"},
        "Step back": {"outcome": ANOTHER_RUN},
        "No login of the source": {"outcome": NO_LOGIN, "login": "source", "failure.$": "$.failure"},
        "No login of the warehouse": {"outcome": NO_LOGIN, "login": "warehouse", "failure.$": "$.failure"},
    }


def test_the_definition_speaks_the_local_interpreters_language(dev: Synthesised) -> None:
    definition = dev.definition()
    assert definition.get("QueryLanguage", "JSONPath") == "JSONPath"
    assert not [name for name, state in definition["States"].items() if "QueryLanguage" in state]


def test_a_dashboard_that_cannot_be_published_makes_no_run_fail(states: dict[str, Any]) -> None:
    publish, not_published = states["Publish"], states["Not published"]
    assert publish["Resource"] == "<PublishFunction.Arn>"
    assert [(catch["ErrorEquals"], catch["Next"]) for catch in publish["Catch"]] == [(["States.ALL"], "Not published")]
    assert (not_published["Result"], not_published["ResultPath"]) == ({"published": 0}, "$.publish")
    assert "Parameters" not in not_published, "what takes no function of the language needs none to be trusted"
    assert publish["Parameters"] == {
        "execution.$": "$$.Execution.Id",
        "seen.$": "$.capture.seen",
        "waiting.$": "States.Array($.transform.waiting, $.load.waiting)",
    }


@pytest.mark.parametrize("name", INVOCATIONS)
def test_a_run_that_fails_says_so_with_the_snapshot_and_fails_in_any_case(states: dict[str, Any], name: str) -> None:
    caught = states[name]["Catch"][-1]
    told = states[caught["Next"]]
    assert (told["Resource"], told["Parameters"]["failed"], told["ResultPath"]) == ("<PublishFunction.Arn>", name, None)
    assert told["Next"] == f"{name} failed"
    assert [(catch["ErrorEquals"], catch["Next"], catch["ResultPath"]) for catch in told["Catch"]] == [
        (["States.ALL"], f"{name} failed", None)
    ]


def test_a_run_that_could_not_write_athenas_lists_fails_when_all_else_is_done(states: dict[str, Any]) -> None:
    [condition] = [each for each in states["Is anything left?"]["Choices"] if "Athena" in each["Next"]]
    assert condition["And"] == [
        {"Variable": "$.transform.listed", "IsPresent": True},
        {"Variable": "$.transform.listed", "BooleanEquals": False},
    ]
    assert (states["Not listed"]["Type"], states["Not listed"]["Error"]) == ("Fail", "Transform.NotListed")


def test_without_a_dashboard_there_is_none(store: Path) -> None:
    found = synthesise(dataclasses.replace(config.named("dev"), dashboard=False), store)
    assert set(found.templates) == {"network", "data", "pipeline", "watch"}
    assert not {*PUBLICATIONS, "Not published"} & set(found.definition()["States"])
    assert "snapshot" not in json.dumps(found.templates["watch"])
