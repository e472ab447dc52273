"""What is deployed by the real cdk CLI, from the first deployment to the last: the stacks of dev and of prod."""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

import local_cloud
from command_line.deployment import Deployment
from local_cloud import cdk
from simulator import build
from tests.end_to_end.conftest import Deployed

STACKS = ("network", "data", "dashboard", "pipeline", "watch")

_CHANGED = """
import dataclasses
import sys

sys.path.insert(0, {project!r})
import aws_cdk

from app import chosen_environment, make_stacks

app = aws_cdk.App()
make_stacks(app, dataclasses.replace(chosen_environment(app.node), mass_deletion_percent=25))
app.synth()
"""


@pytest.fixture(scope="module", params=["dev", "prod"])
def deployed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """A cloud in which the stacks are, or what earlier tests have left of them."""
    state = tmp_path_factory.mktemp("cloud") / "state"
    steps: list[str] = []
    running = local_cloud.up(state, source=None, warehouse=None, say=steps.append, environment=request.param)
    [told] = [step for step in steps if "only recorded here: " in step]
    assert {"AWS::CloudFront::Distribution", "AWS::CloudWatch::Dashboard", "AWS::EC2::FlowLog"} <= {
        kind.strip() for kind in told.partition("only recorded here: ")[2].split(",")
    }
    build(running.source_uri, orders=20, seed=2)
    yield Deployed(running, state)
    local_cloud.down(state)


def call(deployed: Deployed, *arguments: str, app: str | None = None) -> subprocess.CompletedProcess[str]:
    """Type a command of the cdk CLI."""
    where = ["--app", app or str(deployed.state / "cdk.out")]
    context = ["--context", f"env={deployed.cloud.environment}", "--context", "target=host"]
    return subprocess.run(
        [cdk._CLI, *arguments, *where, *context, *cdk._QUIET],
        cwd=cdk.PROJECT,
        env=cdk._environment(deployed.cloud.endpoint),
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )


def stacks(deployed: Deployed) -> dict[str, str]:
    found = deployed.cloud.client("cloudformation").describe_stacks()["Stacks"]
    prefix = f"totes-{deployed.cloud.environment}-"
    return {
        stack["StackName"].removeprefix(prefix): stack["StackStatus"]
        for stack in found
        if stack["StackName"].startswith(prefix)
    }


def percent(deployed: Deployed) -> str:
    name = f"totes-{deployed.cloud.environment}-raw_data_to_ingestion_bucket"
    found = deployed.cloud.client("lambda").get_function_configuration(FunctionName=name)
    return str(found["Environment"]["Variables"]["MASS_DELETION_PERCENT"])


def allow_deletion(deployed: Deployed) -> None:
    """Lift what docs/removing.md tells somebody to lift who really means it."""
    client = deployed.cloud.client("cloudformation")
    for part in STACKS:
        client.update_termination_protection(
            StackName=f"totes-{deployed.cloud.environment}-{part}", EnableTerminationProtection=False
        )


def delete_warehouse(deployed: Deployed) -> None:
    """Delete what docs/removing.md tells somebody to delete by hand."""
    client = deployed.cloud.client("rds")
    [instance] = client.describe_db_instances()["DBInstances"]
    name = {"DBInstanceIdentifier": instance["DBInstanceIdentifier"]}
    with pytest.raises(ClientError, match="disable deletion protection"):
        client.delete_db_instance(**name, SkipFinalSnapshot=True)
    client.modify_db_instance(**name, DeletionProtection=False)
    client.delete_db_instance(**name, SkipFinalSnapshot=True)


def test_a_deployment_runs_is_changed_and_taken_away(deployed: Deployed, tmp_path: Path) -> None:
    assert stacks(deployed) == dict.fromkeys(STACKS, "CREATE_COMPLETE")
    assert deployed.run()["batch"] == 1

    difference = call(deployed, "diff", "--fail")
    assert difference.returncode == 0, difference.stdout + difference.stderr
    assert "Number of stacks with differences: 0" in difference.stdout + difference.stderr

    changed, synthesised = tmp_path / "changed.py", str(tmp_path / "out")
    changed.write_text(_CHANGED.format(project=str(cdk.PROJECT)))
    assert percent(deployed) == "20"
    assert call(deployed, "diff", "--fail", "--output", synthesised, app=f"python {changed}").returncode == 1
    update = call(deployed, "deploy", "--all", "--require-approval", "never", app=synthesised)
    assert update.returncode == 0, update.stdout + update.stderr
    assert percent(deployed) == "25"
    assert deployed.run()["batch"] is None, "nothing has changed at the source"

    if deployed.cloud.environment == "prod":
        refused = call(deployed, "destroy", "--all", "--force")
        assert refused.returncode != 0
        assert "TerminationProtection is enabled" in refused.stdout + refused.stderr
        assert stacks(deployed).keys() == set(STACKS)
        allow_deletion(deployed)
        held = call(deployed, "destroy", "--all", "--force")
        assert held.returncode != 0
        assert "has a dependent object" in held.stdout + held.stderr, "the warehouse stays, and holds its network"
        assert stacks(deployed) == {"network": "DELETE_FAILED"}
        delete_warehouse(deployed)
    gone = call(deployed, "destroy", "--all", "--force")
    assert gone.returncode == 0, (gone.stdout + gone.stderr)[-900:]
    assert stacks(deployed) == {}
    assert (
        len([name for name in bucket_names(deployed) if "ingestionbucket" in name or "processedbucket" in name]) == 2
    ), "the lake outlives its stack"


@pytest.mark.parametrize("deployed", ["dev"], indirect=True)
def test_what_was_taken_away_is_deployed_again_beside_what_it_has_left(deployed: Deployed) -> None:
    take_away(deployed)
    left = source_secrets(deployed)
    buckets = set(bucket_names(deployed))
    assert left
    assert [name for name in buckets if "ingestionbucket" in name]
    new = deploy_again(deployed)
    assert new["SourceSecretArn"] not in left
    assert new["IngestionBucket"] not in buckets


@pytest.mark.parametrize("deployed", ["dev"], indirect=True)
def test_a_login_whose_stack_is_gone_is_given_up_by_what_its_tags_say(deployed: Deployed) -> None:
    take_away(deployed)
    left = source_secrets(deployed)
    assert left, "they outlive their stack"
    given_up = deployed.totes("secrets", "delete", "source", "--yes")
    assert given_up.code == 0, given_up.err
    secrets = deployed.cloud.client("secretsmanager")
    assert all(secrets.describe_secret(SecretId=each)["DeletedDate"] for each in left)
    assert secrets.list_secrets()["SecretList"], "the other logins are left alone"
    nothing = deployed.totes("secrets", "delete", "source", "--yes")
    assert nothing.code == 1
    assert "neither a stack nor a secret of the source is left" in nothing.err


@pytest.mark.parametrize("deployed", ["dev"], indirect=True)
def test_with_both_keys_turned_the_data_goes_too(deployed: Deployed, tmp_path: Path) -> None:
    take_away(deployed)
    stayed = bucket_names(deployed)
    new = deploy_again(deployed)
    for bucket in (new["IngestionBucket"], new["ProcessedBucket"]):
        deployed.cloud.client("s3").put_object(Bucket=bucket, Key="batches/1/sales_order", Body=b"rows")
    out = str(tmp_path / "out")
    both = call(
        deployed,
        *("deploy", "--all", "--require-approval", "never", "--output", out, "--context", "delete_data=true"),
        app="python app.py",
    )
    assert both.returncode == 0, both.stdout + both.stderr
    gone = call(deployed, "destroy", "--all", "--force", app=out)
    assert gone.returncode == 0, (gone.stdout + gone.stderr)[-900:]
    assert bucket_names(deployed) == stayed
    with pytest.raises(ClientError, match="ResourceNotFound"):
        deployed.cloud.client("secretsmanager").describe_secret(SecretId=new["SourceSecretArn"])


def take_away(deployed: Deployed) -> None:
    """Destroy the stacks, if an earlier test has not."""
    if stacks(deployed):
        gone = call(deployed, "destroy", "--all", "--force")
        assert gone.returncode == 0, (gone.stdout + gone.stderr)[-900:]


def deploy_again(deployed: Deployed) -> Mapping[str, str]:
    """Deploy the stacks as they were; return their outputs."""
    again = call(deployed, "deploy", "--all", "--require-approval", "never")
    assert again.returncode == 0, (again.stdout + again.stderr)[-900:]
    return Deployment.local(deployed.state).outputs


def bucket_names(deployed: Deployed) -> list[str]:
    return [each["Name"] for each in deployed.cloud.client("s3").list_buckets()["Buckets"]]


def source_secrets(deployed: Deployed) -> set[str]:
    """The source's secrets, those that are scheduled for deletion left out."""
    found = deployed.cloud.client("secretsmanager").list_secrets()["SecretList"]
    return {each["ARN"] for each in found if "SourceSecret" in each["Name"]}
