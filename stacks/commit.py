"""Which commit of the project is deployed: whoever rolls back has to know it."""

import subprocess
from pathlib import Path

from constructs import Node

_PROJECT = Path(__file__).parents[1]


def commit_to_deploy(node: Node, project: Path = _PROJECT) -> str | None:
    """The commit that the app is synthesised from.

    Args:
        node: whose context may name it as `commit`, for example where the project is no clone; "" names none. What a
            local cloud is made of has none either: nobody rolls it back.
        project: the clone. With "-dirty" behind its commit, something in it differs from that.

    Returns:
        None: it is not known.
    """
    named = node.try_get_context("commit")
    if named is not None:
        return str(named) or None
    if node.try_get_context("target") == "host" or not (project / ".git").exists():
        return None
    try:
        asked = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],  # noqa: S607 - the shell's git
            cwd=project,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return asked.stdout.strip()
