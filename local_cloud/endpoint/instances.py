"""Instances that are started as their launch template says, and no more than the account's quota allows.

Of a template moto uses image, type, user data and disks. Here the subnet, the security groups and the profile are used
too, which decide what the instance can reach.
"""

from collections.abc import Mapping
from typing import Any

from moto.ec2.exceptions import InvalidSubnetIdError
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import InstanceBackend
from moto.iam.models import iam_backends

from local_cloud.account import ACCOUNT, REGION
from local_cloud.endpoint import quotas
from local_cloud.endpoint.patches import patch

_PARTITION = "aws"

_moto_run = InstanceBackend.run_instances


def install() -> None:
    """Patch moto's instances."""
    patch(
        InstanceBackend,
        "run_instances",
        _run,
        why="moto takes no subnet, security groups or profile from a launch template",
    )


def running(instance: str) -> Any | None:
    """Return an instance that runs; None: it does not, or there is none."""
    found = [each for each in ec2_backends[ACCOUNT][REGION].all_instances() if each.id == instance]
    return found[0] if found and found[0].state == "running" else None


def groups_of(instance: Any) -> list[str]:
    """Return the security groups that an instance is in."""
    return [group.id for interface in instance.nics.values() for group in interface.group_set]


def role_of(instance: Any) -> str | None:
    """Return the ARN of the role that an instance has by its profile; None: it has none."""
    profile = (instance.iam_instance_profile or {}).get("Arn")
    for each in iam_backends[ACCOUNT][_PARTITION].instance_profiles.values():
        if each.arn == profile and each.roles:
            return str(each.roles[0].arn)
    return None


def _run(backend: Any, image_id: str, count: int, *arguments: Any, **options: Any) -> Any:
    named = options.get("launch_template")
    said = backend._get_template_from_args(named).data if named else {}  # noqa: SLF001 - moto's own
    of_template = said.get("InstanceType") if options.get("is_instance_type_default") else None
    quotas.refuse_more_than_may_run(backend.all_instances(), of_template or options["instance_type"], count)
    reservation = _moto_run(backend, image_id, count, *arguments, **{**options, **_placed(said)})
    profile = said.get("IamInstanceProfile", {})
    for instance in reservation.instances if profile else ():
        backend.associate_iam_instance_profile(
            instance_id=instance.id,
            iam_instance_profile_arn=profile.get("Arn"),
            iam_instance_profile_name=profile.get("Name"),
        )
    return reservation


def _placed(said: Mapping[str, Any]) -> dict[str, Any]:
    """A template's settings of the one network interface, in moto's form."""
    interfaces = said.get("NetworkInterfaces", [])
    if not interfaces:
        return {}
    [interface] = interfaces
    if not interface.get("SubnetId"):
        raise InvalidSubnetIdError("")
    return {
        "subnet_id": interface["SubnetId"],
        "security_group_ids": list(interface.get("Groups", [])),
        "associate_public_ip": str(interface.get("AssociatePublicIpAddress")).lower() == "true",
        "instance_initiated_shutdown_behavior": said.get("InstanceInitiatedShutdownBehavior"),
        "metadata_options": said.get("MetadataOptions", {}),
    }
