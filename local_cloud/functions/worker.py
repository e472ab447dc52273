"""One process of a function: started, given one event at a time, watched, ended."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from local_cloud.functions import platform_lines
from local_cloud.functions.forks import Fork, Forking
from local_cloud.functions.package import CodeStore, Package
from local_cloud.functions.runtime import Runtime
from local_cloud.functions.runtime_api import Answer, Invocation, RuntimeApi
from local_cloud.network import Network
from local_cloud.processes import ProcessRegister, memory_of

Log = Callable[[str, str, Sequence[str]], None]
"""Takes a log group, a log stream and lines."""

Assume = Callable[[Package], "Credentials"]
"""Takes a package; gives credentials of a session of its role."""

_START_SECONDS = 60.0
_LOOK_SECONDS = 0.05
_MIB = 1024 * 1024


@dataclass(frozen=True)
class Credentials:
    """What a worker signs its requests with; the words are AWS's."""

    access_key_id: str
    secret_access_key: str
    session_token: str


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the workers of a cloud share.

    Attributes:
        endpoint: of AWS, as a URL.
        runtime: interpreter and runtime client.
        codes: the unpacked zips of functions.
        layers: the unpacked zips of layers.
        processes: where every process is noted.
        log: where output goes.
        assume: gives a worker the credentials of its role.
        scratch: a folder for a folder of each worker.
        forking: what their processes are forked from; None: each is a new interpreter.
        network: the network that some of them are in; None: there is none.
    """

    endpoint: str
    runtime: Runtime
    codes: CodeStore
    layers: CodeStore
    processes: ProcessRegister
    log: Log
    assume: Assume
    scratch: Path
    forking: Forking | None = None
    network: Network | None = None


class Worker:
    """A process that runs a package; it is started at once and takes one event at a time.

    Attributes:
        package: what it runs.
    """

    def __init__(self, package: Package, surroundings: Surroundings) -> None:
        self.package = package
        self._surroundings = surroundings
        identity = uuid.uuid4().hex
        self._stream = f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{identity}"
        self._folder = surroundings.scratch / identity
        self._folder.mkdir(parents=True)
        self._output = self._folder / "output"
        self._output.touch()
        self._read = 0
        self._peak = 0
        self._api = RuntimeApi()
        self._at_work = threading.Lock()
        self._started = time.monotonic()
        try:
            self._process = self._start()
            try:
                self._surroundings.processes.add(self._process.pid)
            except BaseException:
                self._kill()
                raise
        except BaseException:
            self._clear()
            raise

    @property
    def is_alive(self) -> bool:
        """Whether it can take another event."""
        return self._process.poll() is None

    def invoke(self, event: bytes) -> Answer:
        """Run the function on an event; a worker that does not survive it says so by `is_alive`."""
        with self._at_work:
            request_id = str(uuid.uuid4())
            self._peak = 0
            start_ms = None if self._api.asked else self._wait_for_start()
            self._log(*platform_lines.at_start(self.package, request_id))
            began = time.monotonic()
            answer = self._run(request_id, event) if self._api.asked else self._failed_start(request_id)
            self._report(request_id, (time.monotonic() - began) * 1000, start_ms)
            return answer

    def stop(self) -> None:
        """End the process and whatever it has started; an invocation that is under way fails."""
        self._kill()
        with self._at_work:
            self._surroundings.processes.remove(self._process.pid)
            self._clear()

    def _clear(self) -> None:
        self._api.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> subprocess.Popen[bytes] | Fork:
        task = self._surroundings.codes.unpacked(self.package.code)
        # A layer covers those before it, as it would if all were unpacked into /opt one after the other.
        unpacked = self._surroundings.layers.unpacked
        layers = [unpacked(layer) / "python" for layer in reversed(self.package.layers)]
        site = Path("lib", f"python{sys.version_info.major}.{sys.version_info.minor}", "site-packages")
        shared = (*layers, *(layer / site for layer in layers), *self._surroundings.runtime.folders)
        path = [task, *shared]
        if self._surroundings.forking is not None:
            return self._surroundings.forking.of(shared).start(
                folder=task,
                path=path,
                variables=self._environment(task, path),
                output=self._output,
                handler=self.package.handler,
            )
        with self._output.open("ab") as output:
            return subprocess.Popen(  # noqa: S603 - the interpreter that runs this very program
                [*self._surroundings.runtime.command, self.package.handler],
                cwd=task,
                env=self._environment(task, path),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _environment(self, task: Path, path: Sequence[Path]) -> dict[str, str]:
        """What Lambda sets, and nothing of the environment that the cloud itself runs in."""
        package = self.package
        credentials, network = self._surroundings.assume(package), self._surroundings.network
        return {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "HOME": str(self._folder),
            "TMPDIR": str(self._folder),
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "PYTHONUNBUFFERED": "1",
            "LAMBDA_TASK_ROOT": str(task),
            "_HANDLER": package.handler,
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "AWS_LAMBDA_FUNCTION_NAME": package.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(package.memory_mb),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": package.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self._stream,
            "AWS_LAMBDA_LOG_FORMAT": package.log_format,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
            "AWS_REGION": package.region,
            "AWS_DEFAULT_REGION": package.region,
            "AWS_ACCESS_KEY_ID": credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
            "AWS_SESSION_TOKEN": credentials.session_token,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self._surroundings.endpoint,
            "NO_PROXY": "localhost,127.0.0.1",
            **(network.way_to(package.reaches) if network else {}),
            **package.variables,
        }

    def _wait_for_start(self) -> float:
        """Wait until the process asks for its first event or has failed to; return the milliseconds it took."""
        self._watch(lambda: self._api.asked or self._api.answer is not None, self._started + _START_SECONDS)
        return (time.monotonic() - self._started) * 1000

    def _run(self, request_id: str, event: bytes) -> Answer:
        seconds = self.package.timeout_seconds
        self._api.offer(
            Invocation(
                request_id=request_id,
                arn=self.package.arn,
                event=event,
                deadline_ms=int((time.time() + seconds) * 1000),
                trace_id=f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0",
            )
        )
        ending = self._watch(lambda: self._api.answer is not None, time.monotonic() + seconds)
        if self._api.answer is not None:
            return self._api.answer
        if ending == "time":
            self._kill()
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
            return self._error("Sandbox.Timedout", f"{now}Z {request_id} Task timed out after {seconds:.2f} seconds")
        return self._exited(request_id)

    def _failed_start(self, request_id: str) -> Answer:
        answer = self._api.answer
        self._kill()
        self._pump()
        return self._exited(request_id) if answer is None else answer

    def _watch(self, is_over: Callable[[], bool], deadline: float) -> str:
        """Watch the process until a condition holds, it has ended or time is up; return "over", "death" or "time"."""
        while True:
            ended = self._process.poll() is not None
            self._pump()
            self._api.news.clear()
            if is_over():
                self._peak = max(self._peak, self._memory())
                return "over"
            if ended:
                return "death"
            self._peak = max(self._peak, self._memory())
            if self._peak > self.package.memory_mb * _MIB:
                self._kill()
                return "death"
            if time.monotonic() > deadline:
                return "time"
            self._api.news.wait(_LOOK_SECONDS)

    def _exited(self, request_id: str) -> Answer:
        code = self._process.wait()
        how = "signal: killed" if code == -signal.SIGKILL else f"signal: {-code}" if code < 0 else f"exit status {code}"
        reason = "exited without providing a reason" if code == 0 else f"exited with error: {how}"
        return self._error("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime {reason}")

    def _error(self, error_type: str, message: str) -> Answer:
        self._pump()
        self._log(message)
        return Answer(json.dumps({"errorMessage": message, "errorType": error_type}).encode(), failed=True)

    def _report(self, request_id: str, duration_ms: float, start_ms: float | None) -> None:
        self._pump()
        spent = platform_lines.Spent(
            milliseconds=duration_ms,
            start_milliseconds=start_ms,
            peak_mb=self._peak // _MIB,
            exhausted=self._peak > self.package.memory_mb * _MIB,
        )
        self._log(*platform_lines.at_end(self.package, request_id, spent))

    def _memory(self) -> int:
        """The bytes that the process and its children hold."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return memory_of(psutil.Process(self._process.pid))
        return 0

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _pump(self) -> None:
        """Copy complete lines of the output to the log, and after the process's end also an incomplete last one."""
        with self._output.open("rb") as output:
            output.seek(self._read)
            new = output.read()
        if self._process.returncode is None:
            new = new[: new.rfind(b"\n") + 1]
        self._read += len(new)
        self._log(*new.decode(errors="replace").splitlines())

    def _log(self, *lines: str) -> None:
        if lines:
            self._surroundings.log(self.package.log_group, self._stream, lines)
