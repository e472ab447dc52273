"""An acceptance run: its steps one after the other, from where it was stopped, and the final clean-up."""

import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from command_line.acceptance.bill import bill
from command_line.acceptance.cloud_steps import check_nothing_left
from command_line.acceptance.plan import CLEAN, STEPS, Step
from command_line.acceptance.stage import Stage
from totes.errors import UserError


def accept(stage: Stage, home: Path, command: str) -> Path:
    """Run all steps that are not done yet, and undo them; return the file with times and costs.

    Args:
        stage: the environment and its account.
        home: the run's folder.
        command: by which a person has started it.

    Raises:
        UserError: a step failed or did not hold; the sentence says where to look, and how to go on.
    """
    _refuse_another_source(stage)
    for step in STEPS:
        if stage.record.is_done(step.name):
            stage.say(f"✓ {step.name}: done before")
            continue
        stage.say(f"· {step.name}: {step.does}")
        _attempt(stage, step.name, lambda step=step: _do(stage, step), home, command)  # type: ignore[misc]
        stage.say(f"✓ {step.name} ({stage.record.seconds(step.name):.0f} s)")
    stage.say(f"· {CLEAN}: undo all, and see that nothing is left")
    _attempt(stage, CLEAN, lambda: _undo(stage), home, command)
    table = bill(stage)
    report = home / f"report-{datetime.now(UTC):%Y-%m-%d-%H%M%S}.txt"
    report.write_text(f"{stage.environment} in {stage.account.name}\n\n{table}\n", encoding="utf-8")
    _forget(stage, home)
    stage.say(f"\n{table}")
    return report


def clean(stage: Stage, home: Path, command: str) -> None:
    """Undo what was done, wherever that was stopped, and forget it.

    Raises:
        UserError: something cannot be undone, or is left.
    """
    if stage.record.is_new:
        stage.say(f"nothing was begun in {home}, so there is nothing to clean up")
        return
    stage.say(f"· {CLEAN}: undo what was done, and see that nothing is left")
    _attempt(stage, CLEAN, lambda: _undo(stage), home, command)
    _forget(stage, home)


def _forget(stage: Stage, home: Path) -> None:
    """Delete everything but the log of what was typed, and the reports."""
    stage.record.forget()
    for assembly in home.glob("cdk.out*"):
        shutil.rmtree(assembly)


def _do(stage: Stage, step: Step) -> None:
    step.do(stage)
    step.holds(stage)


def _undo(stage: Stage) -> None:
    if not stage.record.is_done("look"):
        return  # nothing was made yet, and what is there is somebody else's
    for step in reversed(STEPS):
        if stage.record.was_begun(step.name):
            step.undo(stage)
    check_nothing_left(stage)


def _attempt(stage: Stage, name: str, act: Callable[[], None], home: Path, command: str) -> None:
    stage.record.begin(name)
    started = time.monotonic()
    try:
        act()
    except (UserError, BotoCoreError, ClientError) as error:
        raise UserError(
            f"the step {name!r} failed: {error}\n"
            f"All that was typed is in {home / 'log'}. To look: totes status --env {stage.environment}. To go on with "
            f"this step, once the cause is gone: {command}. To clean up and start over: {command} FRESH=yes; to clean "
            f"up alone: {command} CLEAN=yes."
        ) from error
    finally:
        stage.record.spend(name, time.monotonic() - started)
    stage.record.end(name)


def _refuse_another_source(stage: Stage) -> None:
    """Raise UserError if the run began with another source."""
    began_with = stage.record.fact("source")
    if began_with is not None and began_with != stage.source.place:
        raise UserError(
            f"this run began with the source at {began_with}, and now {stage.source.place} is given; say that one, "
            "or clean up first (CLEAN=yes)"
        )
