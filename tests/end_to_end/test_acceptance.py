"""`make acceptance` in full, against a local cloud whose account is empty, and is so again afterwards."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import local_cloud
from command_line.acceptance.__main__ import main
from command_line.acceptance.plan import CLEAN, STEPS
from command_line.acceptance.record import Record
from command_line.acceptance.shell import Answer
from command_line.acceptance.source import Source
from local_cloud import LocalCloud
from local_cloud.account import ACCOUNT, REGION
from local_cloud.cdk import PROJECT
from local_cloud.empty_account import open_account
from tests.support.account import everything
from tests.support.command_line import totes
from tests.support.databases import execute, value
from tests.support.waiting import until

ORDERS = 20
TAGS = [{"Key": "project", "Value": "totes"}, {"Key": "environment", "Value": "dev-accept"}]

Words = Callable[[str], list[str]]


@pytest.fixture(scope="module")
def account(folder: Path) -> Iterator[LocalCloud]:
    """The account of a local cloud, in which nothing is deployed, for one run after the other."""
    yield open_account(folder / "cloud", environment="accepted")
    local_cloud.down(folder / "cloud")


@pytest.fixture
def words(account: LocalCloud, tmp_path: Path) -> Words:
    """The arguments of an environment's acceptance run; its record is in a folder of the test's."""

    def told(environment: str) -> list[str]:
        home = str(tmp_path / environment)
        return ["--local", "--cloud", str(account.state), "--home", home, "--env", environment, "--orders", str(ORDERS)]

    return told


@pytest.fixture(autouse=True)
def _nothing_stays(account: LocalCloud) -> Iterator[None]:
    """Account and source are after each test what they were before."""
    before = everything(account)
    yield
    assert everything(account) == before
    assert value(account.source_uri, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    assert value(account.source_uri, "SELECT count(*) FROM pg_enum") == 0
    assert value(account.source_uri, "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'totes%accept'") == 0


def run_totes(command: Sequence[str], variables: Mapping[str, str]) -> Answer:
    """Type a command by a fork of a process that has imported totes."""
    answer = totes(*command[1:], credentials=variables)
    return Answer(code=answer.code, out=answer.out, err=answer.err)


def accept(words: list[str]) -> int:
    return main(words, run_totes)


def in_the_way(account: LocalCloud, environment: str) -> str:
    """Have somebody make a queue of a name that the pipeline's stack wants for another; return its URL."""
    name = f"totes-{environment}-accept-dead-letters"
    url: str = account.client("sqs").create_queue(QueueName=name, Attributes={"DelaySeconds": "7"})["QueueUrl"]
    return url


def fail_half_way(account: LocalCloud, words: list[str], environment: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Run until the first deployment fails, when network and data are there and the pipeline is not."""
    queue = in_the_way(account, environment)
    assert accept(words) == 1
    told = capsys.readouterr().err
    assert "the step 'deploy' failed" in told
    assert f"To go on with this step, once the cause is gone: make acceptance ENV={environment} LOCAL=yes." in told
    states = {each["StackName"]: each["StackStatus"] for each in stacks(account)}
    assert states[f"totes-{environment}-accept-data"] == "CREATE_COMPLETE"
    assert states[f"totes-{environment}-accept-pipeline"] == "ROLLBACK_COMPLETE"
    account.client("sqs").delete_queue(QueueUrl=queue)


def stacks(account: LocalCloud) -> list[dict[str, str]]:
    found: list[dict[str, str]] = account.client("cloudformation").describe_stacks()["Stacks"]
    return found


def test_dev_goes_on_after_a_first_deployment_that_failed_half_way_and_after_a_kill(
    account: LocalCloud, words: Words, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_half_way(account, words("dev"), "dev", capsys)
    kill_once_loaded(words("dev"), tmp_path / "dev" / "record.json")
    assert accept(words("dev")) == 0
    told = capsys.readouterr().out
    assert "✓ look: done before" in told
    assert "✓ deploy: done before" in told
    [report] = (tmp_path / "dev").glob("report-*.txt")
    table = report.read_text()
    assert [line.split("  ")[0] for line in table.splitlines()[3 : 4 + len(STEPS)]] == [
        *(step.name for step in STEPS),
        CLEAN,
    ]
    assert "deploy the stacks (2 attempts)" in table
    assert "USD at most, had it been in AWS" in table
    secret = account.source_uri.split(":")[2].split("@")[0]
    for file in (tmp_path / "dev").iterdir():
        assert not file.is_file() or secret not in file.read_text(), "the source's password is nowhere"
    assert not (tmp_path / "dev" / "record.json").exists(), "the next run begins from nothing"


def kill_once_loaded(words: list[str], record: Path) -> None:
    """Go on by a program of its own, and kill it when it has begun to load the warehouse."""
    process = subprocess.Popen(
        [sys.executable, "-m", "command_line.acceptance", *words],
        cwd=PROJECT,
        env={name: given for name, given in os.environ.items() if not name.startswith("AWS_")},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )

    def is_at_the_run() -> bool:
        assert process.poll() is None
        return record.exists() and "run" in json.loads(record.read_text())["steps"]

    until(is_at_the_run, seconds=300, pause=0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_prod_starts_over_after_a_first_deployment_that_failed_half_way_and_leaves_no_name_taken(
    account: LocalCloud, words: Words, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = everything(account)
    fail_half_way(account, words("prod"), "prod", capsys)
    assert accept([*words("prod"), "--fresh"]) == 0
    assert everything(account) == empty
    kill_once_loaded(words("prod"), tmp_path / "prod" / "record.json")
    assert accept([*words("prod"), "--clean"]) == 0


def test_what_others_have_made_is_refused_and_stays(
    account: LocalCloud, words: Words, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = account.client("secretsmanager")
    theirs = secrets.create_secret(Name="theirs", SecretString="x", Tags=TAGS)["ARN"]
    assert accept(words("dev")) == 1
    told = capsys.readouterr().err
    assert "has something of an environment dev-accept, and this run has not made it" in told
    assert theirs in told
    assert accept([*words("dev"), "--fresh"]) == 1
    assert accept([*words("dev"), "--clean"]) == 0, "of this run there is nothing to be cleaned up"
    assert secrets.get_secret_value(SecretId=theirs)["SecretString"] == "x"
    secrets.delete_secret(SecretId=theirs, ForceDeleteWithoutRecovery=True)


def test_a_source_that_is_not_empty_is_refused_and_stays(
    account: LocalCloud, words: Words, capsys: pytest.CaptureFixture[str]
) -> None:
    execute(account.source_uri, "CREATE TABLE sales_order (mine int)")
    assert accept(words("dev")) == 1
    assert "is not empty: it has sales_order" in capsys.readouterr().err
    assert accept([*words("dev"), "--clean"]) == 0
    execute(account.source_uri, "DROP TABLE sales_order")


def test_a_stack_that_somebody_has_deployed_since_is_left_alone(
    account: LocalCloud, words: Words, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done_before(tmp_path, account, stacks=["of this run"])
    cloudformation = account.client("cloudformation")
    template = json.dumps({"Resources": {"Theirs": {"Type": "AWS::SNS::Topic"}}})
    cloudformation.create_stack(StackName="totes-dev-accept-data", TemplateBody=template)
    assert accept([*words("dev"), "--clean"]) == 1
    assert "this run has not made totes-dev-accept-data" in capsys.readouterr().err
    assert [each["StackName"] for each in stacks(account)] == ["totes-dev-accept-data"]
    cloudformation.delete_stack(StackName="totes-dev-accept-data")


@pytest.mark.parametrize(
    ("noted", "sentence"),
    [
        ({"began_in": "210987654321 eu-west-1"}, "is in 210987654321 eu-west-1, and these credentials are of"),
        ({"source": "shop.example.com:5432/totesys"}, "began with the source at shop.example.com:5432/totesys"),
    ],
)
def test_a_run_goes_on_only_where_it_began(
    account: LocalCloud,
    words: Words,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    noted: dict[str, str],
    sentence: str,
) -> None:
    done_before(tmp_path, account, **noted)
    assert accept(words("dev")) == 1
    assert sentence in capsys.readouterr().err


def done_before(folder: Path, account: LocalCloud, **noted: Any) -> None:
    """The record of a run of dev whose first deployment is done."""
    (folder / "dev").mkdir()
    record = Record(folder / "dev" / "record.json", noted.pop("began_in", f"{ACCOUNT} {REGION}"))
    for step in ("look", "bootstrap", "deploy"):
        record.begin(step)
        record.end(step)
    for name, fact in {"source": Source(account.source_uri).place, **noted}.items():
        record.note(name, fact)


def test_make_says_what_it_was_asked_for() -> None:
    said = subprocess.run(
        ["make", "-n", "acceptance", "ENV=prod", "LOCAL=yes", "SUFFIX=mine", "FRESH=yes", "CLEAN=yes"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "python -m command_line.acceptance --env prod --suffix mine --local --fresh --clean" in said


def test_a_suffix_that_is_none_is_refused_before_anything_is_begun(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--local", "--home", str(tmp_path / "home"), "--suffix", "Alice-1"])
    assert "'Alice-1' is no word of at most 12 small letters and digits" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({}, "say SOURCE_ADMIN="),
        ({"SOURCE_ADMIN": "postgresql://admin@shop.example.com/totesys"}, "say ALARM_EMAIL="),
    ],
)
def test_an_account_of_aws_is_not_touched_before_all_is_said(
    variables: dict[str, str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, said in variables.items():
        monkeypatch.setenv(name, said)
    assert main(["--home", str(tmp_path)]) == 1
    assert sentence in capsys.readouterr().err
