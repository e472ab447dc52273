"""Imported last by the process that tests fork functions from: what each fork would else do again."""

import gc

import boto3

# To read a service's model takes most of a client's making; the default session keeps it.
for _service in ("s3", "secretsmanager"):
    boto3.client(
        _service,
        region_name="eu-west-2",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    ).close()

# What is here stays, so no fork need look whether it is garbage.
gc.collect()
gc.freeze()
