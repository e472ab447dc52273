"""The same environment with its way out by NAT instances, and by NAT gateways: what either costs a month."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from costs import assumptions
from costs.estimate import estimate
from costs.templates import TemplateResource

_ALARM = "AWS::CloudWatch::Alarm"
_GATEWAY = "AWS::EC2::NatGateway"
_INSTANCE = "AWS::EC2::Instance"


def by_each_way_out(resources: Sequence[TemplateResource]) -> Mapping[str, Decimal]:
    """What an environment costs a month with NAT instances and with NAT gateways, as many as it has of either.

    Empty: it has neither, for it has no network of its own, or nothing outside to reach.
    """
    instances = [
        each for each in resources if each.kind == _INSTANCE and each.properties.get("SourceDestCheck") is False
    ]
    gateways = [each for each in resources if each.kind == _GATEWAY]
    if not instances and not gateways:
        return {}
    alarms = [
        each for each in resources if each.kind == _ALARM and any(each.names(one, "Dimensions") for one in instances)
    ]
    others = [each for each in resources if not any(each is one for one in (*instances, *alarms, *gateways))]
    count = len(instances) + len(gateways)
    as_instances = [
        TemplateResource("Nat", _INSTANCE, assumptions.NAT_INSTANCE),
        TemplateResource("Hangs", _ALARM, assumptions.NAT_ALARM),
    ]
    return {
        "instance": estimate(resources if instances else [*others, *as_instances * count]).usd,
        "gateway": estimate(resources if gateways else [*others, *[TemplateResource("Nat", _GATEWAY, {})] * count]).usd,
    }
