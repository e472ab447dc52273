"""Which resource types have a price, and which are free; any other is unknown."""

from collections.abc import Callable, Mapping

from costs import computing, network, serving, storing, watching
from costs.charge import Charge
from costs.runs import Runs
from costs.templates import TemplateResource

PRICED: Mapping[str, Callable[[TemplateResource, Runs], list[Charge]]] = {
    "AWS::CloudFront::Distribution": serving.distribution,
    "AWS::Cognito::UserPool": serving.user_pool,
    "AWS::Lambda::Function": computing.function,
    "AWS::StepFunctions::StateMachine": computing.state_machine,
    "AWS::Scheduler::Schedule": computing.schedule,
    "AWS::S3::Bucket": storing.bucket,
    "AWS::SecretsManager::Secret": storing.secret,
    "AWS::KMS::Key": storing.key,
    "AWS::RDS::DBInstance": storing.database,
    "AWS::Logs::LogGroup": watching.log_group,
    "AWS::CloudWatch::Alarm": watching.alarm,
    "AWS::CloudWatch::CompositeAlarm": watching.composite_alarm,
    "AWS::CloudWatch::Dashboard": watching.dashboard,
    "AWS::SNS::Topic": watching.topic,
    "AWS::SQS::Queue": watching.queue,
    "AWS::EC2::NatGateway": network.nat_gateway,
    "AWS::EC2::VPCEndpoint": network.endpoint,
    "AWS::EC2::EIP": network.address,
    "AWS::EC2::Instance": network.instance,
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
        "AWS::IAM::InstanceProfile",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::OIDCProvider",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::KMS::Alias",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::LayerVersion",
        "AWS::Lambda::Permission",
        "AWS::Logs::MetricFilter",
        "AWS::Logs::QueryDefinition",
        "AWS::Logs::ResourcePolicy",
        "AWS::RDS::DBParameterGroup",
        "AWS::RDS::DBSubnetGroup",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::SSM::Parameter",
        "AWS::Scheduler::ScheduleGroup",
        "AWS::SecretsManager::ResourcePolicy",
        "AWS::SecretsManager::RotationSchedule",
        "AWS::SecretsManager::SecretTargetAttachment",
    }
)
