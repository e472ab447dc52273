"""What CloudFormation's role has to be allowed for each type of resource: to make, read, change and delete it.

Where AWS says it in the type's schema (`aws cloudformation describe-type`, handlers), it is what that says, without
what the stacks do not use; for the others it is what the service's API takes:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

ANY = ("*",)
PROPERTY = "property "

_BOUNDED = {"StringLike": {"iam:PermissionsBoundary": "arn:*:iam::*:policy/{name}-boundary"}}
"""A role that is made or given rights bears the boundary."""


@dataclass(frozen=True, kw_only=True)
class Need:
    """Actions that go together.

    Attributes:
        actions: such as "s3:CreateBucket".
        on: ARNs, in which {name} is what the names of the environment's resources begin with, {env} what the
            environment is called, and {id} the logical id of the resource; or, after "property ", the one that stands
            in a property of it, if one does.
        condition: under which, in a policy's words; {name} and {env} as above.
    """

    actions: tuple[str, ...]
    on: tuple[str, ...] = ANY
    condition: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def _of(service: str, *actions: str) -> tuple[str, ...]:
    return tuple(f"{service}:{action}" for action in actions)


LOG_GROUPS = tuple(
    f"arn:*:logs:*:*:log-group:{group}"
    for group in ("/aws/lambda/{name}-*", "/aws/vendedlogs/states/{name}", "/totes/{env}/*")
)
TOPIC = ("arn:*:sns:*:*:{name}-alarms", "arn:*:sns:*:*:{name}-alarms:*")
"""The topic and its subscriptions."""

QUEUE = ("arn:*:sqs:*:*:{name}-dead-letters",)
STATE_MACHINE = ("arn:*:states:*:*:stateMachine:{name}",)
_ASSETS = "arn:*:s3:::cdk-totes-assets-*"
OWN_SECRETS = tuple(f"arn:*:secretsmanager:*:*:secret:{made_up}-*" for made_up in ("{id}", "{name}-*-{id}"))
"""CloudFormation calls a secret without a name by its logical id and something that it makes up; the stack's name,
which other types' names begin with, is put before it by the local cloud."""

_ENVIRONMENT_OF_IT = "aws:ResourceTag/totes:environment"
_ENVIRONMENT_ASKED_FOR = "aws:RequestTag/totes:environment"
_MADE_FOR_IT = {"StringEquals": {_ENVIRONMENT_ASKED_FOR: "{env}"}}
OWN_BY_TAG = {"StringEquals": {_ENVIRONMENT_OF_IT: "{env}"}}
"""Whose a secret is, only its tag says: the logical ids are those of every environment."""

_NOT_ANOTHERS = {"StringEqualsIfExists": {_ENVIRONMENT_OF_IT: "{env}", _ENVIRONMENT_ASKED_FOR: "{env}"}}
"""For what is asked of a secret that has no tag yet, or is not there any more; no secret is taken over so."""

SECRETS_OF_RDS = "arn:*:secretsmanager:*:*:secret:rds!*"
_INSTANCE = "aws:ResourceTag/aws:rds:primaryDBInstanceArn"
MASTER_BY_TAG = {
    "StringLike": {_INSTANCE: "arn:*:rds:*:*:db:{name}-*"},
    "StringNotLike": {_INSTANCE: "arn:*:rds:*:*:db:{name}-*-*-*-*"},
}
"""Whose master a secret of RDS's is, only RDS's tag says, which nobody else can set: its name is made up.

The tag names the instance, whose name CloudFormation makes of the stack's, the logical id and characters of chance:
totes-dev-data-ownwarehouse...-x1y2, with two dashes after totes-dev-. That of dev-alice has three. The word "data" is
no mark: CloudFormation takes only the first 25 characters of a long stack's name.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html
"""

_ROTATION = ("CancelRotateSecret", "DescribeSecret", "RotateSecret")
ROLES = ("arn:*:iam::*:role/{name}-*",)
_IDENTITY_POOLS = ("arn:*:cognito-identity:*:*:identitypool/*",)
_USER_POOLS = ("arn:*:cognito-idp:*:*:userpool/*",)
_STARS_IN_GLUE = tuple(f"arn:*:glue:*:*:{place}" for place in ("catalog", "database/totes_*", "table/totes_*/*"))
"""Of names in Glue, Athena takes letters, digits and underscores only, so they do not begin as others do."""
_CODE = Need(actions=("s3:GetObject",), on=(f"{_ASSETS}/*",))
_INTERFACES = Need(
    actions=_of("ec2", "DescribeNetworkInterfaces", "DescribeSecurityGroups", "DescribeSubnets", "DescribeVpcs")
)
_LOG_DELIVERY = Need(
    actions=_of(
        "logs",
        *("CreateLogDelivery", "DeleteLogDelivery", "DescribeLogGroups", "DescribeResourcePolicies"),
        *("GetLogDelivery", "ListLogDeliveries", "PutResourcePolicy", "UpdateLogDelivery"),
    )
)
_TAGS = _of("ec2", "CreateTags", "DeleteTags")

COMMON = (Need(actions=("ssm:GetParameters",), on=("arn:*:ssm:*:*:parameter/cdk-bootstrap/totes/version",)),)
"""What every stack needs: it looks up which bootstrap there is."""

NEEDS: Mapping[str, tuple[Need, ...]] = {
    "AWS::CDK::Metadata": (),
    # Of what CloudFront and Cognito make up, no name says whose it is.
    "AWS::CloudFront::Distribution": (
        Need(
            actions=_of(
                "cloudfront",
                *("CreateDistribution", "DeleteDistribution", "GetDistribution", "GetDistributionConfig"),
                *("ListTagsForResource", "TagResource", "UntagResource", "UpdateDistribution"),
            ),
            on=("arn:*:cloudfront::*:distribution/*",),
        ),
    ),
    "AWS::CloudFront::OriginAccessControl": (
        Need(
            actions=_of(
                "cloudfront",
                *("CreateOriginAccessControl", "DeleteOriginAccessControl", "GetOriginAccessControl"),
                "UpdateOriginAccessControl",
            ),
            on=("arn:*:cloudfront::*:origin-access-control/*",),
        ),
    ),
    "AWS::CloudFront::ResponseHeadersPolicy": (
        Need(
            actions=_of(
                "cloudfront",
                *("CreateResponseHeadersPolicy", "DeleteResponseHeadersPolicy", "GetResponseHeadersPolicy"),
                "UpdateResponseHeadersPolicy",
            ),
            on=("arn:*:cloudfront::*:response-headers-policy/*",),
        ),
    ),
    "AWS::CloudWatch::Alarm": (
        Need(
            actions=_of(
                "cloudwatch",
                *("DeleteAlarms", "DescribeAlarms", "ListTagsForResource", "PutMetricAlarm", "TagResource"),
                "UntagResource",
            ),
            on=("arn:*:cloudwatch:*:*:alarm:{name}-*",),
        ),
    ),
    "AWS::CloudWatch::Dashboard": (
        Need(
            actions=_of(
                "cloudwatch",
                *("DeleteDashboards", "GetDashboard", "ListTagsForResource", "PutDashboard", "TagResource"),
                "UntagResource",
            ),
            on=("arn:*:cloudwatch::*:dashboard/{name}-*",),
        ),
    ),
    "AWS::Cognito::IdentityPool": (
        Need(actions=("cognito-identity:CreateIdentityPool",)),
        Need(
            actions=_of(
                "cognito-identity",
                *("DeleteIdentityPool", "DescribeIdentityPool", "ListTagsForResource", "TagResource", "UntagResource"),
                "UpdateIdentityPool",
            ),
            on=_IDENTITY_POOLS,
        ),
    ),
    "AWS::Cognito::IdentityPoolRoleAttachment": (
        Need(actions=_of("cognito-identity", "GetIdentityPoolRoles", "SetIdentityPoolRoles"), on=_IDENTITY_POOLS),
    ),
    "AWS::Cognito::UserPool": (
        Need(actions=("cognito-idp:CreateUserPool",)),
        Need(
            actions=_of(
                "cognito-idp",
                *("DeleteUserPool", "DescribeUserPool", "GetUserPoolMfaConfig", "ListTagsForResource"),
                *("SetUserPoolMfaConfig", "TagResource", "UntagResource", "UpdateUserPool"),
            ),
            on=_USER_POOLS,
        ),
    ),
    "AWS::Cognito::UserPoolClient": (
        Need(
            actions=_of(
                "cognito-idp",
                *("CreateUserPoolClient", "DeleteUserPoolClient", "DescribeUserPoolClient", "UpdateUserPoolClient"),
            ),
            on=_USER_POOLS,
        ),
    ),
    "AWS::EC2::EIP": (
        Need(
            actions=(
                *_of("ec2", "AllocateAddress", "AssociateAddress", "DescribeAddresses", "DescribeTags"),
                *_of("ec2", "DisassociateAddress", "ReleaseAddress"),
                *_TAGS,
            )
        ),
    ),
    "AWS::EC2::FlowLog": (
        Need(actions=(*_of("ec2", "CreateFlowLogs", "DeleteFlowLogs", "DescribeFlowLogs"), *_TAGS)),
        _LOG_DELIVERY,
    ),
    "AWS::EC2::Instance": (
        Need(
            actions=(
                *_of("ec2", "DescribeInstanceAttribute", "DescribeInstanceCreditSpecifications", "DescribeInstances"),
                *_of("ec2", "DescribeInstanceStatus", "DescribeVolumes", "ModifyInstanceAttribute"),
                *_of("ec2", "ModifyInstanceCreditSpecification", "ModifyInstanceMetadataOptions", "RebootInstances"),
                *_of("ec2", "RunInstances", "StartInstances", "StopInstances", "TerminateInstances"),
                *_TAGS,
            )
        ),
        # CloudFormation looks whether the image that a parameter names is there:
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html
        Need(actions=("ec2:DescribeImages",)),
        Need(actions=("ssm:GetParameters",), on=("arn:*:ssm:*::parameter/aws/service/ami-amazon-linux-latest/*",)),
        # CloudWatch reboots it by a role that the first alarm of that kind makes:
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/UsingAlarmActions.html
        Need(
            actions=("iam:CreateServiceLinkedRole",),
            on=("arn:*:iam::*:role/aws-service-role/events.amazonaws.com/*",),
            condition={"StringLike": {"iam:AWSServiceName": "events.amazonaws.com"}},
        ),
    ),
    "AWS::EC2::InternetGateway": (
        Need(
            actions=(
                *_of("ec2", "CreateInternetGateway", "DeleteInternetGateway", "DescribeInternetGateways"),
                *_TAGS,
            )
        ),
    ),
    "AWS::EC2::LaunchTemplate": (
        Need(
            actions=(
                *_of("ec2", "CreateLaunchTemplate", "CreateLaunchTemplateVersion", "DeleteLaunchTemplate"),
                *_of("ec2", "DescribeLaunchTemplates", "DescribeLaunchTemplateVersions", "ModifyLaunchTemplate"),
                *_TAGS,
            )
        ),
    ),
    "AWS::EC2::NatGateway": (
        Need(
            actions=(
                *_of("ec2", "CreateNatGateway", "DeleteNatGateway", "DescribeAddresses", "DescribeNatGateways"),
                *_of("ec2", "DescribeSubnets"),
                *_TAGS,
            )
        ),
    ),
    "AWS::EC2::Route": (Need(actions=_of("ec2", "CreateRoute", "DeleteRoute", "DescribeRouteTables", "ReplaceRoute")),),
    "AWS::EC2::RouteTable": (
        Need(actions=(*_of("ec2", "CreateRouteTable", "DeleteRouteTable", "DescribeRouteTables"), *_TAGS)),
    ),
    "AWS::EC2::SecurityGroup": (
        Need(
            actions=(
                *_of("ec2", "AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress", "CreateSecurityGroup"),
                *_of("ec2", "DeleteSecurityGroup", "DescribeSecurityGroups", "DescribeVpcs"),
                *_of("ec2", "RevokeSecurityGroupEgress", "RevokeSecurityGroupIngress"),
                *_TAGS,
            )
        ),
    ),
    "AWS::EC2::SecurityGroupEgress": (
        Need(
            actions=_of(
                "ec2",
                *("AuthorizeSecurityGroupEgress", "DescribeSecurityGroupRules", "DescribeSecurityGroups"),
                *("RevokeSecurityGroupEgress", "UpdateSecurityGroupRuleDescriptionsEgress"),
            )
        ),
    ),
    "AWS::EC2::SecurityGroupIngress": (
        Need(
            actions=_of(
                "ec2",
                *("AuthorizeSecurityGroupIngress", "DescribeSecurityGroupRules", "DescribeSecurityGroups"),
                *("RevokeSecurityGroupIngress", "UpdateSecurityGroupRuleDescriptionsIngress"),
            )
        ),
    ),
    "AWS::EC2::Subnet": (
        Need(
            actions=(
                *_of("ec2", "CreateSubnet", "DeleteSubnet", "DescribeAvailabilityZones", "DescribeSubnets"),
                *_of("ec2", "ModifySubnetAttribute"),
                *_TAGS,
            )
        ),
        # Its zone, where nobody names one, is what Fn::GetAZs says, which asks this and what is above:
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getavailabilityzones.html
        Need(actions=("ec2:DescribeAccountAttributes",)),
    ),
    "AWS::EC2::SubnetRouteTableAssociation": (
        Need(
            actions=_of(
                "ec2",
                *("AssociateRouteTable", "DescribeRouteTables", "DisassociateRouteTable"),
                "ReplaceRouteTableAssociation",
            )
        ),
    ),
    "AWS::EC2::VPC": (
        Need(
            actions=(
                *_of("ec2", "CreateVpc", "DeleteVpc", "DescribeNetworkAcls", "DescribeSecurityGroups"),
                *_of(
                    "ec2", "DescribeVpcAttribute", "DescribeVpcEncryptionControls", "DescribeVpcs", "ModifyVpcAttribute"
                ),
                *_TAGS,
            )
        ),
    ),
    "AWS::EC2::VPCEndpoint": (
        Need(
            actions=(
                *_of("ec2", "CreateVpcEndpoint", "DeleteVpcEndpoints", "DescribeVpcEndpoints"),
                *_of("ec2", "ModifyVpcEndpoint"),
                *_TAGS,
            )
        ),
    ),
    "AWS::EC2::VPCGatewayAttachment": (
        Need(
            actions=_of(
                "ec2",
                *("AttachInternetGateway", "DescribeInternetGateways", "DescribeVpcs", "DetachInternetGateway"),
            )
        ),
    ),
    "AWS::Glue::Database": (
        Need(
            actions=_of("glue", "CreateDatabase", "DeleteDatabase", "GetDatabase", "UpdateDatabase"), on=_STARS_IN_GLUE
        ),
        Need(actions=_of("glue", "DeleteTable", "GetTables"), on=_STARS_IN_GLUE),
    ),
    "AWS::Glue::Table": (
        Need(actions=_of("glue", "CreateTable", "DeleteTable", "GetTable", "UpdateTable"), on=_STARS_IN_GLUE),
    ),
    "AWS::IAM::InstanceProfile": (
        Need(
            actions=_of(
                "iam",
                *("AddRoleToInstanceProfile", "CreateInstanceProfile", "DeleteInstanceProfile", "GetInstanceProfile"),
                "RemoveRoleFromInstanceProfile",
            ),
            on=("arn:*:iam::*:instance-profile/{name}-*",),
        ),
    ),
    "AWS::IAM::Role": (
        Need(
            actions=_of(
                "iam",
                *("DeleteRole", "DeleteRolePolicy", "GetRole", "GetRolePolicy", "ListAttachedRolePolicies"),
                *("ListInstanceProfilesForRole", "ListRolePolicies", "ListRoleTags", "TagRole", "UntagRole"),
                *("UpdateAssumeRolePolicy", "UpdateRole", "UpdateRoleDescription"),
            ),
            on=ROLES,
        ),
        Need(
            actions=_of("iam", "CreateRole", "PutRolePermissionsBoundary", "PutRolePolicy"),
            on=ROLES,
            condition=_BOUNDED,
        ),
    ),
    "AWS::Lambda::EventInvokeConfig": (
        Need(
            actions=_of(
                "lambda",
                *("DeleteFunctionEventInvokeConfig", "GetFunctionEventInvokeConfig"),
                *("PutFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig"),
            ),
            on=("arn:*:lambda:*:*:function:{name}-*",),
        ),
    ),
    "AWS::Lambda::Function": (
        Need(
            actions=_of(
                "lambda",
                *("CreateFunction", "DeleteFunction", "GetFunction", "GetFunctionCodeSigningConfig"),
                *("GetFunctionConfiguration", "GetFunctionRecursionConfig", "GetRuntimeManagementConfig", "ListTags"),
                *("PutFunctionRecursionConfig", "TagResource", "UntagResource", "UpdateFunctionCode"),
                "UpdateFunctionConfiguration",
            ),
            on=("arn:*:lambda:*:*:function:{name}-*",),
        ),
        Need(actions=("lambda:GetLayerVersion",)),
        _CODE,
        _INTERFACES,
    ),
    "AWS::Lambda::LayerVersion": (
        Need(actions=_of("lambda", "DeleteLayerVersion", "GetLayerVersion", "PublishLayerVersion")),
        _CODE,
    ),
    "AWS::Lambda::Permission": (
        Need(
            actions=_of("lambda", "AddPermission", "GetPolicy", "RemovePermission"),
            on=("arn:*:lambda:*:*:function:{name}-*",),
        ),
    ),
    "AWS::Logs::LogGroup": (
        Need(
            actions=_of(
                "logs",
                *("CreateLogGroup", "DeleteLogGroup", "DeleteRetentionPolicy", "GetDataProtectionPolicy"),
                *("ListTagsForResource", "ListTagsLogGroup", "PutRetentionPolicy", "TagResource", "UntagResource"),
            ),
            on=tuple(f"{group}{rest}" for group in LOG_GROUPS for rest in ("", ":*")),
        ),
        Need(actions=("logs:DescribeLogGroups", "logs:DescribeIndexPolicies")),
    ),
    "AWS::RDS::DBInstance": (
        Need(
            actions=_of(
                "rds",
                *("AddTagsToResource", "CreateDBInstance", "CreateDBSnapshot", "DeleteDBInstance"),
                *("ListTagsForResource", "ModifyDBInstance", "RebootDBInstance", "RemoveTagsFromResource"),
            ),
            on=(
                *(f"arn:*:rds:*:*:{kind}:{{name}}-*" for kind in ("db", "pg", "snapshot", "subgrp")),
                "arn:*:rds:*:*:og:default*",  # the options that an instance has that asks for none
            ),
        ),
        # A snapshot has whatever name somebody, or RDS, has given it.
        Need(
            actions=("rds:RestoreDBInstanceFromDBSnapshot",),
            on=(*(f"arn:*:rds:*:*:{kind}:{{name}}-*" for kind in ("db", "pg", "subgrp")), "arn:*:rds:*:*:snapshot:*"),
        ),
        Need(
            actions=_of(
                "rds",
                *("DescribeDBEngineVersions", "DescribeDBInstances", "DescribeDBParameterGroups"),
                *("DescribeDBSnapshots", "DescribeDBSubnetGroups", "DescribeEvents"),
            )
        ),
        Need(
            actions=_of(
                "ec2",
                *("DescribeAccountAttributes", "DescribeAvailabilityZones", "DescribeInternetGateways"),
                *("DescribeSecurityGroups", "DescribeSubnets", "DescribeVpcAttribute", "DescribeVpcs"),
            )
        ),
        # RDS makes the secret as who makes the instance, and tags it then: no condition on a tag holds. It is not read.
        Need(actions=_of("secretsmanager", "CreateSecret", "TagResource"), on=(SECRETS_OF_RDS,)),
        Need(actions=("kms:DescribeKey",)),
        Need(actions=("kms:CreateGrant",), condition={"Bool": {"kms:GrantIsForAWSResource": "true"}}),
        Need(
            actions=("iam:CreateServiceLinkedRole",),
            on=("arn:*:iam::*:role/aws-service-role/rds.amazonaws.com/*",),
            condition={"StringLike": {"iam:AWSServiceName": "rds.amazonaws.com"}},
        ),
    ),
    "AWS::RDS::DBParameterGroup": (
        Need(
            actions=_of(
                "rds",
                *("AddTagsToResource", "CreateDBParameterGroup", "DeleteDBParameterGroup", "DescribeDBParameters"),
                *("ListTagsForResource", "ModifyDBParameterGroup", "RemoveTagsFromResource", "ResetDBParameterGroup"),
            ),
            on=("arn:*:rds:*:*:pg:{name}-*",),
        ),
        Need(actions=_of("rds", "DescribeDBParameterGroups", "DescribeEngineDefaultParameters")),
    ),
    "AWS::RDS::DBSubnetGroup": (
        Need(
            actions=_of(
                "rds",
                *("AddTagsToResource", "CreateDBSubnetGroup", "DeleteDBSubnetGroup", "ListTagsForResource"),
                *("ModifyDBSubnetGroup", "RemoveTagsFromResource"),
            ),
            on=("arn:*:rds:*:*:subgrp:{name}-*",),
        ),
        Need(actions=("rds:DescribeDBSubnetGroups",)),
    ),
    "AWS::S3::Bucket": (
        Need(
            actions=_of(
                "s3",
                *("CreateBucket", "DeleteBucket", "GetAccelerateConfiguration", "GetAnalyticsConfiguration"),
                *("GetBucketAbac", "ListTagsForResource", "TagResource", "UntagResource"),
                *("GetBucketAcl", "GetBucketCORS", "GetBucketLogging", "GetBucketNotification"),
                *("GetBucketObjectLockConfiguration", "GetBucketOwnershipControls", "GetBucketPublicAccessBlock"),
                *("GetBucketTagging", "GetBucketVersioning", "GetBucketWebsite", "GetEncryptionConfiguration"),
                *("GetIntelligentTieringConfiguration", "GetInventoryConfiguration", "GetLifecycleConfiguration"),
                *("GetMetricsConfiguration", "GetReplicationConfiguration", "ListBucket"),
                *("PutBucketCORS", "PutBucketOwnershipControls", "PutBucketPublicAccessBlock", "PutBucketTagging"),
                *("PutBucketVersioning", "PutEncryptionConfiguration", "PutLifecycleConfiguration"),
            ),
            on=("arn:*:s3:::{name}-*",),
        ),
    ),
    "AWS::S3::BucketPolicy": (
        Need(
            actions=_of("s3", "DeleteBucketPolicy", "GetBucketPolicy", "PutBucketPolicy"),
            on=("arn:*:s3:::{name}-*",),
        ),
    ),
    "AWS::SNS::Subscription": (
        Need(
            actions=_of(
                "sns",
                *("GetSubscriptionAttributes", "ListSubscriptionsByTopic", "SetSubscriptionAttributes"),
                *("Subscribe", "Unsubscribe"),
            ),
            on=TOPIC,
        ),
    ),
    "AWS::SNS::Topic": (
        Need(
            actions=_of(
                "sns",
                *("CreateTopic", "DeleteTopic", "GetDataProtectionPolicy", "GetTopicAttributes"),
                *("ListSubscriptionsByTopic", "ListTagsForResource", "SetTopicAttributes", "Subscribe"),
                *("TagResource", "Unsubscribe", "UntagResource"),
            ),
            on=TOPIC,
        ),
    ),
    "AWS::SNS::TopicPolicy": (Need(actions=_of("sns", "GetTopicAttributes", "SetTopicAttributes"), on=TOPIC),),
    "AWS::SQS::Queue": (
        Need(
            actions=_of(
                "sqs",
                *("CreateQueue", "DeleteQueue", "GetQueueAttributes", "GetQueueUrl", "ListQueueTags"),
                *("SetQueueAttributes", "TagQueue", "UntagQueue"),
            ),
            on=QUEUE,
        ),
    ),
    "AWS::SQS::QueuePolicy": (
        Need(
            actions=_of("sqs", "GetQueueAttributes", "GetQueueUrl", "SetQueueAttributes"),
            on=QUEUE,
        ),
    ),
    # A stack looks up what another hands over, and puts there what it hands over itself.
    "AWS::SSM::Parameter": (
        Need(
            actions=_of(
                "ssm",
                *("AddTagsToResource", "DeleteParameter", "GetParameter", "GetParameters", "ListTagsForResource"),
                *("PutParameter", "RemoveTagsFromResource"),
            ),
            on=("arn:*:ssm:*:*:parameter/totes/{env}/*",),
        ),
        Need(actions=("ssm:DescribeParameters",)),
    ),
    "AWS::Scheduler::Schedule": (
        Need(
            actions=_of("scheduler", "CreateSchedule", "DeleteSchedule", "GetSchedule", "UpdateSchedule"),
            on=("arn:*:scheduler:*:*:schedule/default/{name}*",),
        ),
    ),
    "AWS::SecretsManager::RotationSchedule": (
        Need(
            # Whoever attaches a function to a secret may invoke it.
            actions=("lambda:InvokeFunction", "lambda:GetFunction"),
            on=("arn:*:lambda:*:*:function:{name}-rotate_database_login",),
        ),
        Need(actions=_of("secretsmanager", *_ROTATION), on=(f"{PROPERTY}SecretId",)),
    ),
    "AWS::SecretsManager::Secret": (
        Need(
            actions=_of(
                "secretsmanager",
                *("CancelRotateSecret", "GetSecretValue", "RotateSecret", "UntagResource", "UpdateSecret"),
            ),
            on=OWN_SECRETS,
            condition=OWN_BY_TAG,
        ),
        Need(actions=("secretsmanager:CreateSecret",), on=OWN_SECRETS, condition=_MADE_FOR_IT),
        Need(
            actions=_of("secretsmanager", "DeleteSecret", "DescribeSecret", "TagResource"),
            on=OWN_SECRETS,
            condition=_NOT_ANOTHERS,
        ),
        Need(actions=("secretsmanager:GetRandomPassword",)),
    ),
    "AWS::StepFunctions::StateMachine": (
        Need(
            actions=_of(
                "states",
                *("CreateStateMachine", "DeleteStateMachine", "DescribeStateMachine", "ListTagsForResource"),
                *("TagResource", "UntagResource", "UpdateStateMachine"),
            ),
            on=STATE_MACHINE,
        ),
        _LOG_DELIVERY,
    ),
}
"""By the type's name in a template."""
