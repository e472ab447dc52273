"""How many vCPUs run at once in the account: EC2 refuses the instance that is too many.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
Of Service Quotas moto knows the VPC's alone, and raises none. Here a person asks for another value of this one and has
it at once, a lower one too.
"""

import json
from collections.abc import Mapping
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.servicequotas.models import ServiceQuotasBackend
from moto.servicequotas.responses import ServiceQuotasResponse

from local_cloud.endpoint.patches import add, patch

_SERVICE, _VCPUS = "ec2", "L-1216C47A"

_AT_FIRST = 32.0
"""As many as AWS gives many accounts; its own default is 5, and it gives new ones less at times."""

_COUNTED = ("pending", "running")

_values: dict[str, float] = {_VCPUS: _AT_FIRST}

_moto_get = ServiceQuotasBackend.get_service_quota


def install() -> None:
    """Let Service Quotas tell this quota, and raise it."""
    patch(ServiceQuotasBackend, "get_service_quota", _get, why="moto knows the quotas of the VPC alone")
    add(ServiceQuotasResponse, "request_service_quota_increase", _increase, why="moto raises no quota")


def refuse_more_than_may_run(instances: list[Any], kind: str, count: int) -> None:
    """Raise EC2's refusal where so many instances of a type are too many beside those that there are.

    All are taken for ones of the standard families, as a T4g is.
    """
    wanted = [kind] * count + [str(each.instance_type) for each in instances if each.state in _COUNTED]
    most = _values[_VCPUS]
    if sum(map(_vcpus, wanted)) > most:
        raise EC2ClientError(
            "VcpuLimitExceeded",
            f"You have requested more vCPU capacity than your current vCPU limit of {most:.0f} allows for the instance "
            "bucket that the specified instance type belongs to. Please visit "
            "http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.",
        )


def _vcpus(kind: str) -> int:
    count: int = INSTANCE_TYPES[kind]["VCpuInfo"]["DefaultVCpus"]
    return count


def _get(backend: Any, service_code: str, quota_code: str) -> Mapping[str, Any]:
    if service_code == _SERVICE and quota_code in _values:
        return _quota(quota_code)
    found: Mapping[str, Any] = _moto_get(backend, service_code, quota_code)
    return found


def _quota(code: str) -> dict[str, Any]:
    return {
        "ServiceCode": _SERVICE,
        "QuotaCode": code,
        "QuotaName": "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
        "Value": _values[code],
        "Adjustable": True,
        "GlobalQuota": False,
    }


def _increase(response: Any) -> str:
    asked = json.loads(response.body)
    response.backend.get_service_quota(asked["ServiceCode"], asked["QuotaCode"])  # which refuses what there is not
    if asked["QuotaCode"] in _values:
        _values[asked["QuotaCode"]] = float(asked["DesiredValue"])
    return json.dumps({"RequestedQuota": {**asked, "Status": "APPROVED"}})
