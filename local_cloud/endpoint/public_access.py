"""VPC Block Public Access: whether an account, or its organization, lets networks reach the internet.

moto has none. A NAT instance is reached through an internet gateway as any instance is, so either mode cuts it off; a
NAT gateway only lets connections out, and works on where no more than what comes in is blocked:
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcBlockPublicAccessOptions.html
"""

from typing import Any, Literal, get_args

from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidParameterValueError
from moto.ec2.responses import EC2Response

from local_cloud.account import ACCOUNT, REGION
from local_cloud.endpoint.patches import add

_Mode = Literal["off", "block-ingress", "block-bidirectional"]

_modes: dict[str, _Mode] = {REGION: "off"}


def install() -> None:
    """Let EC2 tell the mode, and set it."""
    add(EC2Response, "describe_vpc_block_public_access_options", _describe, why="moto blocks no public access")
    add(EC2Response, "modify_vpc_block_public_access_options", _modify, why="moto blocks no public access")


def blocks_instances() -> bool:
    """Return whether what is in a public subnet, such as a NAT instance, is cut off."""
    return _modes[REGION] != "off"


def blocks_gateways() -> bool:
    """Return whether NAT gateways are cut off too."""
    return _modes[REGION] == "block-bidirectional"


def _describe(_: Any) -> ActionResult:
    return ActionResult(_said())


def _modify(response: Any) -> ActionResult:
    mode = response._get_param("InternetGatewayBlockMode")  # noqa: SLF001
    if mode not in get_args(_Mode):
        raise InvalidParameterValueError(mode)
    _modes[REGION] = mode
    return ActionResult(_said())


def _said() -> dict[str, Any]:
    options = {"AwsAccountId": ACCOUNT, "AwsRegion": REGION, "InternetGatewayBlockMode": _modes[REGION]}
    return {"VpcBlockPublicAccessOptions": options}
