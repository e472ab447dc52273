"""Every step of docs/extending.md fits the file that it names."""

import pytest

from tests.support.recipes import ROOT, Step, recipes, written_by

STEPS = [step for recipe in recipes().values() for step in recipe.steps if step.kind != "console"]


def test_every_step_fits_the_file_that_it_names() -> None:
    files: dict[str, str | None] = {}
    for step in STEPS:
        file = ROOT / step.file
        there = file.read_text(encoding="utf-8") if file.exists() else None
        files[step.file] = written_by(step, files.get(step.file, there))


def test_a_step_that_fits_no_longer_is_named() -> None:
    step = Step("stacks/environment.py", "diff", '+new\n name="local"\n')
    with pytest.raises(AssertionError, match=r"docs/extending.md: stacks/environment.py does not have exactly once"):
        written_by(step, "nothing of it\n")
