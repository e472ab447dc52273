"""What runbook and disasters tell somebody to type does what they say of it."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

import boto3
import jmespath  # type: ignore[import-untyped]
import pytest
from botocore.session import get_session
from moto import mock_aws

from command_line.typed_commands import OF_A_DEPLOYMENT

ROOT = Path(__file__).parents[2]
NIGHT = ("runbook.md", "operating.md", "disasters.md")
TEMPLATE = ROOT / "tests" / "infrastructure" / "snapshots" / "prod" / "pipeline.json"


def typed(page: str, word: str) -> list[str]:
    """The commands of those blocks of a page in which a word is."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    blocks = map(dedent, re.findall(r"^ *```console\n(.+?)^ *```", text, flags=re.MULTILINE | re.DOTALL))
    return [
        command for block in blocks if word in block for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    ]


def said_to_aws(commands: list[str], folder: Path, timezone: str = "UTC") -> list[list[str]]:
    """The words that the AWS CLI gets when a shell is given these commands, somewhere on earth."""
    told = folder / "told"
    aws = folder / "aws"
    aws.write_text(f'#!/bin/sh\nprintf "%s\\0" "$@" >> {told}\nprintf "\\n\\0" >> {told}\n', encoding="utf-8")
    aws.chmod(0o755)
    path = os.pathsep.join((str(folder), os.environ["PATH"]))
    subprocess.run(
        ["/bin/sh", "-ec", "".join(commands)], env={"PATH": path, "TZ": timezone}, cwd=folder, check=True, timeout=60
    )
    calls = told.read_text(encoding="utf-8").split("\n\0")
    return [call.split("\0")[:-1] for call in calls if call]


def after(words: list[str], option: str) -> str:
    return words[words.index(option) + 1]


@pytest.mark.parametrize("page", NIGHT)
def test_a_command_names_the_environment_so_that_none_is_typed_against_dev_by_mistake(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    prose = re.sub(r"^ *```.+?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]
    commands = [each for each in (*spans, *(line.strip() for line in typed(page, ""))) if each.startswith("totes ")]
    of_a_deployment = [each for each in commands if {" ".join(each.split()[1:end]) for end in (2, 3)} & OF_A_DEPLOYMENT]
    assert len(of_a_deployment) > 5
    assert [each for each in of_a_deployment if "--env ENV" not in each] == []


@pytest.mark.parametrize("timezone", ["Pacific/Kiritimati", "Etc/GMT+12", "UTC"])
def test_a_night_that_did_not_come_is_made_up_for_by_its_own_day_wherever_it_is_typed(
    timezone: str, tmp_path: Path
) -> None:
    """A function that nobody tells the day takes today's, in UTC."""
    before = datetime.now(UTC).toordinal()
    [call] = said_to_aws(typed("runbook.md", "audit_lake"), tmp_path, timezone)
    assert json.loads(after(call, "--payload"))["day"] in {before, datetime.now(UTC).toordinal()}


def schedules() -> dict[str, dict[str, Any]]:
    """The schedules as production's template has them, by their names."""
    resources = json.loads(TEMPLATE.read_text(encoding="utf-8"))["Resources"].values()
    found = [each["Properties"] for each in resources if each["Type"] == "AWS::Scheduler::Schedule"]
    return {each["Name"]: each for each in found}


def test_the_page_says_for_how_long_the_queue_keeps_what_a_person_is_told_to_keep() -> None:
    resources = json.loads(TEMPLATE.read_text(encoding="utf-8"))["Resources"].values()
    [queue] = [each["Properties"] for each in resources if each["Type"] == "AWS::SQS::Queue"]
    page = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8").partition("\n## Dead letters\n")[2]
    assert f"it holds each for {queue['MessageRetentionPeriod'] // 86_400} days only" in page.partition("\n## ")[0]


def test_the_page_knows_every_schedule() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    [section] = re.findall(r"^## Schedules\n(.+?)^## ", text, flags=re.MULTILINE | re.DOTALL)
    assert {name.replace("prod", "ENV") for name in schedules()} == set(re.findall(r"`(totes-ENV[\w-]*)`", section))


@pytest.mark.parametrize("name", schedules())
def test_a_schedule_is_stopped_and_started_again_and_stays_what_it_is(name: str, tmp_path: Path) -> None:
    """UpdateSchedule takes what it is not told for its own default."""
    schedule = schedules()[name]
    read, stop, start = said_to_aws(typed("disasters.md", "schedule.json"), tmp_path)
    assert read[:4] == ["scheduler", "get-schedule", "--name", "totes-ENV-sweep"]
    kept = jmespath.search(after(read, "--query"), {**schedule, "Arn": "arn", "GroupName": "default"})
    assert {**kept, "State": "ENABLED"} == {"State": "ENABLED", **schedule}

    model = get_session().get_service_model("scheduler").operation_model("UpdateSchedule").input_shape
    assert model is not None
    assert set(model.required_members) <= set(kept) <= set(model.members)
    for command, state in ((stop, "DISABLED"), (start, "ENABLED")):
        words = ["scheduler", "update-schedule", "--cli-input-json", "file://schedule.json", "--state", state]
        assert command == words


def test_an_object_is_restored_by_a_copy_that_deletes_nothing(tmp_path: Path) -> None:
    """Whether it was overwritten or deleted."""
    look, copy = said_to_aws(typed("disasters.md", "kept-versions.json"), tmp_path)
    assert [look[:2], copy[:2]] == [["s3api", "list-object-versions"], ["s3api", "copy-object"]]
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="lake")
        client.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
        key = "batches/0000000001/payment/changes-00000-0123.parquet"
        good = client.put_object(Bucket="lake", Key=key, Body=b"as written")["VersionId"]
        client.put_object(Bucket="lake", Key=key, Body=b"damaged")
        client.delete_object(Bucket="lake", Key=key)

        source = after(copy, "--copy-source").replace("BUCKET", "lake").replace("KEY", key).replace("ID", good)
        client.copy_object(Bucket="lake", Key=key, CopySource=source)
        assert client.get_object(Bucket="lake", Key=key)["Body"].read() == b"as written"
        kept = client.list_object_versions(Bucket="lake", Prefix=key)
        assert (len(kept["Versions"]), len(kept["DeleteMarkers"])) == (3, 1)


def test_a_bucket_is_set_back_to_a_moment_by_copies_alone(tmp_path: Path) -> None:
    moment, before, after_it = "2026-11-28T03:00", "2026-11-28T02:59:59.000Z", "2026-11-28T03:00:01.000Z"
    earlier = "2026-11-20T00:00:00.000Z"

    def event(key: str, when: str, version: str, *, latest: bool = False) -> dict[str, Any]:
        return {"Key": key, "LastModified": when, "VersionId": version, "IsLatest": latest}

    listed = {
        "Versions": [
            event("as-it-was", before, "v1", latest=True),
            event("deleted", before, "v3"),
            event("deleted", earlier, "v2"),
            event("overwritten", after_it, "v5", latest=True),
            event("overwritten", before, "v4"),
            event("swept", earlier, "v6"),
            event("written-since", after_it, "v7", latest=True),
        ],
        "DeleteMarkers": [event("deleted", after_it, "d1", latest=True), event("swept", before, "d2", latest=True)],
    }
    commands = typed("disasters.md", "set-back.txt")
    query = " ".join(after(said_to_aws(commands, tmp_path)[0], "--query").split())
    rows = jmespath.search(query, listed)
    assert jmespath.search(query, {"Versions": listed["Versions"]}), "a bucket without delete markers"
    answer = tmp_path / "answer"
    answer.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")
    aws = tmp_path / "aws"
    aws.write_text(f'#!/bin/sh\nif [ "$2" = copy-object ]; then shift 2; echo "$*" >> copied; else cat {answer}; fi\n')
    path = os.pathsep.join((str(tmp_path), os.environ["PATH"]))
    subprocess.run(["/bin/sh", "-ec", "".join(commands)], env={"PATH": path}, cwd=tmp_path, check=True, timeout=60)
    assert (tmp_path / "copied").read_text(encoding="utf-8").splitlines() == [
        f"--bucket BUCKET --key {key} --copy-source BUCKET/{key}?versionId={version}"
        for key, version in (("deleted", "v3"), ("overwritten", "v4"))
    ]
    assert f"<'{moment}'" in query


def test_a_bucket_is_emptied_of_all_its_versions_and_of_nothing_beside_what_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """S3 lists a thousand versions at once, deletes a thousand at once, and deletes no bucket that has any left."""
    commands = typed("operating.md", "empty.py BUCKET")
    written, emptied, deleted = (dedent(each) for each in commands)
    subprocess.run(["/bin/sh", "-ec", written], cwd=tmp_path, check=True, timeout=60)
    program = (tmp_path / "empty.py").read_text(encoding="utf-8")

    def empty(*words: str) -> None:
        monkeypatch.setattr(sys, "argv", ["empty.py", *words])
        exec(compile(program, "empty.py", "exec"), {})  # noqa: S102 - as the page has it typed

    assert emptied.split() == ["python", "empty.py", "BUCKET", '""']
    assert deleted.split() == ["aws", "s3api", "delete-bucket", "--bucket", "BUCKET"]
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="lake")
        client.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
        for number in range(1_100):
            client.put_object(Bucket="lake", Key=f"data/{number}", Body=b"")
        for number in range(50):
            client.put_object(Bucket="lake", Key=f"data/{number}", Body=b"again")
            client.delete_object(Bucket="lake", Key=f"data/{number}")
        client.put_object(Bucket="lake", Key="site/index.html", Body=b"page")

        empty("lake", "data/")
        left = client.list_object_versions(Bucket="lake")
        assert [each["Key"] for each in left["Versions"]] == ["site/index.html"]
        assert left.get("DeleteMarkers", []) == []
        empty("lake", "")
        client.delete_bucket(Bucket="lake")
    assert capsys.readouterr().out == "[]\n[]\n"


def test_the_parameters_that_are_asked_for_are_those_that_the_stack_writes() -> None:
    written = (TEMPLATE.parent / "data.json").read_text(encoding="utf-8")
    asked = set(re.findall(r"/totes/ENV/data/\w+", (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")))
    assert len(asked) == 2
    assert [name for name in asked if f'"{name.replace("ENV", "prod")}"' not in written] == []


def test_the_master_logs_in_without_a_password_on_the_screen(tmp_path: Path) -> None:
    """In the tunnel psql gets the password that RDS has made, whatever characters it has."""
    password = "a'b $c"
    answers = json.dumps({"username": "totes_master", "password": password})
    programs = {"aws": f"cat <<'END'\n{answers}\nEND", "totes": 'shift 4; exec "$@"', "psql": 'echo "$2 $PGPASSWORD"'}
    for name, does in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    path = os.pathsep.join((str(tmp_path), os.environ["PATH"]))
    typed_in = "".join(typed("runbook.md", "export MASTER="))
    said = subprocess.run(
        ["/bin/sh", "-ec", typed_in], env={"PATH": path}, capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout == f"totes_master {password}\n"


def test_a_link_within_the_pages_for_the_night_leads_to_a_heading() -> None:
    pages = {page: (ROOT / "docs" / page).read_text(encoding="utf-8") for page in NIGHT}
    headings = {
        (page, re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-"))
        for page, text in pages.items()
        for heading in re.findall(r"^##+ (.+)$", text, flags=re.MULTILINE)
    }
    links = {
        (target or page, anchor)
        for page, text in pages.items()
        for target, anchor in re.findall(r"\]\(([\w-]*\.md|)#([\w-]+)\)", text)
        if (target or page) in pages
    }
    assert len(links) > 5
    assert links - headings == set()


def test_to_roll_back_brings_the_old_code_and_leaves_the_configuration_of_today(tmp_path: Path) -> None:
    """It says which warehouse, lake and network are the live ones: an old one would replace them by empty ones."""
    restores = [
        each.partition(" && ")[0].strip() for each in typed("runbook.md", "git restore") if "git restore" in each
    ]
    back, forth = (each.replace("COMMIT", "HEAD~") for each in restores)
    code, config, later = tmp_path / "app.py", tmp_path / "stacks" / "config.py", tmp_path / "later.py"
    config.parent.mkdir()

    def shell(command: str) -> None:
        subprocess.run(["/bin/sh", "-ec", command], cwd=tmp_path, check=True, timeout=60)

    def commit() -> None:
        shell("git add . && git -c user.name=a -c user.email=a@shop.example commit -qm -")

    shell("git init -q")
    code.write_text("old", encoding="utf-8")
    config.write_text("generation=1", encoding="utf-8")
    commit()
    code.write_text("new", encoding="utf-8")
    config.write_text("generation=2", encoding="utf-8")
    later.write_text("new", encoding="utf-8")
    commit()
    config.write_text("generation=2, nat='gateway'", encoding="utf-8")

    shell(back)
    assert (code.read_text(encoding="utf-8"), later.exists()) == ("old", False)
    assert config.read_text(encoding="utf-8") == "generation=2, nat='gateway'"
    shell(forth)
    assert (code.read_text(encoding="utf-8"), later.exists()) == ("new", True)
    assert config.read_text(encoding="utf-8") == "generation=2, nat='gateway'"
