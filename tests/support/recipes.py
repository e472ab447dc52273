"""The recipes of docs/extending.md, applied to a copy of the project: their blocks are what a person would type."""

import os
import re
import shlex
import shutil
import subprocess
import sysconfig
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_MADE_HERE = shutil.ignore_patterns(
    *(".git", ".venv", ".totes", ".hypothesis", ".*_cache", ".coverage*"),
    *("build", "cdk.out", "dist", "node_modules"),
)
"""What is no part of the project, but made from it; what Python has compiled is copied too, to be compiled but once."""

_FILE = r"`([\w./-]+/[\w.-]+\.\w+)`"
_BLOCK = re.compile(rf"{_FILE}|^```(\w+)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    """A block of a recipe.

    Attributes:
        file: the file that the recipe has named last before it.
        kind: python or sql, which is the whole of a new file; diff, which is a change of one; or console.
        text: the block.
    """

    file: str
    kind: str
    text: str


@dataclass(frozen=True)
class Recipe:
    """A section of the document.

    Attributes:
        name: its heading.
        steps: its blocks.
        files: the files that it names.
    """

    name: str
    steps: Sequence[Step]
    files: frozenset[str]


def recipes() -> dict[str, Recipe]:
    """The recipes by name, in their order; a section without blocks is none."""
    document = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    _, *sections = re.split(r"^## ", document, flags=re.MULTILINE)
    return {recipe.name: recipe for recipe in map(_recipe, sections) if recipe.steps}


def _recipe(section: str) -> Recipe:
    heading, _, body = section.partition("\n")
    return Recipe(heading, tuple(_steps(body)), frozenset(re.findall(_FILE, body)))


def _steps(body: str) -> Iterator[Step]:
    file = ""
    for found in _BLOCK.finditer(body):
        if found[1]:
            file = found[1]
        else:
            yield Step(file, found[2], found[3])


def written_by(step: Step, before: str | None) -> str:
    """What a file is after a step that writes it.

    Args:
        step: the whole of a new file, or a diff.
        before: the file before it; None where there is none.

    Raises:
        AssertionError: the new file is there, or the file does not have exactly once what the diff changes.
    """
    if step.kind in ("python", "sql"):
        assert before is None, f"docs/extending.md: {step.file} is no new file"
        return step.text
    assert before is not None, f"docs/extending.md: {step.file} is not there"
    text = before
    for hunk in step.text.split("@@\n"):
        lines = [(line[:1], line[1:]) for line in hunk.splitlines(keepends=True)]
        old = "".join(line or "\n" for mark, line in lines if mark != "+")
        new = "".join(line or "\n" for mark, line in lines if mark != "-")
        assert f"\n{text}".count(f"\n{old}") == 1, f"docs/extending.md: {step.file} does not have exactly once\n{old}"
        text = f"\n{text}".replace(f"\n{old}", f"\n{new}")[1:]
    return text


class ProjectCopy:
    """A copy of the project that imports itself, with this environment's packages.

    Args:
        folder: where it is made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT, folder, ignore=_MADE_HERE)
        (folder / "build").mkdir()
        for name in ("build/certificates", "build/layers", "toolchain/node_modules", "dashboard/dist"):
            (folder / name).symlink_to(ROOT / name)
        venv.create(folder / ".venv", symlinks=True)
        self._python = folder / ".venv" / "bin" / "python"
        paths = [folder, folder / "build/certificates/python", folder / "layers/totes/python"]
        [packages] = (folder / ".venv" / "lib").glob("python*/site-packages")
        lines = "\n".join(map(str, [*paths, sysconfig.get_path("purelib")]))
        (packages / "copy.pth").write_text(lines, encoding="utf-8")

    def follow(self, recipe: Recipe, *, leaving_out: Sequence[str] = ()) -> None:
        """Do what a recipe says, but for the steps of some files; what it types at a deployment is not typed."""
        for step in recipe.steps:
            if step.file in leaving_out:
                continue
            if step.kind == "console":
                self._type(step.text)
            else:
                self._write(step)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run Python in the copy, as if no test did."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON"))}
        return subprocess.run(
            [str(self._python), *words], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )

    def changed(self) -> set[str]:
        """The files that are not what the project's are."""
        made = {".venv", "build", "__pycache__", ".pytest_cache", ".ruff_cache"}
        names = {
            file.relative_to(self.folder).as_posix()
            for file in self.folder.rglob("*")
            if file.is_file() and not made & set(file.relative_to(self.folder).parts)
        }
        return {
            name
            for name in names
            if not (ROOT / name).is_file() or (ROOT / name).read_bytes() != (self.folder / name).read_bytes()
        }

    def _type(self, text: str) -> None:
        for line in text.splitlines():
            program, *words = shlex.split(line.removeprefix("$ "))
            if program == "python":
                done = self.run(*words)
                assert done.returncode == 0, f"{line}: {done.stderr}"

    def _write(self, step: Step) -> None:
        file = self.folder / step.file
        before = file.read_text(encoding="utf-8") if file.exists() else None
        file.write_text(written_by(step, before), encoding="utf-8")
