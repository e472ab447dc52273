"""What was synthesised is taken again as long as nothing that it follows from has changed, and never longer."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local_cloud.assemblies import KeptAssembly

CONTEXT = ("--context", "env=dev")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name in ("app.py", "cdk.json", "stacks/data.py", "lambdas/one/handler.py", "layers/totes/python/totes/tick.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """What the CLI has made."""
    folder = tmp_path / "made"
    (folder / "asset.1").mkdir(parents=True)
    (folder / "asset.1" / "handler.py").write_text("1")
    (folder / "manifest.json").write_text("{}")
    return folder


def kept(project: Path, context: tuple[str, ...] = CONTEXT) -> bool:
    folder = project.parent / "state" / "cdk.out"
    folder.parent.mkdir(exist_ok=True)
    return KeptAssembly(project, context).copy_to(folder)


def test_it_is_taken_again_whole(project: Path, made: Path, tmp_path: Path) -> None:
    assert not kept(project)
    KeptAssembly(project, CONTEXT).keep(made)
    assert kept(project)
    assert (tmp_path / "state" / "cdk.out" / "asset.1" / "handler.py").read_text() == "1"
    assert sorted(entry.name for entry in (tmp_path / "state").iterdir()) == ["cdk.out"]


@pytest.mark.parametrize(
    "name",
    [
        "app.py",
        "cdk.json",
        "cdk.context.json",
        "stacks/data.py",
        "lambdas/one/handler.py",
        "layers/totes/python/totes/tick.py",
        "stacks/new.py",
        "build/certificates/bundle.pem",
        "toolchain/package-lock.json",
        "toolchain/python.lock",
    ],
)
def test_it_is_not_taken_once_a_source_has_changed(name: str, project: Path, made: Path) -> None:
    KeptAssembly(project, CONTEXT).keep(made)
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text("changed")
    assert not kept(project)


def test_it_is_not_taken_for_another_context(project: Path, made: Path) -> None:
    KeptAssembly(project, CONTEXT).keep(made)
    assert not kept(project, ("--context", "env=prod"))


def test_it_is_not_kept_where_a_source_has_changed_meanwhile(project: Path, made: Path) -> None:
    before = KeptAssembly(project, CONTEXT)
    (project / "app.py").write_text("changed")
    before.keep(made)
    assert not kept(project)


def test_of_a_context_the_newest_is_kept(project: Path, made: Path) -> None:
    KeptAssembly(project, CONTEXT).keep(made)
    KeptAssembly(project, ("--context", "env=prod")).keep(made)
    (project / "app.py").write_text("changed")
    KeptAssembly(project, CONTEXT).keep(made)
    assert len(list((project / "build" / "assemblies").iterdir())) == 2
    assert kept(project)


def test_no_half_of_one_that_is_just_removed_is_taken(
    project: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = KeptAssembly(project, CONTEXT)
    older.keep(made)
    (project / "app.py").write_text("changed")
    remove: Callable[..., None] = os.rmdir
    begun: list[Any] = []
    taken: list[bool] = []

    def take_meanwhile(folder: Any, **where: Any) -> None:
        """Another process takes the older one as a folder in it is empty and about to go."""
        if Path(folder).name == "asset.1" and not begun:
            begun.append(folder)
            taken.append(older.copy_to(tmp_path / "taken"))
        remove(folder, **where)

    newer = KeptAssembly(project, CONTEXT)
    monkeypatch.setattr(os, "rmdir", take_meanwhile)
    newer.keep(made)
    assert taken == [False]
    assert not (tmp_path / "taken").exists()
    assert len(list((project / "build" / "assemblies").iterdir())) == 1
