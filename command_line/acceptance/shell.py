"""The commands of an acceptance run, typed as a person types them."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command_line.acceptance.account import Account
from local_cloud import cdk
from local_cloud.assemblies import KeptAssembly
from totes.errors import UserError

_TAIL_LINES = 15


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a command has printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """The last of what it has printed."""
        return "\n".join(f"{self.out}\n{self.err}".strip().splitlines()[-_TAIL_LINES:])

    def json(self) -> Any:
        """The document that it has printed."""
        return json.loads(self.out)


RunTotes = Callable[[Sequence[str], Mapping[str, str]], Answer]
"""Runs a command of totes with these environment variables, and waits for its end."""


class Shell:
    """Where commands are typed.

    Args:
        account: the one that the commands are about.
        home: the run's folder; `log` there has every command and what it said.
        base: "dev" or "prod".
        suffix: with it the environment is the run's own.
        say: called with each command.
        run_totes: runs a command of totes.
    """

    def __init__(
        self,
        *,
        account: Account,
        home: Path,
        base: str,
        suffix: str,
        say: Callable[[str], None],
        run_totes: RunTotes | None = None,
    ) -> None:
        self._account = account
        self._home = home
        self._words = (f"env={base}", f"suffix={suffix}", f"alarm_email={account.alarm_email}", *account.context)
        self._environment = f"{base}-{suffix}"
        self._say = say
        self._run_totes = run_totes or _typed

    def try_totes(self, *words: str) -> Answer:
        """Run a command of totes, for the run's environment, that may well fail."""
        target = () if words[0] in {"simulate", "local"} else ("--env", self._environment)
        command = [str(Path(sys.executable).with_name("totes")), *words, *target]
        return self._heard("totes", [*words, *target], lambda: self._run_totes(command, self._variables()))

    def totes(self, *words: str) -> Answer:
        """Run a command of totes; raise UserError if it fails."""
        answer = self.try_totes(*words)
        if answer.code != 0:
            raise UserError(f"{self._shown('totes', words)} failed:\n{answer.said}")
        return answer

    def try_cdk(self, *words: str) -> Answer:
        """Run a command of the cdk CLI, of whatever folder, that may well fail."""
        local = self._account.local
        variables = cdk.variables_for_aws() if local is None else cdk.variables_for_local(local.endpoint)
        # Elsewhere than in the project the CLI finds no app, and so does not synthesise it once more.
        return self._heard("cdk", words, lambda: _typed(cdk.command(*words), variables, self._home))

    def cdk(self, *words: str) -> Answer:
        """Run a command of the cdk CLI; raise UserError if it fails."""
        answer = self.try_cdk(*words)
        if answer.code != 0:
            raise UserError(f"{self._shown('cdk', words)} failed:\n{answer.said}")
        return answer

    def assembly(self, *context: str) -> Path:
        """Synthesise the environment's stacks; return the folder that they are in.

        Raises:
            UserError: the app refuses its context.
        """
        settings = tuple(word for each in (*self._words, *context) for word in ("--context", each))
        kept = KeptAssembly(cdk.PROJECT, (*settings, self._account.region))
        folder = self._home / "-".join(("cdk.out", *(word.partition("=")[0] for word in context)))
        shutil.rmtree(folder, ignore_errors=True)
        if not kept.copy_to(folder):
            words = ("synth", "--all", "--quiet", *settings, "--output", str(folder))
            of_aws = self._account.local is None
            variables = cdk.variables_for_aws() if of_aws else cdk.variables_for_local(None)
            answer = self._heard("cdk", words, lambda: _typed(cdk.command(*words), variables))
            if answer.code != 0:
                raise UserError(f"the stacks were not synthesised:\n{answer.said}")
            kept.keep(folder)
        cdk.share_zipped_assets(folder)
        return folder

    def _variables(self) -> dict[str, str]:
        credentials = self._account.credentials
        if credentials is None:
            return dict(os.environ)
        return {**{name: value for name, value in os.environ.items() if not name.startswith("AWS_")}, **credentials}

    def _heard(self, program: str, words: Sequence[str], act: Callable[[], Answer]) -> Answer:
        shown = self._shown(program, words)
        self._say(shown)
        answer = act()
        with (self._home / "log").open("a", encoding="utf-8") as log:
            log.write(f"$ {shown}\n{answer.out}{answer.err}[{answer.code}]\n\n")
        return answer

    def _shown(self, program: str, words: Sequence[str]) -> str:
        """A command as it may be shown: the source's URI has a password in it."""
        hidden = ['"$SOURCE_ADMIN"' if word == self._account.source else shlex.quote(word) for word in words]
        return " ".join((program, *hidden))


def _typed(command: Sequence[str], variables: Mapping[str, str], folder: Path = cdk.PROJECT) -> Answer:
    ended = subprocess.run(  # noqa: S603 - the project's own tools with our own words
        command, cwd=folder, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return Answer(code=ended.returncode, out=ended.stdout, err=ended.stderr)
