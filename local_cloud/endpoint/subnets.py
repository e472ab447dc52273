"""Subnets: the zones that AWS gives them, and what keeps them from being deleted.

moto's Fn::GetAZs names four zones of another region, whatever there is. AWS's names those that have a default subnet,
or all if none has one, so the list changes with the account; a subnet that is there does not move with it:
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getavailabilityzones.html
https://github.com/buildkite/elastic-ci-stack-for-aws/issues/319
A subnet is not deleted while an endpoint is in it, nor a network while it has a security group, whoever made them:
https://docs.aws.amazon.com/guardduty/latest/ug/using-iac-with-gdu-automated-agents-runtime-monitoring.html
"""

import json
from collections.abc import Mapping
from typing import Any, Self

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.ec2.exceptions import DependencyViolationError
from moto.ec2.models import ec2_backends
from moto.ec2.models.subnets import SubnetBackend
from moto.ec2.models.vpcs import VPCBackend

from local_cloud.account import ACCOUNT
from local_cloud.endpoint.networks import endpoints_of
from local_cloud.endpoint.patches import patch
from local_cloud.endpoint.resources import Properties, Resource

_ZONE, _ZONES, _SELECT = "AvailabilityZone", "Fn::GetAZs", "Fn::Select"

_moto_resolve = parsing.clean_json
_moto_delete_subnet = SubnetBackend.delete_subnet
_moto_delete_vpc = VPCBackend.delete_vpc


def install() -> None:
    """Patch what moto says of zones, and how it deletes subnets and networks."""
    patch(parsing, "clean_json", _resolve, why="moto names zones of another region, and the same ones always")
    patch(SubnetBackend, "delete_subnet", _delete_subnet, why="moto deletes a subnet that an endpoint is in")
    patch(VPCBackend, "delete_vpc", _delete_vpc, why="moto deletes a network that has a security group")


def moved(resources: Any, templates: Mapping[str, Any]) -> set[str]:
    """The subnets of a stack for which AWS now names another zone than the one that they are in.

    Args:
        resources: moto's resources of the stack.
        templates: the resources of its new template.

    Raises:
        ValidationError: AWS names none.
    """
    found = {name: each for name, each in resources._parsed_resources.items() if isinstance(each, Subnet)}  # noqa: SLF001
    zones = {name: templates[name].get("Properties", {}).get(_ZONE) for name in found.keys() & templates.keys()}
    asked = {name: zone for name, zone in zones.items() if _ZONES in json.dumps(zone)}
    return {name for name, zone in asked.items() if _resolve(zone, resources) != found[name].properties.get(_ZONE)}


def _resolve(template: Any, resources: Any) -> Any:
    if isinstance(template, Mapping) and _ZONES in template:
        return _zones(resources._region_name)  # noqa: SLF001
    if isinstance(template, Mapping) and _SELECT in template:
        try:
            return _moto_resolve(template, resources)
        except IndexError:
            index = template[_SELECT][0]
            raise ValidationError(
                message=f"Template error: Fn::Select  cannot select nonexistent value at index {index}"
            ) from None
    return _moto_resolve(template, resources)


def _zones(region: str) -> list[str]:
    """What Fn::GetAZs names; every subnet of the default network counts as a zone's default one."""
    backend = ec2_backends[ACCOUNT][region]
    default = backend.get_default_vpc()
    subnets = backend.describe_subnets(filters={"vpc-id": default.id}) if default else []
    return sorted({each.availability_zone for each in subnets}) or [
        each.name for each in backend.describe_availability_zones()
    ]


def _delete_subnet(backend: Any, subnet_id: str) -> Any:
    if any(subnet_id in (each.subnet_ids or ()) for each in endpoints_of(backend)):
        raise DependencyViolationError(f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")
    return _moto_delete_subnet(backend, subnet_id)


def _delete_vpc(backend: Any, vpc_id: str) -> Any:
    if any(not each.is_default for each in backend.groups.get(vpc_id, {}).values()):
        raise DependencyViolationError(f"The vpc '{vpc_id}' has dependencies and cannot be deleted.")
    return _moto_delete_vpc(backend, vpc_id)


class Subnet(Resource):
    """A subnet."""

    cloudformation = "AWS::EC2::Subnet"
    service = "ec2"
    replaced_by = ("VpcId", "CidrBlock", _ZONE)
    attribute_names = ("SubnetId", "VpcId", "CidrBlock", _ZONE)

    def make(self) -> None:
        """Make it, in a zone that AWS chooses if its template names none."""
        wanted = {_ZONE: _zones(self.region)[0], **self.typed("CreateSubnet", ("VpcId", "CidrBlock", _ZONE))}
        tags = [{"ResourceType": "subnet", "Tags": said}] if (said := self.properties.get("Tags")) else []
        made = self.client.create_subnet(**wanted, TagSpecifications=tags)["Subnet"]
        self.physical_resource_id = made["SubnetId"]
        self.attributes = {word: made[word] for word in self.attribute_names}
        self.change(self.properties)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Self,
        new_resource_name: str,
        cloudformation_json: Mapping[str, Any],
        account_id: str,
        region_name: str,
    ) -> Self:
        """Change it; to another zone it comes only with other addresses."""
        new, old = cloudformation_json["Properties"], original_resource.properties
        same = {word for word in cls.replaced_by if new.get(word) == old.get(word)}
        if same == {"VpcId", "CidrBlock"}:
            raise ValidationError(
                message="CIDR Block must change if Availability Zone is changed and VPC ID is not changed"
            )
        return super().update_from_cloudformation_json(
            original_resource, new_resource_name, cloudformation_json, account_id, region_name
        )

    def change(self, properties: Properties) -> None:
        """Say whether instances in it get an address; nothing here reads its tags."""
        public = str(properties.get("MapPublicIpOnLaunch", False)).lower() == "true"
        self.client.modify_subnet_attribute(SubnetId=self.physical_resource_id, MapPublicIpOnLaunch={"Value": public})

    def remove(self) -> None:
        """Delete it."""
        self.client.delete_subnet(SubnetId=self.physical_resource_id)


MODELS: tuple[type[Resource], ...] = (Subnet,)
