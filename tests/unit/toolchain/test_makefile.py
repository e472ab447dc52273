"""What the Makefile's commands are given, whatever the machine of whoever calls them is like."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]


def given(**surroundings: str) -> dict[str, str]:
    """The environment of a command."""
    shown = subprocess.run(
        ["make", "--no-print-directory", "-f", "Makefile", "-f", "-", "shown"],
        cwd=ROOT,
        env={**os.environ, **surroundings},
        input="shown:\n\t@env -0\n",
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return dict(each.split("=", 1) for each in shown.rstrip("\0").split("\0"))


def test_who_has_no_home_that_can_be_written_has_one_for_caches(tmp_path: Path) -> None:
    environment = given(HOME=str(tmp_path / "none"))
    assert environment["HOME"] == str(ROOT / "build/home")
    assert environment["JSII_RUNTIME_PACKAGE_CACHE"] == "disabled"


def test_who_has_one_keeps_it(tmp_path: Path) -> None:
    environment = given(HOME=str(tmp_path))
    assert environment["HOME"] == str(tmp_path)
    assert environment.get("JSII_RUNTIME_PACKAGE_CACHE") == os.environ.get("JSII_RUNTIME_PACKAGE_CACHE")


def test_no_module_of_another_project_comes_first() -> None:
    assert "PYTHONPATH" not in given(PYTHONPATH="/of/another/project")
