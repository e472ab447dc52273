"""Imported last by the process that tests fork functions from: what each fork would else do again."""

import gc

import boto3

from local_cloud.aws_models import shared_loader

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

# What is here stays, so no fork need look whether it is garbage.
gc.collect()
gc.freeze()
