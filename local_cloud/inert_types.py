"""Types of resources that a local cloud only records: they have a name, and do nothing."""

import json
from pathlib import Path

_SCHEDULE = "AWS::Scheduler::Schedule"
_ONLY_RECORDED = (
    "AWS::CloudFront::",
    "AWS::CloudWatch::Dashboard",
    "AWS::EC2::",
    "AWS::RDS::",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    _SCHEDULE,
    "AWS::SecretsManager::RotationSchedule",
)
"""Types, or their services, that the endpoint takes and nothing acts upon."""

_ACTS = (
    "AWS::EC2::EIP",
    "AWS::EC2::Instance",
    "AWS::EC2::LaunchTemplate",
    "AWS::EC2::NatGateway",
    "AWS::EC2::Route",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::SubnetRouteTableAssociation",
)
"""But these: they say who reaches the databases, and what is outside."""


def inert_types(assembly: Path, *, scheduled: bool) -> list[str]:
    """The types of resources in a cloud assembly that the local cloud takes without acting upon them.

    Args:
        assembly: the folder.
        scheduled: whether schedules fire.
    """
    acted_upon = {_SCHEDULE} if scheduled else set()
    types = {
        resource["Type"]
        for template in assembly.glob("*.template.json")
        for resource in json.loads(template.read_text(encoding="utf-8"))["Resources"].values()
    }
    return sorted(kind for kind in types - acted_upon if kind.startswith(_ONLY_RECORDED) and not kind.startswith(_ACTS))
