"""A call of the cdk CLI that fails says why, by what this call has said."""

from pathlib import Path

import pytest

from local_cloud.cdk import Call
from totes.errors import UserError


def refusal(folder: Path, words: str) -> str:
    """The sentence of a call that says something and fails; all calls add to one log."""
    call = Call("synthesis", ["sh", "-c", f"{words}; exit 1"], folder / "cdk.log", folder, {"PATH": "/usr/bin:/bin"})
    with pytest.raises(UserError) as refused:
        call.finish()
    return str(refused.value)


def test_a_failure_is_reported_in_the_apps_own_sentence(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, "echo 'ValueError: there is no environment nope'")
    assert sentence.startswith("the synthesis failed: there is no environment nope; ")


def test_a_failure_is_not_told_by_what_an_older_call_has_said_in_the_same_log(tmp_path: Path) -> None:
    refusal(tmp_path, "echo 'ValueError: there is no environment nope'")
    sentence = refusal(tmp_path, "echo 'ENOSPC: no space left on device'")
    assert "no environment" not in sentence
    assert sentence.endswith("last it said:\nENOSPC: no space left on device")
    assert "no environment" in (tmp_path / "cdk.log").read_text()


def test_a_call_that_says_nothing_is_not_told_by_an_older_one_either(tmp_path: Path) -> None:
    refusal(tmp_path, "echo 'ValueError: there is no environment nope'")
    assert "no environment" not in refusal(tmp_path, "true")
