"""Functions run as Lambda runs them: the deployed zips, a process each, warm, within their time and memory."""

import base64
import dataclasses
import hashlib
import io
import json
import os
import signal
import threading
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from local_cloud.functions import Answer, Code, Credentials, Functions, Package
from local_cloud.functions.runtime import plain_runtime, runtime
from local_cloud.processes import ProcessRegister
from tests.support.waiting import until


def zipped(files: dict[str, str]) -> Code:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    content = buffer.getvalue()
    digest = base64.b64encode(hashlib.sha256("".join(map(str, files.items())).encode()).digest()).decode()
    return Code(digest, lambda: content)


def package(handler: str, **others: Any) -> Package:
    """A function of a few lines."""
    return Package(
        **{
            "name": "sewing",
            "arn": "arn:aws:lambda:eu-west-2:123456789012:function:sewing",
            "role": "arn:aws:iam::123456789012:role/sewing",
            "handler": "handler.handler",
            "memory_mb": 256,
            "timeout_seconds": 20,
            "variables": {},
            "code": zipped({"handler.py": handler}),
            "layers": (),
            "region": "eu-west-2",
            "log_group": "/aws/lambda/sewing",
            **others,
        }
    )


class Bench:
    """Functions, and what they logged."""

    def __init__(self, folder: Path, **others: Any) -> None:
        self.lines: defaultdict[str, list[str]] = defaultdict(list)
        self.notes = folder / "processes"
        self.functions = Functions(
            folder / "functions",
            layers=folder / "layers",
            endpoint="http://localhost:1",
            processes=ProcessRegister(self.notes),
            log=self._log,
            assume=lambda package: Credentials("key", f"secret of {package.role}", "token"),
            **others,
        )

    def _log(self, group: str, stream: str, lines: Sequence[str]) -> None:  # noqa: ARG002
        self.lines[group] += lines

    def invoke(self, package: Package, event: Any = None) -> Any:
        answer = self.functions.invoke(package, json.dumps(event).encode())
        assert not answer.failed, answer.payload
        return json.loads(answer.payload)

    def fail(self, package: Package, event: Any = None) -> Any:
        answer: Answer = self.functions.invoke(package, json.dumps(event).encode())
        assert answer.failed, answer.payload
        return json.loads(answer.payload)

    def log(self) -> str:
        return "\n".join(self.lines["/aws/lambda/sewing"])


@pytest.fixture(params=["awslambdaric", "plain"])
def any_bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Under the real runtime client, and under the loop that stands in for it on a Mac."""
    make = {"awslambdaric": lambda: runtime(tmp_path / "client"), "plain": plain_runtime}[request.param]
    bench = Bench(tmp_path, runs_under=make())
    yield bench
    bench.functions.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.functions.close()


CONTEXT = """
import os
def handler(event, context):
    return {
        "event": event,
        "name": context.function_name,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "left": context.get_remaining_time_in_millis(),
        "id": context.aws_request_id,
        "stream": context.log_stream_name,
        "group": context.log_group_name,
        "variables": dict(os.environ),
    }
"""


def test_a_function_gets_event_context_and_lambdas_variables(any_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLERS_OWN", "secret")
    said = any_bench.invoke(package(CONTEXT, variables={"BUCKET": "lake", "TZ": "Europe/London"}), {"é": [1, None]})
    assert said["event"] == {"é": [1, None]}
    assert (said["name"], int(said["memory"]), said["arn"][-6:]) == ("sewing", 256, "sewing")
    assert 0 < said["left"] <= 20_000
    assert said["group"] == "/aws/lambda/sewing"
    assert "[$LATEST]" in said["stream"]
    variables = said["variables"]
    assert (variables["BUCKET"], variables["TZ"]) == ("lake", "Europe/London")
    assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"] == "eu-west-2"
    assert variables["AWS_ENDPOINT_URL"] == "http://localhost:1"
    assert Path(variables["LAMBDA_TASK_ROOT"], "handler.py").exists()
    assert [variables[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")] == [
        "key",
        "secret of arn:aws:iam::123456789012:role/sewing",
        "token",
    ]
    assert "CALLERS_OWN" not in variables
    assert variables["HOME"] != os.environ["HOME"]


def test_a_function_sees_its_package_and_layers_and_nothing_of_this_environment(any_bench: Bench) -> None:
    handler = "import shade, sys\ndef handler(event, context): return [shade.of, 'pytest' in sys.modules]"
    layers = (zipped({"python/shade.py": "of = 'first'"}), zipped({"python/shade.py": "of = 'last'"}))
    assert any_bench.invoke(package(handler, layers=layers)) == ["last", False]
    missing = any_bench.fail(package("import moto\ndef handler(event, context): pass"))
    assert missing["errorType"] == "Runtime.ImportModuleError"
    assert "No module named 'moto'" in missing["errorMessage"]


def test_what_a_handler_raises_has_its_name_words_and_trace(any_bench: Bench) -> None:
    raising = package("class BatchTaken(Exception): pass\ndef handler(event, context): raise BatchTaken('number 7')")
    error = any_bench.fail(raising)
    assert (error["errorType"], error["errorMessage"]) == ("BatchTaken", "number 7")
    assert "handler.py" in "".join(error["stackTrace"])
    assert any_bench.fail(raising)["errorType"] == "BatchTaken"
    assert "number 7" in any_bench.log()


def test_a_worker_stays_warm(any_bench: Bench) -> None:
    counting = package("import os\ncalls = []\ndef handler(event, context): calls.append(1); return len(calls)")
    assert [any_bench.invoke(counting) for _ in range(3)] == [1, 2, 3]
    assert any_bench.log().count("Init Duration") == 1


def test_a_change_of_code_or_settings_starts_afresh(bench: Bench) -> None:
    before = package("import os\ndef handler(event, context): return os.environ['A']", variables={"A": "1"})
    after = package("import os\ndef handler(event, context): return os.environ['A']", variables={"A": "2"})
    later = package("def handler(event, context): return 'new'", variables={"A": "2"})
    assert [bench.invoke(each) for each in (before, after, later)] == ["1", "2", "new"]
    assert len(list(bench.notes.iterdir())) == 1


def test_invocations_at_once_have_a_worker_each(bench: Bench, tmp_path: Path) -> None:
    meeting = f"""
import os, pathlib, time
def handler(event, context):
    folder = pathlib.Path({str(tmp_path)!r}, "meeting")
    folder.mkdir(exist_ok=True)
    (folder / str(os.getpid())).touch()
    while len(list(folder.iterdir())) < 2:
        time.sleep(0.01)
    return os.getpid()
"""
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda _: bench.invoke(package(meeting)), range(2))
    assert first != second
    assert bench.invoke(package(meeting)) in {first, second}


def test_output_is_in_the_log_when_the_invocation_is_over(any_bench: Bench) -> None:
    handler = "import sys\ndef handler(event, context): print('one\\ntwo'); sys.stderr.write('three\\n')"
    any_bench.invoke(package(handler))
    lines = any_bench.lines["/aws/lambda/sewing"]
    assert lines[0].startswith("START RequestId: ")
    assert lines[1:4] == ["one", "two", "three"]
    assert lines[4].startswith("END RequestId: ")
    assert lines[5].startswith("REPORT RequestId: ")
    assert "Memory Size: 256 MB" in lines[5]


def test_where_a_function_logs_json_lambda_does_too(bench: Bench) -> None:
    bench.invoke(dataclasses.replace(package("def handler(event, context): print('one')"), log_format="JSON"))
    start, one, report = bench.lines["/aws/lambda/sewing"]
    assert (json.loads(start)["type"], one) == ("platform.start", "one")
    ended = json.loads(report)
    assert (ended["type"], ended["record"]["status"]) == ("platform.report", "success")
    assert ended["record"]["requestId"] == json.loads(start)["record"]["requestId"]
    metrics = ended["record"]["metrics"]
    assert metrics["memorySizeMB"] == 256
    assert 0 < metrics["maxMemoryUsedMB"] < 256
    assert metrics["billedDurationMs"] >= metrics["durationMs"] > 0
    assert metrics["initDurationMs"] > 0


def test_output_is_in_the_log_while_the_invocation_goes_on(bench: Bench, tmp_path: Path) -> None:
    handler = f"""
import pathlib, time
def handler(event, context):
    print("at work")
    while not pathlib.Path({str(tmp_path)!r}, "done").exists():
        time.sleep(0.01)
"""
    thread = threading.Thread(target=bench.invoke, args=(package(handler),))
    thread.start()
    until(lambda: "at work" in bench.log())
    (tmp_path / "done").touch()
    thread.join()


def test_an_invocation_ends_at_its_timeout(bench: Bench) -> None:
    slow = package("import time\ndef handler(event, context): time.sleep(event)", timeout_seconds=1)
    error = bench.fail(slow, 600)
    assert error["errorType"] == "Sandbox.Timedout"
    assert error["errorMessage"].endswith("Task timed out after 1.00 seconds")
    assert error["errorMessage"] in bench.log()
    assert bench.invoke(slow, 0) is None


def test_an_invocation_ends_at_its_memory(bench: Bench) -> None:
    hungry = package(
        "import time\ndef handler(event, context):\n  x = bytearray(event * 2**20)\n  time.sleep(event and 600)",
        memory_mb=128,
    )
    error = bench.fail(hungry, 200)
    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
    assert "Error Type: Runtime.OutOfMemory" in bench.log()
    assert bench.invoke(hungry, 0) is None


def test_a_worker_that_is_killed_at_work_fails_its_invocation_and_no_other(bench: Bench) -> None:
    busy = package("import time\ndef handler(event, context): print('busy'); time.sleep(event)")
    failures: list[Any] = []
    thread = threading.Thread(target=lambda: failures.append(bench.fail(busy, 600)))
    thread.start()
    until(lambda: "busy" in bench.log())
    [note] = bench.notes.iterdir()
    os.kill(int(note.name), signal.SIGKILL)
    thread.join()
    assert failures[0]["errorType"] == "Runtime.ExitError"
    assert "signal: killed" in failures[0]["errorMessage"]
    assert bench.invoke(busy, 0) is None


def is_over(process: int) -> bool:
    try:
        return bool(psutil.Process(process).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_a_worker_that_is_killed_at_rest_is_not_missed(bench: Bench) -> None:
    idle = package("import os\ndef handler(event, context): return os.getpid()")
    first = bench.invoke(idle)
    os.kill(first, signal.SIGKILL)
    until(lambda: is_over(first))
    assert bench.invoke(idle) != first


@pytest.mark.parametrize(("code", "reason"), [(3, "with error: exit status 3"), (0, "without providing a reason")])
def test_a_worker_that_exits_says_how(bench: Bench, code: int, reason: str) -> None:
    error = bench.fail(package("import os\ndef handler(event, context): os._exit(event)"), code)
    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"].endswith(f"Runtime exited {reason}")


def test_a_module_that_ends_the_process_is_an_exit(bench: Bench) -> None:
    error = bench.fail(package("import os\nos._exit(4)"))
    assert error["errorMessage"].endswith("Runtime exited with error: exit status 4")


def test_closing_ends_workers_at_work_and_at_rest(bench: Bench) -> None:
    busy = package("import time\ndef handler(event, context): print('busy'); time.sleep(event)")
    other = package("import os\ndef handler(event, context): return os.getpid()", name="cutting")
    resting = bench.invoke(other)
    thread = threading.Thread(target=bench.functions.invoke, args=(busy, b"600"))
    thread.start()
    until(lambda: "busy" in bench.log())
    bench.functions.close()
    thread.join()
    assert not psutil.pid_exists(resting)
    assert not list(bench.notes.iterdir())


def test_a_function_that_cannot_start_leaves_nothing(bench: Bench, tmp_path: Path) -> None:
    no_package = dataclasses.replace(package(""), code=Code("no zip", lambda: b"no zip"))
    threads = threading.active_count()
    with pytest.raises(zipfile.BadZipFile):
        bench.invoke(no_package)
    assert threading.active_count() == threads
    assert not list((tmp_path / "functions" / "workers").iterdir())


def test_a_worker_that_cannot_be_noted_leaves_nothing(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would end it where the whole cloud is killed."""
    started: list[int] = []

    def refuse(_: ProcessRegister, process: int) -> None:
        started.append(process)
        raise OSError("no space left")

    monkeypatch.setattr(ProcessRegister, "add", refuse)
    with pytest.raises(OSError, match="no space left"):
        bench.invoke(package("def handler(event, context): pass"))
    assert is_over(started[0])
    assert not list((tmp_path / "functions" / "workers").iterdir())


def test_a_worker_whose_output_nobody_takes_ends_with_its_invocation(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(defaultdict[str, list[str]]):
        def __missing__(self, group: str) -> list[str]:
            raise OSError(f"no space left for {group}")

    prints = package("import os\ndef handler(event, context): print(os.getpid()); return os.getpid()")
    process = bench.invoke(prints)
    monkeypatch.setattr(bench, "lines", Full())
    with pytest.raises(OSError, match="no space left"):
        bench.invoke(prints)
    assert is_over(process)


def test_a_result_of_several_megabytes_arrives_whole(any_bench: Bench) -> None:
    assert len(any_bench.invoke(package("def handler(event, context): return 'x' * event"), 5_000_000)) == 5_000_000


IMPORTING = {"python/polars.py": "import os\npid = os.getpid()"}
"""A layer with what every function imports; it remembers in which process."""


def test_functions_with_the_same_layers_share_what_was_imported_of_them(bench: Bench) -> None:
    handler = "import os, polars\ndef handler(event, context): return [polars.pid, os.getpid()]"
    layers = (zipped(IMPORTING),)
    first, second = (bench.invoke(package(handler, name=name, layers=layers)) for name in ("sewing", "cutting"))
    assert first[0] == second[0] not in {first[1], second[1]}
    with_other_layers = package(handler, layers=(*layers, zipped({"python/shade.py": ""})))
    assert bench.invoke(with_other_layers)[0] != first[0]


def test_what_functions_are_forked_from_may_be_killed(bench: Bench) -> None:
    handler = "import os, polars\ndef handler(event, context): return [polars.pid, os.getpid()]"
    sewing = package(handler, layers=(zipped(IMPORTING),))
    before = bench.invoke(sewing)
    os.kill(before[0], signal.SIGKILL)
    until(lambda: not psutil.pid_exists(before[1]))
    after = bench.invoke(sewing)
    assert not set(before) & set(after)
