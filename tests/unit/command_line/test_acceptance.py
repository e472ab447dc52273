"""An acceptance run waits for what AWS says only a moment later."""

from typing import cast
from unittest.mock import Mock

import pytest

from command_line.acceptance import data_steps
from command_line.acceptance.shell import Answer
from command_line.acceptance.source import BROKEN_TABLE
from command_line.acceptance.stage import Stage
from totes.errors import UserError

WELL = Answer(code=0, out="fresh", err="")
FAILED = Answer(code=1, out=f"the last run failed: {BROKEN_TABLE} may not be read", err="")


def stage(*answers: Answer) -> Stage:
    """A stage on which totes status says one thing after the other, and then the last for ever."""
    left = [*answers]
    found = Mock(spec=Stage, shell=Mock(), account=Mock(local=None))
    found.shell.try_totes.side_effect = lambda *_: left.pop(0) if len(left) > 1 else left[0]
    found.check.side_effect = lambda holds, sentence: Stage.check(found, holds, sentence)
    return cast("Stage", found)


def test_a_failed_run_is_on_the_list_a_moment_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_steps, "_SECONDS_BETWEEN_LOOKS", 0.0)
    data_steps.check_it_told(stage(WELL, WELL, FAILED))


def test_one_that_does_not_come_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_steps, "_SECONDS_BETWEEN_LOOKS", 0.0)
    monkeypatch.setattr(data_steps, "_STATUS_SECONDS", 0.0)
    with pytest.raises(UserError, match="totes status says that all is well"):
        data_steps.check_it_told(stage(WELL))
