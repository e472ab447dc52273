"""Imported last by the process that tests fork functions from: what each fork would else do again."""

import gc
import json
from pathlib import Path

import boto3
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

from local_cloud.aws_models import share_with_all, shared_loader

share_with_all()

# To read a service's model takes most of a client's making; the default session keeps it.
for _service in ("s3", "secretsmanager"):
    boto3.client(
        _service,
        region_name="eu-west-2",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    ).close()

# The command line's own sessions share what is read.
for _service in ("cloudformation", "lambda", "logs", "s3", "secretsmanager", "stepfunctions"):
    shared_loader().load_service_model(_service, "service-2")
    shared_loader().load_service_model(_service, "endpoint-rule-set-1")
for _name in ("endpoints", "partitions", "sdk-default-configuration"):
    shared_loader().load_data(_name)

# What a local cloud's daemon would read, or work out, at the first request to a service and the first state machine.
for _service in (
    *("cloudformation", "cloudwatch", "cognito-identity", "cognito-idp", "ec2", "ecr", "iam", "lambda", "logs", "rds"),
    *("s3", "scheduler", "secretsmanager", "sns", "sqs", "ssm", "stepfunctions", "sts"),
):
    get_service_model(_service)
for _service, _protocol in {"lambda": "rest-json", "s3": "rest-xml", "scheduler": "rest-json"}.items():
    get_service_router(_service)._get_router(_protocol)
_ARN = "arn:aws:lambda:eu-west-2:123456789012:function:any"
_pipeline = json.loads(
    (Path(__file__).parents[1] / "infrastructure" / "snapshots" / "dev" / "pipeline.json").read_text()
)
for _resource in _pipeline["Resources"].values():
    if _resource["Type"] == "AWS::StepFunctions::StateMachine":
        _pieces = _resource["Properties"]["DefinitionString"]["Fn::Join"][1]
        AmazonStateLanguageParser.parse(
            "".join(piece if isinstance(piece, str) else "aws" if "Ref" in piece else _ARN for piece in _pieces)
        )

# What is here stays, so no fork need look whether it is garbage.
gc.collect()
gc.freeze()
