"""What an account has, service by service, so that two moments of it can be compared."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from local_cloud import LocalCloud
from local_cloud.cloud import client

_LISTED: Mapping[str, Callable[[Callable[[str], Any]], list[str]]] = {
    "stacks": lambda aws: [each["StackName"] for each in aws("cloudformation").describe_stacks()["Stacks"]],
    "buckets": lambda aws: [each["Name"] for each in aws("s3").list_buckets()["Buckets"]],
    "secrets": lambda aws: [
        each["Name"] for each in aws("secretsmanager").list_secrets(IncludePlannedDeletion=True)["SecretList"]
    ],
    "instances": lambda aws: [
        each["DBInstanceIdentifier"] for each in aws("rds").describe_db_instances()["DBInstances"]
    ],
    "snapshots": lambda aws: [
        each["DBSnapshotIdentifier"] for each in aws("rds").describe_db_snapshots()["DBSnapshots"]
    ],
    "subnet groups": lambda aws: [
        each["DBSubnetGroupName"] for each in aws("rds").describe_db_subnet_groups()["DBSubnetGroups"]
    ],
    "parameter groups": lambda aws: [
        each["DBParameterGroupName"] for each in aws("rds").describe_db_parameter_groups()["DBParameterGroups"]
    ],
    "functions": lambda aws: [each["FunctionName"] for each in aws("lambda").list_functions()["Functions"]],
    "pools": lambda aws: [each["Name"] for each in aws("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]],
    "identity pools": lambda aws: [
        each["IdentityPoolName"] for each in aws("cognito-identity").list_identity_pools(MaxResults=60)["IdentityPools"]
    ],
    "distributions": lambda aws: [
        each["Id"] for each in aws("cloudfront").list_distributions()["DistributionList"].get("Items", [])
    ],
    "profiles": lambda aws: [
        each["InstanceProfileName"] for each in aws("iam").list_instance_profiles()["InstanceProfiles"]
    ],
    "launch templates": lambda aws: [
        each["LaunchTemplateName"] for each in aws("ec2").describe_launch_templates()["LaunchTemplates"]
    ],
    "roles": lambda aws: [each["RoleName"] for each in aws("iam").list_roles()["Roles"]],
    "logs": lambda aws: [
        each["logGroupName"]
        for each in aws("logs").describe_log_groups()["logGroups"]
        if not each["logGroupName"].startswith("/local/")  # the local cloud's own
    ],
    "state machines": lambda aws: [
        each["name"] for each in aws("stepfunctions").list_state_machines()["stateMachines"]
    ],
    "schedules": lambda aws: [each["Name"] for each in aws("scheduler").list_schedules()["Schedules"]],
    "topics": lambda aws: [each["TopicArn"] for each in aws("sns").list_topics()["Topics"]],
    "queues": lambda aws: aws("sqs").list_queues().get("QueueUrls", []),
    "alarms": lambda aws: [each["AlarmName"] for each in aws("cloudwatch").describe_alarms()["MetricAlarms"]],
    "boards": lambda aws: [each["DashboardName"] for each in aws("cloudwatch").list_dashboards()["DashboardEntries"]],
    "networks": lambda aws: [each["VpcId"] for each in aws("ec2").describe_vpcs()["Vpcs"]],
    "subnets": lambda aws: [each["SubnetId"] for each in aws("ec2").describe_subnets()["Subnets"]],
    "groups": lambda aws: [each["GroupId"] for each in aws("ec2").describe_security_groups()["SecurityGroups"]],
    "gateways": lambda aws: [
        each["InternetGatewayId"] for each in aws("ec2").describe_internet_gateways()["InternetGateways"]
    ],
    "NAT": lambda aws: [
        each["NatGatewayId"] for each in aws("ec2").describe_nat_gateways()["NatGateways"] if each["State"] != "deleted"
    ],
    "machines": lambda aws: [
        each["InstanceId"]
        for reservation in aws("ec2").describe_instances()["Reservations"]
        for each in reservation["Instances"]
        if each["State"]["Name"] != "terminated"
    ],
    "addresses": lambda aws: [each["PublicIp"] for each in aws("ec2").describe_addresses()["Addresses"]],
    "endpoints": lambda aws: [each["VpcEndpointId"] for each in aws("ec2").describe_vpc_endpoints()["VpcEndpoints"]],
    "flow logs": lambda aws: [each["FlowLogId"] for each in aws("ec2").describe_flow_logs()["FlowLogs"]],
    "parameters": lambda aws: [
        each["Name"]
        for page in aws("ssm").get_paginator("describe_parameters").paginate()
        for each in page["Parameters"]
        if not each["Name"].startswith("/aws/")  # AWS's own, which everybody reads
    ],
    "repositories": lambda aws: [each["repositoryName"] for each in aws("ecr").describe_repositories()["repositories"]],
}


def everything(cloud: LocalCloud) -> dict[str, list[str]]:
    """All that is in the account of a local cloud, but for versions of layers, which end with the cloud."""
    return {kind: sorted(listed(partial(_client, cloud.endpoint))) for kind, listed in _LISTED.items()}


@cache
def _client(endpoint: str, service: str) -> Any:
    """A client that is kept: to make those of all services takes a second."""
    return client(endpoint, service)
