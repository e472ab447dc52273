"""What an acceptance run has done: a file, so that the next one goes on."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from totes.errors import UserError


class Record:
    """The steps of a run, and what later ones have to know of earlier ones; no password is in it.

    Args:
        path: the file.
        account: which account and region the run is in.
    """

    def __init__(self, path: Path, account: str) -> None:
        self._path = path
        try:
            self._document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            self._document = {"account": account, "steps": {}, "facts": {}}
        if self._document["account"] != account:
            raise UserError(
                f"the run in {path} is in {self._document['account']}, and these credentials are of {account}: finish "
                "it there, or clean up after it (CLEAN=yes)"
            )

    @property
    def is_new(self) -> bool:
        """Whether nothing was begun yet."""
        return not self._document["steps"]

    def fact(self, name: str, default: Any = None) -> Any:
        """What was noted; the default where nothing was."""
        return self._document["facts"].get(name, default)

    def note(self, name: str, fact: Any) -> None:
        """Note what later steps have to know."""
        self._document["facts"][name] = fact
        self._write()

    def was_begun(self, step: str) -> bool:
        """Whether a step was begun, and so may have done something."""
        return step in self._document["steps"]

    def is_done(self, step: str) -> bool:
        """Whether a step has come to its end and held."""
        return self.was_begun(step) and self._document["steps"][step]["ended"] is not None

    def is_under_way(self, step: str) -> bool:
        """Whether a step was begun and has not come to its end."""
        return self.was_begun(step) and not self.is_done(step)

    def begin(self, step: str) -> None:
        """Note that a step begins."""
        entry = self._document["steps"].setdefault(step, {"began": _now(), "seconds": 0.0, "attempts": 0})
        entry |= {"ended": None, "attempts": entry["attempts"] + 1}
        self._write()

    def spend(self, step: str, seconds: float) -> None:
        """Note how long an attempt took."""
        self._document["steps"][step]["seconds"] += seconds
        self._write()

    def end(self, step: str) -> None:
        """Note that a step held."""
        self._document["steps"][step]["ended"] = _now()
        self._write()

    def seconds(self, step: str) -> float:
        """How long a step took, all its attempts together."""
        return float(self._document["steps"][step]["seconds"])

    def attempts(self, step: str) -> int:
        """How often a step was begun."""
        return int(self._document["steps"][step]["attempts"])

    def between(self, first: str, last: str) -> float:
        """Seconds from a step's beginning to another's end, which is now where it has none."""
        steps = self._document["steps"]
        until = steps.get(last, {}).get("ended") or _now()
        return (datetime.fromisoformat(until) - datetime.fromisoformat(steps[first]["began"])).total_seconds()

    def forget(self) -> None:
        """Keep nothing of the run."""
        self._path.unlink(missing_ok=True)
        self._document |= {"steps": {}, "facts": {}}

    def _write(self) -> None:
        unfinished = self._path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(self._document, indent=2), encoding="utf-8")
        unfinished.rename(self._path)


def _now() -> str:
    return datetime.now(UTC).isoformat()
