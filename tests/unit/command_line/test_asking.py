"""What is not easily undone is done only when a person has said so."""

import pytest

from command_line.commands.asking import confirmed, typed_name
from totes.errors import UserError

SENTENCE = "Every run of environment dev will fail"


def test_who_has_said_yes_is_not_asked() -> None:
    assert confirmed(yes=True)(SENTENCE)
    assert typed_name(yes=True, sentence=SENTENCE, name="source")


def test_nothing_is_asked_where_nobody_can_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    refusal = f"{SENTENCE}; nothing was changed, add --yes to go on"
    with pytest.raises(UserError, match=refusal):
        confirmed(yes=False)(SENTENCE)
    with pytest.raises(UserError, match=refusal):
        typed_name(yes=False, sentence=SENTENCE, name="source")


@pytest.mark.parametrize(("typed", "goes_on"), [("source", True), ("warehouse", False)])
def test_a_name_has_to_be_typed_as_it_is(typed: str, *, goes_on: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.prompt", lambda sentence: typed if sentence.startswith(SENTENCE) else None)
    assert typed_name(yes=False, sentence=SENTENCE, name="source") is goes_on
