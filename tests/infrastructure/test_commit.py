"""What is deployed is named by its commit, and a synth needs no git for it."""

import re
import subprocess
from pathlib import Path

import aws_cdk as cdk
import pytest

from stacks import config
from stacks.commit import name_commit
from stacks.stack import TotesStack
from tests.support.templates import new_app


def stack(folder: Path, **context: str) -> TotesStack:
    app = new_app(folder / "assembly", validated=False, **context)
    return TotesStack(app, "pipeline", environment=config.named("dev"), description="a stack")


def warnings(of: TotesStack) -> list[str]:
    return [said.data for said in of.node.metadata if said.type == "aws:cdk:warning"]


def named(project: Path, folder: Path, **context: str) -> str | None:
    of = stack(folder, **context)
    name_commit(of, project)
    output = of.node.try_find_child("Commit")
    assert not warnings(of)
    return str(output.value) if isinstance(output, cdk.CfnOutput) else None


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    clone = tmp_path / "clone"
    clone.mkdir()
    (clone / "app.py").write_text("1\n", encoding="utf-8")
    _git(clone, "init", "-q")
    _git(clone, "add", ".")
    _git(clone, "commit", "-qm", "first")
    return clone


def _git(folder: Path, *words: str) -> str:
    said = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@shop.example", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return said.stdout.strip()


def test_a_clones_commit_is_named_and_whether_it_was_changed(clone: Path, tmp_path: Path) -> None:
    commit = _git(clone, "rev-parse", "HEAD")
    assert named(clone, tmp_path) == commit
    (clone / "more.py").write_text("2\n", encoding="utf-8")
    assert named(clone, tmp_path) == f"{commit}-dirty", "a file was added"
    (clone / "more.py").unlink()
    (clone / "app.py").write_text("2\n", encoding="utf-8")
    assert named(clone, tmp_path) == f"{commit}-dirty"


def test_a_hooks_variables_name_no_other_repositorys_commit(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = _git(clone, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "another" / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "another" / ".git" / "index"))
    assert named(clone, tmp_path) == commit


def test_what_is_no_clone_needs_no_git_and_may_be_named(tmp_path: Path) -> None:
    assert named(tmp_path / "project", tmp_path) is None
    assert named(tmp_path / "project", tmp_path, commit="v1") == "v1"


@pytest.mark.parametrize(("path", "said"), [(None, "not a git repository"), ("/nowhere", "No such file.*git")])
def test_where_git_does_not_say_it_a_synth_warns(
    path: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    of = stack(tmp_path)
    if path is not None:
        monkeypatch.setenv("PATH", path)
    name_commit(of, tmp_path)
    assert of.node.try_find_child("Commit") is None
    [warning] = warnings(of)
    assert re.search(f"no output Commit.*{said}.*-c commit=", warning), warning


def test_a_local_cloud_and_a_synth_that_wants_none_have_none(clone: Path, tmp_path: Path) -> None:
    assert named(clone, tmp_path, target="host") is None
    assert named(clone, tmp_path, commit="") is None
