"""An environment's month: what each resource type costs, what is free, and what is not known.

A function that is named after a resource type says what one resource of it is charged; each raises Unpriceable where
that is not known.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from costs import assumptions, prices
from costs.assumptions import A_SMALL_SHOP, METRIC_MONTHS, Requests, Use
from costs.prices import Charge, Price
from costs.templates import Runs, TemplateResource, Unpriceable
from totes.lake.audit import NIGHTS
from totes.telemetry import NAMESPACE

CUSTOM_METRICS = "custom metrics"

_MB_A_GB = 1024
_KB_A_GB = 1024**2
_A_MINUTE = 60
_LOG_WIDGET = r"\"type\":\"log\""
_NAMED_METRIC = rf'(?:"MetricName": |"{NAMESPACE}\\",\\)"(\w+)'  # by an alarm; by a graph, in JSON within JSON

_ALARM = "AWS::CloudWatch::Alarm"
_BOARD = "AWS::CloudWatch::Dashboard"
_GATEWAY = "AWS::EC2::NatGateway"
_INSTANCE = "AWS::EC2::Instance"


@dataclass(frozen=True)
class Line:
    """What resources of one type use at one price.

    Attributes:
        kind: the resource type.
        count: how many resources use it.
        charge: how much of it, all together.
    """

    kind: str
    count: int
    charge: Charge


@dataclass(frozen=True)
class Unknown:
    """A resource of which it is not known what it costs, and why."""

    kind: str
    logical_id: str
    reason: str


@dataclass(frozen=True)
class Estimate:
    """A month's cost.

    Attributes:
        lines: what costs, by resource type.
        free: how many resources of each type cost nothing by themselves.
        unknown: what the total lacks.
    """

    lines: Sequence[Line]
    free: Mapping[str, int]
    unknown: Sequence[Unknown]

    @property
    def usd(self) -> Decimal:
        """The total of what is known."""
        return sum((line.charge.usd for line in self.lines), Decimal(0))

    def to_dict(self) -> dict[str, Any]:
        """The estimate with its prices, for JSON."""
        return {
            "region": prices.REGION,
            "prices_as_of": prices.AS_OF,
            "usd": float(round(self.usd, 2)),
            "lines": [_line_to_dict(line) for line in self.lines],
            "free": dict(self.free),
            "unknown": [
                {"kind": each.kind, "logical_id": each.logical_id, "reason": each.reason} for each in self.unknown
            ],
            "not_counted": list(assumptions.NOT_COUNTED),
        }


def estimate(resources: Sequence[TemplateResource], use: Use = A_SMALL_SHOP) -> Estimate:
    """What resources cost in a month; one of which that is not known is named in `unknown`, never zero.

    Args:
        resources: all of an environment.
        use: what the shop's size decides.
    """
    runs = Runs(resources, use)
    charges: dict[tuple[str, Price], list[Charge]] = {}
    if sent := _metrics(resources):
        charges[CUSTOM_METRICS, prices.CUSTOM_METRIC] = sent
    free = Counter[str]()
    unknown = []
    for resource in resources:
        try:
            found = _charges(resource, runs)
        except Unpriceable as reason:
            unknown.append(Unknown(resource.kind, resource.logical_id, str(reason)))
            continue
        if not found:
            free[resource.kind] += 1
        for charge in found:
            charges.setdefault((resource.kind, charge.price), []).append(charge)
    lines = [
        Line(kind, len(same), Charge(sum(charge.quantity for charge in same), price))
        for (kind, price), same in charges.items()
    ]
    return Estimate(
        lines=sorted(lines, key=lambda line: line.kind),
        free=dict(sorted(free.items())),
        unknown=unknown,
    )


def _metrics(resources: Sequence[TemplateResource]) -> list[Charge]:
    """The metrics of totes' own: those that an alarm or the operations dashboard names, for no others are sent."""
    watching = json.dumps([each.properties for each in resources if each.kind in {_ALARM, _BOARD}])
    named = set(re.findall(_NAMED_METRIC, watching))
    return [Charge(months, prices.CUSTOM_METRIC) for name, months in METRIC_MONTHS.items() if name in named]


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


def function(resource: TemplateResource, runs: Runs) -> list[Charge]:
    """AWS::Lambda::Function: its runs, and the memory that they hold for the seconds assumed."""
    count = runs.of_function(resource)
    gigabytes = resource.number("MemorySize", default=128) / 1024
    [architecture] = resource.properties.get("Architectures", ["x86_64"])
    return [
        Charge(count, prices.LAMBDA_REQUEST),
        Charge(count * _seconds(resource, runs.use) * gigabytes, prices.LAMBDA_GB_SECOND[architecture]),
    ]


def _seconds(resource: TemplateResource, use: Use) -> Decimal:
    full_name = str(resource.properties.get("FunctionName", resource.logical_id))
    for name, seconds in use.seconds_a_run.items():
        if full_name.endswith(f"-{name}"):
            return seconds
    raise Unpriceable(f"costs/assumptions.py has no seconds a run for {full_name}")


def state_machine(resource: TemplateResource, runs: Runs) -> list[Charge]:
    """AWS::StepFunctions::StateMachine: the transitions of its executions, and their traces."""
    if resource.properties.get("StateMachineType", "STANDARD") != "STANDARD":
        raise Unpriceable("only a standard workflow has a price here")
    count = runs.of_machine(resource)
    charges = [Charge(count * assumptions.TRANSITIONS_AN_EXECUTION, prices.STATE_TRANSITION)]
    if resource.properties.get("TracingConfiguration", {}).get("Enabled"):
        charges.append(Charge(count, prices.TRACE))
    return charges


def schedule(resource: TemplateResource, runs: Runs) -> list[Charge]:
    """AWS::Scheduler::Schedule: each time that it comes due."""
    return [Charge(runs.of_schedule(resource), prices.SCHEDULED_INVOCATION)]


def bucket(resource: TemplateResource, runs: Runs) -> list[Charge]:
    """AWS::S3::Bucket: the gigabytes assumed, the requests of ticks and nights, and browsers' where they may ask."""
    use, ticks = runs.use, runs.ticks
    if "CorsConfiguration" in resource.properties:
        writes, reads = _asked((assumptions.IDLE_PUBLICATION, ticks), (assumptions.PUBLICATION, ticks * use.published))
        looks = assumptions.LOOKS * (assumptions.FILES_A_LOOK + assumptions.POLLS_A_LOOK)
        return [
            Charge(use.gb_of_snapshots, prices.S3_STORAGE),
            Charge(writes, prices.S3_WRITE),
            Charge(reads + looks, prices.S3_READ),
            Charge(assumptions.LOOKS * use.mb_a_look / _MB_A_GB, prices.DATA_OUT),
        ]
    writes, reads = _asked(
        (assumptions.IDLE_TICK, ticks),
        (assumptions.CHANGED_TICK, ticks * use.changed),
        (assumptions.AUDITED_BATCH, assumptions.DAYS_A_MONTH * use.batches / NIGHTS),
    )
    return [
        Charge(use.gb_a_bucket, prices.S3_STORAGE),
        Charge(writes / assumptions.LAKE_BUCKETS, prices.S3_WRITE),
        Charge(reads / assumptions.LAKE_BUCKETS, prices.S3_READ),
    ]


def _asked(*times: tuple[Requests, Decimal]) -> tuple[Decimal, Decimal]:
    """PUT and LIST requests, and GET requests, of what happens so many times."""
    writes = sum((each.writes * often for each, often in times), Decimal(0))
    return writes, sum((each.reads * often for each, often in times), Decimal(0))


def secret(_: TemplateResource, runs: Runs) -> list[Charge]:
    """AWS::SecretsManager::Secret: to be there, and to be read in each tick."""
    return [Charge(1, prices.SECRET), Charge(runs.ticks * assumptions.CALLS_A_TICK, prices.SECRET_CALL)]


def database(resource: TemplateResource, _: Runs) -> list[Charge]:
    """AWS::RDS::DBInstance: PostgreSQL on gp3, its instance and its storage, in one zone or in two.

    The secret in which RDS keeps the master's password is in no template, and is charged as any other:
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html
    """
    given = resource.properties
    size = given.get("DBInstanceClass")
    if given.get("Engine") != "postgres" or given.get("StorageType") != "gp3" or "Iops" in given:
        raise Unpriceable("only PostgreSQL on gp3 without more IOPS than it comes with has a price here")
    if size not in prices.DATABASE_HOUR:
        raise Unpriceable(f"costs/prices.py has no price of {size}")
    zones = 2 if given.get("MultiAZ") else 1
    return [
        Charge(assumptions.HOURS_A_MONTH * zones, prices.DATABASE_HOUR[size]),
        Charge(resource.number("AllocatedStorage") * zones, prices.DATABASE_GP3),
        *([Charge(1, prices.SECRET)] if given.get("ManageMasterUserPassword") else []),
    ]


def log_group(resource: TemplateResource, runs: Runs) -> list[Charge]:
    """AWS::Logs::LogGroup: what is written to it, and what it holds once it is as old as its retention."""
    if "RetentionInDays" not in resource.properties:
        raise Unpriceable("it keeps its events for ever, and so costs more every month")
    gigabytes = runs.into_log(resource) * assumptions.KB_LOGGED_A_RUN / _KB_A_GB
    months = resource.number("RetentionInDays") / assumptions.DAYS_A_MONTH
    return [Charge(gigabytes, prices.LOG_INGEST), Charge(gigabytes * months, prices.LOG_STORAGE)]


def alarm(resource: TemplateResource, _: Runs) -> list[Charge]:
    """AWS::CloudWatch::Alarm: each metric that it watches."""
    queries = resource.properties.get("Metrics", [])
    if any("ANOMALY" in str(query.get("Expression")) for query in queries):
        raise Unpriceable("an alarm on an anomaly has no price here")
    statistics = [query["MetricStat"] for query in queries if "MetricStat" in query] or [resource.properties]
    fast = any(int(statistic["Period"]) < _A_MINUTE for statistic in statistics)
    return [Charge(len(statistics), prices.FAST_ALARM if fast else prices.ALARM)]


def dashboard(resource: TemplateResource, _: Runs) -> list[Charge]:
    """AWS::CloudWatch::Dashboard: to be there, and what its queries of logs scan each time that somebody looks."""
    queries = json.dumps(resource.properties.get("DashboardBody")).count(_LOG_WIDGET)
    scanned = queries * assumptions.DASHBOARD_LOOKS * assumptions.GB_SCANNED_A_LOOK
    return [Charge(1, prices.DASHBOARD), *([Charge(scanned, prices.LOG_SCAN)] if queries else [])]


def topic(_: TemplateResource, __: Runs) -> list[Charge]:
    """AWS::SNS::Topic: the e-mails that it is assumed to send."""
    return [Charge(assumptions.EMAILS_A_TOPIC, prices.EMAIL)]


def queue(_: TemplateResource, __: Runs) -> list[Charge]:
    """AWS::SQS::Queue: its requests."""
    return [Charge(assumptions.REQUESTS_A_QUEUE, prices.SQS_REQUEST)]


def nat_gateway(_: TemplateResource, runs: Runs) -> list[Charge]:
    """AWS::EC2::NatGateway: its hours, and what goes through it: each night a source outside goes through one."""
    of_nights = assumptions.DAYS_A_MONTH * runs.use.gb_a_night / runs.gateways
    return [
        Charge(assumptions.HOURS_A_MONTH, prices.NAT_HOUR),
        Charge(assumptions.GB_THROUGH_A_GATEWAY + of_nights, prices.NAT_DATA),
    ]


def endpoint(resource: TemplateResource, _: Runs) -> list[Charge]:
    """AWS::EC2::VPCEndpoint: an interface costs its hours in each zone; a gateway costs nothing."""
    kind = resource.properties.get("VpcEndpointType", "Gateway")
    if kind == "Gateway":
        return []
    subnets = resource.properties.get("SubnetIds")
    if kind != "Interface" or not isinstance(subnets, list):
        raise Unpriceable("only a gateway, and an interface with a list of subnets, has a price here")
    return [
        Charge(assumptions.HOURS_A_MONTH * len(subnets), prices.ENDPOINT_HOUR),
        Charge(assumptions.GB_THROUGH_AN_ENDPOINT, prices.ENDPOINT_DATA),
    ]


def address(_: TemplateResource, __: Runs) -> list[Charge]:
    """AWS::EC2::EIP: its hours, in use or not."""
    return [Charge(assumptions.HOURS_A_MONTH, prices.PUBLIC_ADDRESS_HOUR)]


def instance(resource: TemplateResource, _: Runs) -> list[Charge]:
    """AWS::EC2::Instance: its hours, its disks, and a public address that it has of its own."""
    given = resource.properties
    size = given.get("InstanceType")
    if size not in prices.INSTANCE_HOUR:
        raise Unpriceable(f"costs/prices.py has no price of {size}")
    if given.get("Monitoring"):
        raise Unpriceable("detailed monitoring has no price here")
    disks = given.get("BlockDeviceMappings", [])
    if not disks:
        raise Unpriceable("how large its disk is stands in no template")
    charges = [
        Charge(assumptions.HOURS_A_MONTH, prices.INSTANCE_HOUR[size]),
        Charge(sum(map(_gigabytes, disks), Decimal(0)), prices.VOLUME_GP3),
    ]
    if any(each.get("AssociatePublicIpAddress") for each in given.get("NetworkInterfaces", [])):
        charges.append(Charge(assumptions.HOURS_A_MONTH, prices.PUBLIC_ADDRESS_HOUR))
    return charges


def _gigabytes(disk: Mapping[str, Any]) -> Decimal:
    volume = TemplateResource("disk", "AWS::EC2::Volume", disk.get("Ebs", {}))
    if volume.properties.get("VolumeType") != "gp3" or "Iops" in volume.properties:
        raise Unpriceable("only a disk of gp3 without more IOPS than it comes with has a price here")
    return volume.number("VolumeSize")


def distribution(_: TemplateResource, __: Runs) -> list[Charge]:
    """AWS::CloudFront::Distribution: the requests for the page, and what is sent."""
    return [
        Charge(assumptions.LOOKS * assumptions.PAGE_REQUESTS_A_LOOK, prices.CLOUDFRONT_REQUEST),
        Charge(assumptions.LOOKS * assumptions.MB_OF_PAGE_A_LOOK / _MB_A_GB, prices.CLOUDFRONT_DATA),
    ]


def user_pool(_: TemplateResource, __: Runs) -> list[Charge]:
    """AWS::Cognito::UserPool: whoever signs in at least once a month."""
    return [Charge(assumptions.READERS, prices.ACTIVE_USER)]


PRICED: Mapping[str, Callable[[TemplateResource, Runs], list[Charge]]] = {
    "AWS::CloudFront::Distribution": distribution,
    "AWS::Cognito::UserPool": user_pool,
    "AWS::Lambda::Function": function,
    "AWS::StepFunctions::StateMachine": state_machine,
    "AWS::Scheduler::Schedule": schedule,
    "AWS::S3::Bucket": bucket,
    "AWS::SecretsManager::Secret": secret,
    "AWS::RDS::DBInstance": database,
    "AWS::Logs::LogGroup": log_group,
    "AWS::CloudWatch::Alarm": alarm,
    "AWS::CloudWatch::Dashboard": dashboard,
    "AWS::SNS::Topic": topic,
    "AWS::SQS::Queue": queue,
    "AWS::EC2::NatGateway": nat_gateway,
    "AWS::EC2::VPCEndpoint": endpoint,
    "AWS::EC2::EIP": address,
    "AWS::EC2::Instance": instance,
}

# What these do is paid for elsewhere, if at all: by the function called, the message sent, the hour of what they serve.
FREE = frozenset(
    {
        "AWS::CDK::Metadata",
        "AWS::CloudFront::OriginAccessControl",
        "AWS::CloudFront::ResponseHeadersPolicy",
        "AWS::Cognito::IdentityPool",
        "AWS::Cognito::IdentityPoolRoleAttachment",
        "AWS::Cognito::UserPoolClient",
        "AWS::EC2::FlowLog",
        "AWS::EC2::InternetGateway",
        "AWS::EC2::LaunchTemplate",
        "AWS::EC2::Route",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPC",
        "AWS::EC2::VPCGatewayAttachment",
        "AWS::Glue::Database",
        "AWS::Glue::Table",
        "AWS::IAM::InstanceProfile",
        "AWS::IAM::OIDCProvider",
        "AWS::IAM::Role",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::LayerVersion",
        "AWS::Lambda::Permission",
        "AWS::RDS::DBParameterGroup",
        "AWS::RDS::DBSubnetGroup",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::SSM::Parameter",
        "AWS::SecretsManager::RotationSchedule",
    }
)


def _charges(resource: TemplateResource, runs: Runs) -> list[Charge]:
    if resource.kind in FREE:
        return []
    if resource.kind not in PRICED:
        raise Unpriceable("nothing is written down of this type")
    return PRICED[resource.kind](resource, runs)


def _line_to_dict(line: Line) -> dict[str, Any]:
    price = line.charge.price
    return {
        "type": line.kind,
        "count": line.count,
        "quantity": round(float(line.charge.quantity), 3),
        "unit": price.unit,
        "price_usd": float(price.usd),
        "price_per": price.per,
        "usd": float(round(line.charge.usd, 4)),
    }
