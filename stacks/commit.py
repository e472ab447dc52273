"""Which commit of the project is deployed: whoever rolls back has to know it."""

import os
import subprocess
from pathlib import Path

import aws_cdk as cdk

from stacks.stack import TotesStack

_PROJECT = Path(__file__).parents[1]

_OF_ANOTHER = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY")
"""Variables by which git takes another repository for that of the folder; a hook has them."""


def name_commit(stack: TotesStack, project: Path = _PROJECT) -> None:
    """Give a stack the output `Commit`: the commit that the app is synthesised from.

    With "-dirty" behind it something differs from that commit, or was added. Where git does not say it, the CDK warns
    that there is no such output.

    Args:
        stack: the stack, whose context may name the commit as `commit`, for example where the project is no clone; ""
            names none. What a local cloud is made of has none either: nobody rolls it back.
        project: the clone.
    """
    named = stack.node.try_get_context("commit")
    if named is None:
        is_local = stack.node.try_get_context("target") == "host"
        named = None if is_local or not (project / ".git").exists() else _asked(stack, project)
    if named:
        stack.output({"Commit": str(named)})


def _asked(stack: TotesStack, project: Path) -> str | None:
    try:
        commit = _git(project, "rev-parse", "HEAD")
        return f"{commit}-dirty" if _git(project, "status", "--porcelain") else commit
    except (OSError, subprocess.CalledProcessError) as error:
        said = " ".join((error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)).split())
        warning = f"there is no output Commit: git does not say what is deployed ({said}); name it, -c commit=COMMIT"
        cdk.Annotations.of(stack).add_warning_v2("totes:commit-unknown", warning)
        return None


def _git(project: Path, *words: str) -> str:
    said = subprocess.run(  # noqa: S603 - words of our own
        ["git", *words],  # noqa: S607 - the shell's git
        cwd=project,
        env={name: value for name, value in os.environ.items() if name not in _OF_ANOTHER},
        capture_output=True,
        text=True,
        check=True,
    )
    return said.stdout.strip()
