"""A run of tests has a temporary folder of its own, and leaves nothing in it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_TIDY = """
import tempfile
from pathlib import Path

def test_it(tmp_path):
    assert Path(tempfile.gettempdir()).parent == tmp_path.parents[{levels}]
    with tempfile.NamedTemporaryFile():
        pass
"""

_CARELESS = """
import tempfile

def test_it():
    tempfile.mkdtemp(prefix="forgotten-")
"""


def run(folder: Path, test: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a test in a run of its own, whose outer temporary folder is `outer`."""
    (folder / "outer").mkdir()
    (folder / "test_it.py").write_text(test)
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", str(folder)),
            *("-p", "tests.support.run_folder", "-p", "xdist", "-p", "no:cacheprovider"),
            *(*arguments, str(folder / "test_it.py")),
        ],
        # Other plugins take longer to load than the test.
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "TMPDIR": str(folder / "outer")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("levels", "arguments"), [(1, []), (2, ["--numprocesses", "2"])])
def test_what_a_run_makes_is_in_its_folder_and_goes_with_it(tmp_path: Path, levels: int, arguments: list[str]) -> None:
    done = run(tmp_path, _TIDY.format(levels=levels), *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not any((tmp_path / "outer").iterdir())


@pytest.mark.parametrize("arguments", [[], ["--numprocesses", "2"]])
def test_a_run_that_leaves_something_fails_and_names_it(tmp_path: Path, arguments: list[str]) -> None:
    done = run(tmp_path, _CARELESS, *arguments)
    assert done.returncode == 1
    assert "1 passed" in done.stdout
    assert "left in the temporary folder" in done.stdout
    assert "forgotten-" in done.stdout
    assert not any((tmp_path / "outer").iterdir())
