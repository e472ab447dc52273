"""What a person gets wrong is answered by one clear sentence, a non-zero exit code and no traceback."""

import errno
import os
import shlex
import subprocess
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from command_line.commands import main
from tests.end_to_end.conftest import Deployed
from tests.support.command_line import TOTES, Answer, totes
from tests.support.databases import execute, value


def assert_one_sentence(answer: Answer, *words: str) -> None:
    assert answer.code != 0
    assert "Traceback" not in answer.out + answer.err
    sentence = " ".join(answer.err.split())
    for word in words:
        assert word in sentence


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["no-such-command"], "No such command"),
        (["run", "--no-such-option"], "No such option"),
        (["demo", "--orders", "0"], "orders"),
        (["demo", "--orders", "many"], "orders"),
        (["local", "logs"], "function"),
    ],
)
def test_wrong_arguments(arguments: list[str], word: str) -> None:
    assert_one_sentence(totes(*arguments), word)


@pytest.mark.parametrize("command", [["run"], ["status"], ["local", "down"], ["local", "logs", "any"], ["simulate"]])
def test_a_local_cloud_that_is_not_up(command: list[str], tmp_path: Path) -> None:
    assert_one_sentence(totes(*command, "--state", tmp_path / "nowhere"), "no local cloud is up")


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("postgresql://user:pass-word@localhost:1/totesys", ["source", "cannot be reached"]),
        ("this is no uri", ["source"]),
        ("", ["the source's URI is empty", "--source"]),
    ],
)
def test_a_source_that_cannot_be_reached(uri: str, words: list[str], tmp_path: Path) -> None:
    answer = totes("local", "up", "--detach", "--source", uri, "--state", tmp_path / "state")
    assert_one_sentence(answer, *words)
    assert "pass-word" not in answer.out + answer.err
    assert not (tmp_path / "state" / "cloud.json").exists()


def test_a_refused_password(deployed: Deployed, tmp_path: Path) -> None:
    uri = deployed.cloud.source_uri
    user, _, rest = uri.removeprefix("postgresql://").partition(":")
    wrong = f"postgresql://{user}:wrong-pass-word@{rest.partition('@')[2]}"
    answer = totes("local", "up", "--detach", "--source", wrong, "--state", tmp_path / "state")
    assert_one_sentence(answer, "source", "password")
    assert "wrong-pass-word" not in answer.out + answer.err


def test_one_database_for_both(deployed: Deployed, tmp_path: Path) -> None:
    uri = deployed.cloud.source_uri
    answer = totes("local", "up", "--detach", "--source", uri, "--warehouse", uri, "--state", tmp_path / "state")
    assert_one_sentence(answer, "source and warehouse are the same database")


def test_a_source_without_the_shops_tables(deployed: Deployed) -> None:
    answer = deployed.totes("run")
    assert answer.code == 1
    assert "the source has none of the 11 tables that totes reads" in " ".join(answer.out.split())


def test_a_doctor_names_all_that_a_run_would_stumble_over_and_changes_nothing(deployed: Deployed) -> None:
    warehouse = deployed.cloud.warehouse_uri
    execute(warehouse, "CREATE TABLE dim_staff (name text)")
    answer = deployed.totes("doctor")
    assert answer.code == 1
    said = " ".join(answer.out.split())
    assert "✗ source: the source has none of the 11 tables that totes reads" in said
    assert "✗ warehouse:" in said
    assert "dim_staff" in said
    assert "✓ identity:" in said
    assert "✓ lake: it holds no batch yet" in said
    assert "✓ alarms: the mails go to you@localhost" in said
    assert "✓ disk:" in said
    execute(warehouse, "DROP TABLE dim_staff")
    found = {each["subject"]: each["good"] for each in deployed.totes("doctor", "--json").json()}
    good = dict.fromkeys(("warehouse", "identity", "lake", "alarms", "disk"), True)
    assert found == {"source": False, **good}
    assert value(warehouse, "SELECT count(*) FROM pg_tables WHERE schemaname IN ('public', 'etl')") == 0


def test_a_function_that_does_not_exist(deployed: Deployed) -> None:
    assert_one_sentence(deployed.totes("local", "logs", "no_such_function"), "no_such_function")


def test_a_cloud_that_is_up_already(deployed: Deployed) -> None:
    assert_one_sentence(deployed.totes("local", "up", "--detach"), "already up")


def test_an_account_without_credentials() -> None:
    assert_one_sentence(totes("run", "--env", "dev"), "no AWS credentials are set")


def test_an_environment_that_does_not_exist(tmp_path: Path) -> None:
    answer = totes("local", "up", "--detach", "--env", "nosuch", "--state", tmp_path / "state")
    assert_one_sentence(answer, "the synthesis failed: there is no environment 'nosuch'")


def test_a_folder_that_cannot_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    state = tmp_path / "file" / "state"
    starts = (f"no local cloud is up in {state}", f"totes local up --state {state} starts one")
    assert_one_sentence(totes("local", "up", "--state", state), f"{state} cannot be used", "--state")
    for command in ("run", "status"):
        assert_one_sentence(totes(command, "--state", state), *starts)
    assert_one_sentence(totes("local", "down", "--state", state), f"no local cloud is up in {state}")
    assert_one_sentence(totes("local", "up", "--state", "/proc/totes"), "/proc/totes", "--state")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EIO])
def test_what_the_machine_refuses(
    code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise OSError(code, os.strerror(code), "/the/file")

    monkeypatch.setattr("command_line.commands.app", refuse)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    sentence = capsys.readouterr().err
    assert sentence.startswith("totes: ")
    assert f"/the/file: {os.strerror(code)}" in sentence


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("AccessDenied", "; docs/deploying.md, Who may do what, lists the rights\n"),
        ("UnauthorizedOperation", "; docs/deploying.md, Who may do what, lists the rights\n"),
        ("ExpiredToken", "; log in again\n"),
        ("VcpuLimitExceeded", "; docs/deploying.md, From an empty account, says how to ask for more\n"),
        ("Throttling", "operation: why\n"),
    ],
)
def test_what_aws_refuses(
    code: str, advice: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise ClientError({"Error": {"Code": code, "Message": "why"}}, "DescribeStacks")

    monkeypatch.setattr("command_line.commands.app", refuse)
    with pytest.raises(SystemExit):
        main()
    sentence = capsys.readouterr().err
    assert sentence.startswith(f"totes: AWS refused or did not answer: An error occurred ({code})")
    assert sentence.endswith(advice)


def test_an_output_that_knows_ascii_alone() -> None:
    typed = subprocess.run(
        [TOTES, "local", "up", "--source", "postgresql://user:pass-word@localhost:1/totesys"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert_one_sentence(Answer(typed.returncode, typed.stdout, typed.stderr), "the source cannot be reached")
    assert "Looking at the source" in typed.stdout


def test_a_table_that_does_not_exist_starts_no_run(deployed: Deployed) -> None:
    executions = deployed.cloud.client("stepfunctions")
    [machine] = executions.list_state_machines()["stateMachines"]
    before = executions.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]
    assert_one_sentence(deployed.totes("run", "--accept-deletes", "nope"), "there is no source table 'nope'")
    assert executions.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"] == before


def test_no_shop_lives_on_where_there_is_none(deployed: Deployed) -> None:
    answer = deployed.totes("simulate", "--source", deployed.cloud.warehouse_uri, "--for", "1")
    assert_one_sentence(answer, "has no shop yet; build one with --orders N")
    assert "lives on" not in answer.out


def test_no_shop_is_built_wherever_an_empty_uri_leads(deployed: Deployed) -> None:
    assert_one_sentence(deployed.totes("simulate", "--source", "", "--orders", "1"), "the source's URI is empty")


def test_a_question_that_nobody_can_answer_is_no_traceback(deployed: Deployed) -> None:
    command = shlex.join([str(TOTES), "secrets", "delete", "source", "--state", str(deployed.state)])
    asked = subprocess.run(["sh", "-c", f"{command} <&-"], capture_output=True, text=True, check=False, timeout=60)
    assert_one_sentence(Answer(asked.returncode, asked.stdout, asked.stderr), "nothing was changed, add --yes to go on")


def test_a_reader_that_has_gone_is_no_reason_to_complain(deployed: Deployed) -> None:
    command = [str(TOTES), "status", "--state", str(deployed.state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as typed:
        assert typed.stdout is not None
        assert typed.stderr is not None
        typed.stdout.close()
        said = typed.stderr.read()
    assert "Exception" not in said
    assert "Traceback" not in said


def test_a_warehouse_that_is_in_no_network_needs_no_tunnel(deployed: Deployed) -> None:
    answer = deployed.totes("tunnel")
    assert answer.code == 1
    assert f"totes psql warehouse --state {deployed.state} opens it" in " ".join(answer.err.split())
