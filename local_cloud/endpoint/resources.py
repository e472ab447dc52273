"""CloudFormation resources that moto's services support and its CloudFormation does not.

Each is made, changed and deleted by the calls of its service's public API, on this very endpoint.
"""

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache
from typing import Any, ClassVar, Self

import boto3
from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.parsing import get_model_map, get_name_type_map
from moto.settings import moto_server_port

from local_cloud.endpoint.patches import patch

Properties = Mapping[str, Any]

_MAKING = threading.Lock()
"""To make a client is all that a session may not do in two threads at once."""

_PUT_EVENT_CONFIG = "PutFunctionEventInvokeConfig"

_moto_class_of = parsing.resource_class_from_type


class Resource(ABC):
    """One resource of a stack; the methods named cloudformation and cfn are what moto asks of a model.

    Attributes:
        cloudformation: the type's name in a template.
        service: whose API makes it, in boto3's words.
        name_property: the property that names it; empty: it has none.
        replaced_by: the properties whose change replaces the resource.
        physical_resource_id: what Ref gives.
        attributes: what Fn::GetAtt gives, by name.
    """

    cloudformation: ClassVar[str]
    service: ClassVar[str]
    name_property: ClassVar[str] = ""
    replaced_by: ClassVar[tuple[str, ...]] = ()
    attribute_names: ClassVar[tuple[str, ...]] = ()

    def __init__(self, name: str, properties: Properties, region: str) -> None:
        self.name = name
        self.properties = properties
        self.region = region
        self.physical_resource_id = name
        self.attributes: dict[str, str] = {}
        self._is_as_it_says = True

    @property
    def client(self) -> Any:
        """The service's client."""
        return client_of(self.service, self.region)

    def typed(self, operation: str, words: Iterable[str]) -> dict[str, Any]:
        """Return some of its properties, with the types that an API call's parameters of their names have."""
        return _typed(self.client, operation, _some(self.properties, *words))

    def said(self, operation: str, properties: Properties) -> dict[str, Any]:
        """Return those of properties that an API call has parameters for, with the types of these."""
        parameters = self.client.meta.service_model.operation_model(operation).input_shape.members
        return _typed(self.client, operation, _some(properties, *parameters))

    @abstractmethod
    def make(self) -> None:
        """Make it as its properties say."""

    @abstractmethod
    def change(self, properties: Properties) -> None:
        """Make it as new properties say; `self.properties` are still the old ones."""

    @abstractmethod
    def remove(self) -> None:
        """Delete it."""

    @classmethod
    def cloudformation_type(cls) -> str:
        """The type's name in a template."""
        return cls.cloudformation

    @classmethod
    def cloudformation_name_type(cls) -> str:
        """The property that names it."""
        return cls.name_property

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Whether Fn::GetAtt may ask for the attribute."""
        return attr in cls.attribute_names

    def get_cfn_attribute(self, attribute_name: str) -> str:
        """What Fn::GetAtt gives."""
        return self.attributes[attribute_name]

    def is_created(self) -> bool:
        """Whether it is ready for use."""
        return True

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: Mapping[str, Any],
        account_id: str,  # noqa: ARG003 - moto's signature
        region_name: str,
        **_: Any,
    ) -> Self:
        """Make one from a template's words."""
        resource = cls(resource_name, cloudformation_json["Properties"], region_name)
        resource.make()
        return resource

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Self,
        new_resource_name: str,
        cloudformation_json: Mapping[str, Any],
        account_id: str,
        region_name: str,
    ) -> Self:
        """Change one as a template's new words say, or make another: who calls removes the old one.

        A new name makes another, or none any more, and so does what `replaced_by` says, unless the template names it.
        One whose properties have the same values as before is not touched, unless the change before was never
        finished.
        """
        properties, old = cloudformation_json["Properties"], original_resource.properties
        had_a_name = cls.name_property in old
        name = properties.get(cls.name_property, new_resource_name if had_a_name else original_resource.name)
        is_replaced = any(properties.get(word) != old.get(word) for word in cls.replaced_by)
        if is_replaced and name == properties.get(cls.name_property) == original_resource.name:
            raise ValidationError(
                message="CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {name} and update the stack again."
            )
        if is_replaced or name != original_resource.name:
            return cls.create_from_cloudformation_json(new_resource_name, cloudformation_json, account_id, region_name)
        if original_resource._is_as_it_says and properties == old:
            return original_resource
        original_resource._is_as_it_says = False
        original_resource.change(properties)
        original_resource.properties, original_resource._is_as_it_says = properties, True
        return original_resource

    def remember(self) -> None:  # noqa: B027 - most have nothing to do here
        """Have its deletion leave what is to be left of it where the policy for it is a snapshot."""

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002 - moto's signature
        """Delete it with its stack."""
        self.remove()


class Secret(Resource):
    """A secret, given or generated. Its value changes only where the template's words for the value do."""

    cloudformation = "AWS::SecretsManager::Secret"
    service = "secretsmanager"
    name_property = "Name"
    attribute_names = ("Id",)

    def make(self) -> None:
        """Make it."""
        made = self.client.create_secret(
            Name=self.name,
            SecretString=self._value(self.properties),
            **_some(self.properties, "Description", "KmsKeyId", "Tags"),
        )
        self.physical_resource_id = made["ARN"]
        self.attributes["Id"] = made["ARN"]

    def change(self, properties: Properties) -> None:
        """Change it."""
        self.client.update_secret(SecretId=self.physical_resource_id, **_some(properties, "Description", "KmsKeyId"))
        if any(properties.get(word) != self.properties.get(word) for word in ("SecretString", "GenerateSecretString")):
            self.client.put_secret_value(SecretId=self.physical_resource_id, SecretString=self._value(properties))

    def remove(self) -> None:
        """Delete it."""
        self.client.delete_secret(SecretId=self.physical_resource_id, ForceDeleteWithoutRecovery=True)

    def _value(self, properties: Properties) -> str:
        if "SecretString" in properties:
            return str(properties["SecretString"])
        generator = dict(properties.get("GenerateSecretString", {}))
        template, key = generator.pop("SecretStringTemplate", None), generator.pop("GenerateStringKey", None)
        wanted = _typed(self.client, "GetRandomPassword", generator)
        password: str = self.client.get_random_password(**wanted)["RandomPassword"]
        return password if template is None else json.dumps({**json.loads(template), key: password})


class Schedule(Resource):
    """A schedule. The endpoint keeps it, and fires it where the cloud was started with schedules; see `scheduler`."""

    cloudformation = "AWS::Scheduler::Schedule"
    service = "scheduler"
    name_property = "Name"
    attribute_names = ("Arn",)

    def make(self) -> None:
        """Make it."""
        made = self.client.create_schedule(**self._request(self.properties))
        self.attributes["Arn"] = made["ScheduleArn"]

    def change(self, properties: Properties) -> None:
        """Change it."""
        self.client.update_schedule(**self._request(properties))

    def remove(self) -> None:
        """Delete it, unless somebody has done so already."""
        with suppress(self.client.exceptions.ResourceNotFoundException):
            self.client.delete_schedule(Name=self.name, **_some(self.properties, "GroupName"))

    def _request(self, properties: Properties) -> dict[str, Any]:
        return {**_typed(self.client, "CreateSchedule", properties), "Name": self.name}


class BucketPolicy(Resource):
    """The policy of a bucket."""

    cloudformation = "AWS::S3::BucketPolicy"
    service = "s3"

    def make(self) -> None:
        """Make it."""
        self.physical_resource_id = self.properties["Bucket"]
        self.change(self.properties)

    def change(self, properties: Properties) -> None:
        """Change it."""
        self.client.put_bucket_policy(Bucket=properties["Bucket"], Policy=json.dumps(properties["PolicyDocument"]))

    def remove(self) -> None:
        """Delete it."""
        self.client.delete_bucket_policy(Bucket=self.properties["Bucket"])


class Subscription(Resource):
    """A subscription to a topic."""

    cloudformation = "AWS::SNS::Subscription"
    service = "sns"

    def make(self) -> None:
        """Make it."""
        self.physical_resource_id = self._subscribe(self.properties)

    def change(self, properties: Properties) -> None:
        """Change it: an endpoint or protocol cannot change, so it is made again."""
        self.remove()
        self.physical_resource_id = self._subscribe(properties)

    def remove(self) -> None:
        """Delete it."""
        self.client.unsubscribe(SubscriptionArn=self.physical_resource_id)

    def _subscribe(self, properties: Properties) -> str:
        wanted = _some(properties, "TopicArn", "Protocol", "Endpoint")
        arn: str = self.client.subscribe(**wanted, ReturnSubscriptionArn=True)["SubscriptionArn"]
        return arn


class Alarm(Resource):
    """An alarm."""

    cloudformation = "AWS::CloudWatch::Alarm"
    service = "cloudwatch"
    name_property = "AlarmName"
    attribute_names = ("Arn",)

    def make(self) -> None:
        """Make it."""
        self.change(self.properties)
        [alarm] = self.client.describe_alarms(AlarmNames=[self.name])["MetricAlarms"]
        self.attributes["Arn"] = alarm["AlarmArn"]

    def change(self, properties: Properties) -> None:
        """Change it."""
        wanted = {**_typed(self.client, "PutMetricAlarm", properties), "AlarmName": self.name}
        self.client.put_metric_alarm(**{"ActionsEnabled": True, **wanted})

    def remove(self) -> None:
        """Delete it."""
        self.client.delete_alarms(AlarmNames=[self.name])


class TopicPolicy(Resource):
    """The policy of topics."""

    cloudformation = "AWS::SNS::TopicPolicy"
    service = "sns"

    def make(self) -> None:
        """Make it."""
        self.change(self.properties)

    def change(self, properties: Properties) -> None:
        """Change it."""
        for topic in properties["Topics"]:
            self.client.set_topic_attributes(
                TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(properties["PolicyDocument"])
            )

    def remove(self) -> None:
        """It ends with its topics."""


class QueuePolicy(Resource):
    """The policy of queues."""

    cloudformation = "AWS::SQS::QueuePolicy"
    service = "sqs"

    def make(self) -> None:
        """Make it."""
        self.change(self.properties)

    def change(self, properties: Properties) -> None:
        """Change it."""
        for queue in properties["Queues"]:
            self.client.set_queue_attributes(
                QueueUrl=queue, Attributes={"Policy": json.dumps(properties["PolicyDocument"])}
            )

    def remove(self) -> None:
        """It ends with its queues."""


class RotationSchedule(Resource):
    """When a secret is rotated. The endpoint keeps it and does not act on it: here a person asks for rotations."""

    cloudformation = "AWS::SecretsManager::RotationSchedule"
    service = "secretsmanager"

    def make(self) -> None:
        """Make it."""
        self.physical_resource_id = self.properties["SecretId"]
        self.change(self.properties)

    def change(self, properties: Properties) -> None:
        """Change it."""
        rules = _typed(self.client, "RotateSecret", _some(properties, "RotationRules"))
        self.client.rotate_secret(
            SecretId=properties["SecretId"],
            RotationLambdaARN=properties["RotationLambdaARN"],
            RotateImmediately=str(properties.get("RotateImmediatelyOnUpdate", True)).lower() == "true",
            **rules,
        )

    def remove(self) -> None:
        """Delete it, unless its secret is gone."""
        with suppress(self.client.exceptions.ResourceNotFoundException):
            self.client.cancel_rotate_secret(SecretId=self.physical_resource_id)


class SecurityGroupEgress(Resource):
    """A rule by which a security group may speak to another."""

    cloudformation = "AWS::EC2::SecurityGroupEgress"
    service = "ec2"

    def make(self) -> None:
        """Make it."""
        self.client.authorize_security_group_egress(**self._rule(self.properties))

    def change(self, properties: Properties) -> None:
        """Change it: a rule has nothing but what it says, so it is made again."""
        self.remove()
        self.client.authorize_security_group_egress(**self._rule(properties))

    def remove(self) -> None:
        """Delete it."""
        self.client.revoke_security_group_egress(**self._rule(self.properties))

    def _rule(self, properties: Properties) -> dict[str, Any]:
        ports = {word: int(properties[word]) for word in ("FromPort", "ToPort")}
        pair = {"GroupId": properties["DestinationSecurityGroupId"]}
        permission = {"IpProtocol": properties["IpProtocol"], **ports, "UserIdGroupPairs": [pair]}
        return {"GroupId": properties["GroupId"], "IpPermissions": [permission]}


class AsynchronousInvocations(Resource):
    """How often an asynchronous invocation is tried again, and where an event goes that failed."""

    cloudformation = "AWS::Lambda::EventInvokeConfig"
    service = "lambda"

    def make(self) -> None:
        """Make it."""
        self.client.put_function_event_invoke_config(**_typed(self.client, _PUT_EVENT_CONFIG, self.properties))

    def change(self, properties: Properties) -> None:
        """Change it: moto keeps the first that it was given, so that goes before."""
        self.remove()
        self.client.put_function_event_invoke_config(**_typed(self.client, _PUT_EVENT_CONFIG, properties))

    def remove(self) -> None:
        """Delete it, unless that has been done with its function."""
        with suppress(self.client.exceptions.ResourceNotFoundException):
            self.client.delete_function_event_invoke_config(FunctionName=self.properties["FunctionName"])


class EmptiedBucket(Resource):
    """The custom resource that empties a bucket before its deletion; in AWS a function of the CDK's own does it."""

    cloudformation = "Custom::S3AutoDeleteObjects"
    service = "s3"

    def make(self) -> None:
        """There is nothing to make."""

    def change(self, properties: Properties) -> None:
        """There is nothing to change."""

    def remove(self) -> None:
        """Delete every version of every object."""
        bucket = self.properties["BucketName"]
        for page in self.client.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for found in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                self.client.delete_object(Bucket=bucket, Key=found["Key"], VersionId=found["VersionId"])


MODELS: tuple[type[Resource], ...] = (
    *(Secret, RotationSchedule, Schedule, BucketPolicy, EmptiedBucket),
    *(Subscription, TopicPolicy, QueuePolicy, Alarm, SecurityGroupEgress, AsynchronousInvocations),
)


def install(models: Iterable[type[Resource]]) -> None:
    """Let moto's CloudFormation make these resources."""
    patch(
        parsing,
        "resource_class_from_type",
        _class_of,
        why="moto takes every custom resource for a function in a container",
    )
    for model in models:
        get_model_map()[model.cloudformation] = model
        get_name_type_map()[model.cloudformation] = model.name_property


def _class_of(kind: str) -> Any:
    """The model of a type; moto takes every custom resource for a function in a container."""
    return get_model_map().get(kind) or _moto_class_of(kind)


@cache
def client_of(service: str, region: str) -> Any:
    """A client of this very endpoint, whom no policy holds back."""
    with _MAKING:
        return _session(region).client(service, endpoint_url=f"http://localhost:{moto_server_port()}")


@cache
def _session(region: str) -> Any:
    """One for all clients of a region: to make one costs as much as to make a client."""
    return boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name=region)  # noqa: S106


def _some(properties: Properties, *words: str) -> dict[str, Any]:
    return {word: properties[word] for word in words if word in properties}


def _typed(client: Any, operation: str, properties: Properties) -> dict[str, Any]:
    """The properties with the types of an API call's parameters, which have the same names.

    CloudFormation accepts "5" and "true" for a number and a boolean.
    """
    result: dict[str, Any] = _as_shape(client.meta.service_model.operation_model(operation).input_shape, properties)
    return result


_CASTS: Mapping[str, Callable[[Any], Any]] = {
    "integer": int,
    "long": int,
    "double": float,
    "float": float,
    "boolean": lambda value: str(value).lower() == "true",
}


def _as_shape(shape: Any, value: Any) -> Any:
    kind = "unknown" if shape is None else shape.type_name
    if kind == "structure":
        return {word: _as_shape(shape.members.get(word), each) for word, each in value.items()}
    if kind == "list":
        return [_as_shape(shape.member, each) for each in value]
    cast = _CASTS.get(kind)
    return value if cast is None else cast(value)
