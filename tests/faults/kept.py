"""What a soak has come to so far, in a file: one that is stopped goes on where it was."""

import hashlib
import json
from collections import Counter
from pathlib import Path

from tests.faults.random_faults import Report

_ROOT = Path(__file__).parents[2]
_PLAYED = ("layers", "lambdas", "simulator", "tests/faults", "tests/support")


def code() -> str:
    """Return the SHA-256 of what a soak plays, and plays with: what one version of them has shown, no other has."""
    digest = hashlib.sha256()
    modules = (file for folder in _PLAYED for file in (_ROOT / folder).rglob("*.py"))
    for file in sorted([_ROOT / "toolchain" / "python.lock", *modules]):
        digest.update(f"{file.relative_to(_ROOT).as_posix()}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


class Kept:
    """A file of lines of JSON: a head, then a line for each seed whose world was played to its end."""

    def __init__(self, file: Path, head: dict[str, object]) -> None:
        """Name the file, and the head without which what it holds does not count."""
        self._file = file
        self._head = json.dumps(head)

    def so_far(self) -> dict[int, Report]:
        """Return the report of each seed that was played; begin the file again where its head is another.

        A last line that was cut off while it was written is left out of the file too.
        """
        try:
            head, *lines, _cut_off = self._file.read_text(encoding="utf-8").split("\n")
        except (FileNotFoundError, ValueError):
            head, lines = "", []
        if head != self._head:
            lines = []
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text("".join(f"{line}\n" for line in [self._head, *lines]), encoding="utf-8")
        told = [json.loads(line) for line in lines]
        return {line["seed"]: Report(**line["report"] | {"faults": Counter(line["report"]["faults"])}) for line in told}

    def add(self, seed: int, report: Report) -> None:
        """Keep the report of one more seed."""
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"seed": seed, "report": vars(report)}) + "\n")

    def forget(self) -> None:
        """Remove the file: the soak has come to its end."""
        self._file.unlink(missing_ok=True)
