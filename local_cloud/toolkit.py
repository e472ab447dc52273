"""Does what `cdk bootstrap` does in an account, and publishes the assets that an earlier deployment has zipped.

The template and the parameters are the CLI's own. To start the CLI takes two seconds of a processor, and to let it
publish the dependency layer takes two more.
"""

import json
from pathlib import Path
from typing import Any

import yaml

from local_cloud.account import ACCOUNT, REGION
from local_cloud.cdk import PROJECT, TOOLKIT, ZIPPED
from totes.errors import UserError

_TEMPLATE = PROJECT / "toolchain" / "node_modules" / "aws-cdk" / "lib" / "api" / "bootstrap" / "bootstrap-template.yaml"

_BUCKET = f"cdk-totes-assets-{ACCOUNT}-{REGION}"

_PARAMETERS = {
    "FileAssetsBucketKmsKeyId": "AWS_MANAGED_KEY",
    "TrustedAccounts": "",
    "TrustedAccountsForLookup": "",
    "CloudFormationExecutionPolicies": "",
    "Qualifier": "totes",
    "PublicAccessBlockConfiguration": "true",
}


def bootstrap(cloudformation: Any) -> None:
    """Bootstrap an account in which no stack is, under totes' own qualifier.

    Args:
        cloudformation: a client of the account's.

    Raises:
        UserError: the cdk CLI is missing.
    """
    if not _TEMPLATE.exists():
        raise UserError("the cdk CLI is missing; make setup installs it")
    with _TEMPLATE.open("rb") as file:
        template = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - it is a safe one
    cloudformation.create_stack(
        StackName=TOOLKIT,
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in _PARAMETERS.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    )


def publish(s3: Any, assembly: Path) -> None:
    """Put into the account what the CLI would, and has zipped at an earlier deployment; it leaves out what is there.

    Args:
        s3: a client of the account's.
        assembly: what is to be deployed.
    """
    for asset in assembly.glob("asset.*"):
        zipped = ZIPPED / f"{asset.name.removeprefix('asset.')}.zip"
        if zipped.exists():
            with zipped.open("rb") as body:
                s3.put_object(Bucket=_BUCKET, Key=zipped.name, Body=body)
