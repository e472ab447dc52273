"""What is deployed is named by its commit, and a synth needs no git for it."""

import subprocess
from pathlib import Path
from unittest.mock import Mock

import pytest

from stacks.commit import commit_to_deploy


def node(**context: str) -> Mock:
    return Mock(try_get_context=context.get)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with a commit and a tag, of which no name is made."""
    (tmp_path / "app.py").write_text("1\n", encoding="utf-8")
    _git(tmp_path, "init", "-q")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-qm", "first")
    _git(tmp_path, "tag", "-am", "a release", "v1")
    return tmp_path


def _git(folder: Path, *words: str) -> str:
    said = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@shop.example", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return said.stdout.strip()


def test_a_clones_commit_is_named_and_whether_it_was_changed(clone: Path) -> None:
    commit = _git(clone, "rev-parse", "HEAD")
    assert commit_to_deploy(node(), clone) == commit
    (clone / "app.py").write_text("2\n", encoding="utf-8")
    assert commit_to_deploy(node(), clone) == f"{commit}-dirty"


def test_what_is_no_clone_needs_no_git_and_may_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert commit_to_deploy(node(), tmp_path) is None
    assert commit_to_deploy(node(commit="v1"), tmp_path) == "v1"
    (tmp_path / ".git").mkdir()
    assert commit_to_deploy(node(), tmp_path) is None, "git knows nothing of it"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit_to_deploy(node(), tmp_path) is None, "there is no git"


def test_a_local_cloud_and_a_synth_that_wants_none_have_none(clone: Path) -> None:
    assert commit_to_deploy(node(target="host"), clone) is None
    assert commit_to_deploy(node(commit=""), clone) is None
