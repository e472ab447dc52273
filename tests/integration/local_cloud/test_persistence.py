"""What stacks retain is there again after a kill -9, and nothing else is."""

import io
import json
import os
import signal
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud import LocalCloud
from local_cloud.folder import ENDPOINT, StateFolder
from local_cloud.launch import Daemon
from local_cloud.origin import CloudOrigin
from tests.support.daemons import forks
from tests.support.waiting import until

RESOURCES = {
    "Lake": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "RetainExceptOnCreate", "Properties": {}},
    "Scratch": {"Type": "AWS::S3::Bucket", "Properties": {}},
    "Login": {
        "Type": "AWS::SecretsManager::Secret",
        "DeletionPolicy": "RetainExceptOnCreate",
        "Properties": {"GenerateSecretString": {"SecretStringTemplate": "{}", "GenerateStringKey": "password"}},
    },
}
OUTPUTS = {name: {"Value": {"Ref": name}} for name in RESOURCES}


class Cloud:
    """A daemon with one stack, until it is killed."""

    def __init__(self, folder: StateFolder) -> None:
        lock = folder.claim(persistent=True)
        with forks():
            self.daemon = Daemon(folder, lock, [], persistent=True)
        os.close(lock)
        self._folder = folder
        self.client: Callable[[str], Any] = LocalCloud(
            state=folder.path,
            endpoint=self.daemon.await_document(ENDPOINT)["endpoint"],
            source_uri="unused",
            warehouse_uri="unused",
            environment="local",
        ).client
        self.s3, self.secrets = self.client("s3"), self.client("secretsmanager")
        self.deploy()

    def deploy(self) -> None:
        stacks, change = self.client("cloudformation"), {"StackName": "data", "ChangeSetName": "change"}
        template = json.dumps({"Resources": RESOURCES, "Outputs": OUTPUTS})
        stacks.create_change_set(**change, ChangeSetType="CREATE", TemplateBody=template)
        stacks.execute_change_set(**change)
        [stack] = stacks.describe_stacks(StackName="data")["Stacks"]
        self.names = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def objects(self, bucket: str) -> dict[str, bytes]:
        listed = self.s3.list_objects_v2(Bucket=self.names[bucket]).get("Contents", [])
        return {
            each["Key"]: self.s3.get_object(Bucket=self.names[bucket], Key=each["Key"])["Body"].read()
            for each in listed
        }

    def put(self, key: str, body: bytes, bucket: str = "Lake", **others: Any) -> None:
        self.s3.put_object(Bucket=self.names[bucket], Key=key, Body=body, **others)

    def value(self, stage: str = "AWSCURRENT") -> str:
        found: str = self.secrets.get_secret_value(SecretId=self.names["Login"], VersionStage=stage)["SecretString"]
        return found

    def schedule_rotation(self) -> None:
        """Tell when the login is rotated, which Secrets Manager tries with a version of its own."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("handler.py", "def handler(event, context): pass")
        role = self.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        function = self.client("lambda").create_function(
            FunctionName="rotate",
            Runtime="python3.13",
            Handler="handler.handler",
            Role=role,
            Code={"ZipFile": content.getvalue()},
        )
        self.secrets.rotate_secret(
            SecretId=self.names["Login"],
            RotationLambdaARN=function["FunctionArn"],
            RotationRules={"AutomaticallyAfterDays": 30},
            RotateImmediately=False,
        )

    def kill(self) -> None:
        os.kill(self.daemon.pid, signal.SIGKILL)
        until(lambda: not self._folder.is_running)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[StateFolder]:
    folder = StateFolder(tmp_path / "state")
    os.close(folder.claim())
    CloudOrigin(environment="local").write(folder)
    yield folder
    folder.remove()


def test_what_is_retained_is_there_again(folder: StateFolder) -> None:
    cloud = Cloud(folder)
    cloud.put("batches/1", b"rows")
    cloud.put("batches/2", b"first")
    cloud.put("batches/2", b"second")
    cloud.put("swept", b"")
    cloud.s3.delete_object(Bucket=cloud.names["Lake"], Key="swept")
    cloud.put("scratch", b"", bucket="Scratch")
    upload = {"Bucket": cloud.names["Lake"], "Key": "large"}
    begun = cloud.s3.create_multipart_upload(**upload)["UploadId"]
    part = cloud.s3.upload_part(**upload, UploadId=begun, PartNumber=1, Body=b"large")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    cloud.s3.complete_multipart_upload(**upload, UploadId=begun, MultipartUpload=parts)
    cloud.secrets.put_secret_value(SecretId=cloud.names["Login"], SecretString="mine")
    moment = cloud.s3.head_object(Bucket=cloud.names["Lake"], Key="batches/1")["LastModified"]
    time.sleep(1.1)  # S3 tells moments by the second
    cloud.kill()
    again = Cloud(folder)
    assert again.objects("Lake") == {"batches/1": b"rows", "batches/2": b"second", "large": b"large"}
    assert again.s3.head_object(Bucket=again.names["Lake"], Key="batches/1")["LastModified"] == moment
    assert again.objects("Scratch") == {}
    assert again.value() == "mine"
    with pytest.raises(ClientError, match="PreconditionFailed"):
        again.put("batches/1", b"another's", IfNoneMatch="*")


def test_a_rotation_that_was_cut_short_is_where_it_was(folder: StateFolder) -> None:
    cloud = Cloud(folder)
    current = cloud.value()
    cloud.secrets.put_secret_value(SecretId=cloud.names["Login"], SecretString="next", VersionStages=["AWSPENDING"])
    cloud.kill()
    again = Cloud(folder)
    again.schedule_rotation()
    assert (again.value(), again.value("AWSPENDING")) == (current, "next")
    with pytest.raises(ClientError, match="A previous rotation isn't complete"):
        again.secrets.rotate_secret(SecretId=again.names["Login"], RotateImmediately=False)
    stages = again.secrets.describe_secret(SecretId=again.names["Login"])["VersionIdsToStages"]
    versions = {stage: version for version, held in stages.items() for stage in held}
    again.secrets.update_secret_version_stage(
        SecretId=again.names["Login"],
        VersionStage="AWSCURRENT",
        MoveToVersionId=versions["AWSPENDING"],
        RemoveFromVersionId=versions["AWSCURRENT"],
    )
    again.kill()
    assert Cloud(folder).value() == "next"


def test_what_was_refused_is_not_there_afterwards(folder: StateFolder) -> None:
    cloud = Cloud(folder)
    cloud.put("kept", b"as it was")
    for key in ("kept", "new"):
        with pytest.raises(ClientError, match="InvalidStorageClass"):
            cloud.put(key, b"refused", StorageClass="NOSUCH")
    cloud.kill()
    assert Cloud(folder).objects("Lake") == {"kept": b"as it was"}


def test_a_bucket_made_beside_a_retained_one_begins_empty(folder: StateFolder) -> None:
    cloud = Cloud(folder)
    cloud.put("batches/1", b"rows")
    before = cloud.names["Lake"]
    cloud.client("cloudformation").delete_stack(StackName="data")
    cloud.deploy()
    assert cloud.objects("Lake") == {}
    assert cloud.s3.list_objects_v2(Bucket=before)["KeyCount"] == 1
    cloud.kill()
    assert Cloud(folder).objects("Lake") == {}


def test_a_secret_that_was_given_up_for_deletion_stops_no_cloud_from_being_continued(folder: StateFolder) -> None:
    cloud = Cloud(folder)
    cloud.secrets.put_secret_value(SecretId=cloud.names["Login"], SecretString="mine")
    cloud.secrets.delete_secret(SecretId=cloud.names["Login"], RecoveryWindowInDays=30)
    cloud.kill()
    assert Cloud(folder).value() == "mine"
