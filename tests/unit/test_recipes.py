"""Every step of docs/extending.md fits the file that it names."""

import pytest

from tests.support.recipes import ROOT, Step, changed_by, recipes

STEPS = [step for recipe in recipes().values() for step in recipe.steps if step.kind != "console"]


def test_every_step_fits_the_file_that_it_names() -> None:
    files: dict[str, str] = {}
    for step in STEPS:
        file = ROOT / step.file
        if step.kind == "python":
            assert not file.exists(), f"docs/extending.md: {step.file} is no new file"
            files[step.file] = step.text
        else:
            files[step.file] = changed_by(step, files.get(step.file) or file.read_text(encoding="utf-8"))


def test_a_step_that_fits_no_longer_is_named() -> None:
    step = Step("stacks/environment.py", "diff", '+new\n name="local"\n')
    with pytest.raises(AssertionError, match=r"docs/extending.md: stacks/environment.py does not have exactly once"):
        changed_by(step, "nothing of it\n")
