"""What GitHub runs: nothing that can change under us, no more rights than a job needs, one assembly for all."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from toolchain.diff_comment import MARK

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

Yaml = dict[Any, Any]

MAY_WRITE = {
    ("deploy.yml", "dev"): {"id-token"},
    ("deploy.yml", "prod"): {"id-token"},
    ("deploy-environment.yml", "deploy"): {"id-token"},
    ("pull-request.yml", "diff"): {"id-token"},
    ("pull-request.yml", "comment"): {"pull-requests"},
}


def read(file: Path) -> Yaml:
    workflow: Yaml = yaml.safe_load(file.read_text())
    return workflow


def jobs(file: Path) -> Yaml:
    found: Yaml = read(file)["jobs"]
    return found


def steps(file: Path) -> Iterator[Yaml]:
    for job in jobs(file).values():
        yield from job.get("steps", [])


def scripts(file: Path) -> list[str]:
    return [step["run"] for step in steps(file) if "run" in step]


def called(name: str) -> Iterator[Path]:
    """A workflow, and those of this repository that it calls."""
    file = ROOT / ".github" / "workflows" / name
    yield file
    for job in jobs(file).values():
        if "uses" in job:
            yield from called(Path(job["uses"]).name)


each_workflow = pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)


def test_the_workflows_are_found() -> None:
    assert {"ci.yml", "pull-request.yml", "deploy.yml"} <= {file.name for file in FILES}


def test_every_action_is_pinned_by_its_commit_and_says_which_version_that_is() -> None:
    pins: dict[str, set[str]] = {}
    for file in FILES:
        for used in re.findall(r"^\s*(?:- )?uses:\s*(.+)$", file.read_text(), flags=re.MULTILINE):
            if used.startswith("./"):
                assert (ROOT / used).is_file(), f"{file.name}: {used}"
                continue
            pinned = re.fullmatch(r"([\w-]+/[\w/-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)", used)
            assert pinned, f"{file.name}: {used}"
            pins.setdefault(pinned[1], set()).add(pinned[2])
    assert "actions/checkout" in pins
    assert {action: found for action, found in pins.items() if len(found) > 1} == {}


def test_every_use_of_an_action_is_seen_by_the_test_above() -> None:
    """However it is written in YAML."""
    for file in FILES:
        used = [each["uses"] for each in [*jobs(file).values(), *steps(file)] if "uses" in each]
        assert len(used) == len(re.findall(r"^\s*(?:- )?uses:", file.read_text(), flags=re.MULTILINE)), file.name


@each_workflow
def test_a_workflow_may_only_read_unless_a_job_needs_more(file: Path) -> None:
    assert read(file)["permissions"] == {"contents": "read"}
    for name, job in jobs(file).items():
        granted = job.get("permissions", {})
        assert isinstance(granted, dict), f"{file.name}: {name} has {granted}"
        writes = {scope for scope, access in granted.items() if access != "read"}
        assert writes == MAY_WRITE.get((file.name, name), set()), f"{file.name}: {name}"


@each_workflow
def test_no_checkout_leaves_the_token_behind(file: Path) -> None:
    for step in steps(file):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@each_workflow
def test_a_value_comes_into_a_script_by_its_environment(file: Path) -> None:
    """An expression pasted into a script is code of whoever chose the value."""
    assert [script for script in scripts(file) if "${{" in script] == []


@each_workflow
def test_no_workflow_runs_strangers_code_with_the_repositorys_rights(file: Path) -> None:
    triggers: Any = dict[Any, Any](read(file))[True]  # YAML takes the word `on` for a truth value
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(triggers)


def test_what_workflows_run_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    spoken = "\n".join(script for file in FILES for script in scripts(file))
    made = set(re.findall(r"^make ([a-z-]+)", spoken, flags=re.MULTILINE))
    assert made >= {"check", "test", "synth", "audit"}
    assert made <= targets
    for script in re.findall(r"python3 (\S+\.py)", spoken):
        assert (ROOT / script).is_file(), script


def test_a_deployment_synthesises_once_and_nobody_deploys_anything_else() -> None:
    spoken = "\n".join(script for file in called("deploy.yml") for script in scripts(file))
    made_ready = jobs(ROOT / ".github/workflows/deploy.yml")
    assert [name for name, job in made_ready.items() if job.get("uses", "").endswith("/synth.yml")] == ["synth"]
    assert re.findall(r"cdk (\w+) --app \"(\S+)\"", spoken) == [("deploy", "cdk.out/$ENVIRONMENT")] * 2
    assert len(re.findall(r"\bcdk (?:deploy|synth)\b", spoken)) == 2


def test_nothing_is_deployed_untested_and_prod_comes_after_dev_and_after_approval() -> None:
    deploy = jobs(ROOT / ".github/workflows/deploy.yml")
    assert set(deploy["dev"]["needs"]) == {"ci", "synth"}
    assert set(deploy["prod"]["needs"]) == {"dev", "approval"}
    assert "if" not in deploy["prod"], "a condition of its own could run it in spite of what it needs"
    [job] = jobs(ROOT / ".github/workflows/deploy-environment.yml").values()
    assert job["environment"] == "${{ inputs.environment }}"
    assert {name: deploy[name]["with"]["environment"] for name in ("dev", "prod")} == {"dev": "dev", "prod": "prod"}


@pytest.mark.parametrize(
    ("deployed", "place", "deploys"),
    [
        ("", "", True),
        ("b1", "ahead", True),
        ("b1", "identical", True),
        ("b1", "diverged", True),
        ("b1", "behind", False),
    ],
)
def test_a_commit_is_not_deployed_over_a_later_one(tmp_path: Path, deployed: str, place: str, deploys: bool) -> None:  # noqa: FBT001
    file = ROOT / ".github/workflows/deploy-environment.yml"
    first = next(steps(file))
    assert '.state == "ACTIVE"' in first["env"]["ACTIVE"]
    assert jobs(file)["deploy"]["permissions"]["deployments"] == "read"
    assert jobs(file)["deploy"]["concurrency"]["queue"] == "max", "a job that waits is not cancelled for an older one"
    github = tmp_path / "gh"
    github.write_text(
        f'#!/bin/sh\ncase "$*" in *graphql*) echo {deployed} ;; *compare/b1...a1*) echo {place} ;; esac\n'
    )
    github.chmod(0o755)
    environment = {
        "GITHUB_REPOSITORY": "shop/totes",
        "GITHUB_SHA": "a1",
        "ENVIRONMENT": "dev",
        "ASKED": "",
        "ACTIVE": "",
    }
    done = subprocess.run(
        ["bash", "-e", "-c", first["run"]],
        env={**environment, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is deploys, done.stderr
    assert ("dev has b1, a later commit than a1" in done.stdout) is not deploys


def test_a_pull_request_takes_the_role_that_only_looks_and_a_deployment_its_environments() -> None:
    roles = {
        (file.name, step["with"]["role-to-assume"].split("/")[-1])
        for file in FILES
        for step in steps(file)
        if step.get("uses", "").startswith("aws-actions/configure-aws-credentials@")
    }
    assert roles == {
        ("pull-request.yml", "totes-${{ matrix.environment }}-diff"),
        ("deploy-environment.yml", "totes-${{ inputs.environment }}-deploy"),
    }
    [diff] = [script for script in scripts(ROOT / ".github/workflows/pull-request.yml") if "cdk diff" in script]
    assert "--method template" in diff, "any other way asks for the role that deploys"


def test_the_comment_is_found_again_by_the_mark_that_it_begins_with() -> None:
    [post] = [step for step in steps(ROOT / ".github/workflows/pull-request.yml") if "OURS" in step.get("env", {})]
    assert f'startswith("{MARK}")' in post["env"]["OURS"]


def test_a_pull_request_is_held_up_by_every_job_that_tests_it() -> None:
    """Names of jobs are those of the matrix; one that is not in the ruleset may fail and be merged."""
    page = (ROOT / "docs/continuous-deployment.md").read_text(encoding="utf-8")
    named = set(re.findall(r'"context": "([^"]+)"', page))
    assert named == {
        f"{name} ({value})"
        for name, job in jobs(ROOT / ".github/workflows/ci.yml").items()
        for values in job["strategy"]["matrix"].values()
        for value in values
    }


def test_the_weekly_audit_asks_about_every_lock_and_fails_where_nobody_answers() -> None:
    assert scripts(ROOT / ".github/workflows/audit.yml") == ["make audit REQUIRED=yes"]
    said = subprocess.run(
        ["make", "--dry-run", "audit", "REQUIRED=yes"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    held = [*ROOT.glob("layers/*/*.lock"), *ROOT.glob("toolchain/*.lock")]
    held += [ROOT / folder / "package-lock.json" for folder in ("dashboard", "toolchain", "toolchain/versions")]
    words = said.split()
    assert {str(lock.relative_to(ROOT)) for lock in held} < set(words)
    assert "--required" in words


def test_the_page_names_the_workflows_that_there_are() -> None:
    page = (ROOT / "docs/continuous-deployment.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([a-z-]+\.yml)`", page, flags=re.MULTILINE)) == {file.name for file in FILES}
