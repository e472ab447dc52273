"""Makes the comment on a pull request out of what `cdk diff` said of each environment.

`python3 toolchain/diff_comment.py FOLDER ENVIRONMENT...` reads FOLDER/ENVIRONMENT.txt and prints Markdown.
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

MARK = "<!-- cdk diff -->"
"""What the comment begins with, so that a later push finds it."""

LIMIT = 65_536
"""How many characters GitHub takes in a comment."""

_ROOM_FOR_WORDS = 4_000
_NO_DIFF = (
    "There is no diff: this pull request was given no credentials for the account. Pull requests from forks never are. "
    "For others, docs/continuous-deployment.md says how to set up the roles."
)
_CUT = "[... the rest is in the log of the workflow's run]"


def comment(diffs: Mapping[str, str | None]) -> str:
    """Write the comment.

    Args:
        diffs: what `cdk diff` said, by environment; None where it was not asked.

    Returns:
        Markdown, short enough for GitHub.
    """
    room = (LIMIT - _ROOM_FOR_WORDS) // max(len(diffs), 1)
    parts = [
        f"### cdk diff: {name}\n\n{_NO_DIFF if diff is None else _block(diff, room)}" for name, diff in diffs.items()
    ]
    return "\n\n".join([MARK, *parts])


def _block(diff: str, room: int) -> str:
    text = re.sub("^( *)```", r"\1` ``", diff.strip(), flags=re.MULTILINE)  # else it would end the block
    if len(text) > room:
        text = f"{text[:room]}\n{_CUT}"
    return f"```diff\n{text}\n```"


def _read(folder: Path, environment: str) -> str | None:
    file = folder / f"{environment}.txt"
    return file.read_text(encoding="utf-8") if file.exists() else None


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    sys.stdout.write(comment({environment: _read(folder, environment) for environment in sys.argv[2:]}) + "\n")
