"""Clients of AWS, each made once a process: whoever ran before has left a connection and what a service's model says.

botocore makes them by itself: boto3 would add transfers of files in parts and resources, which nobody here uses, at a
tenth of a cold start.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

# Who has fallen silent is asked again before the function's own time is up: a rotation has a minute.
_SECRETS = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "max_attempts": 3})
_STORE = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 5}, max_pool_connections=16
)


@cache
def session() -> botocore.session.Session:
    """What all clients are made by; it reads a service's model, and looks for credentials, once."""
    return botocore.session.get_session()


@cache
def s3() -> "S3Client":
    """The client of the lake's buckets."""
    client: Any = session().create_client("s3", config=_STORE)
    return client  # type: ignore[no-any-return]


@cache
def secrets_manager() -> "SecretsManagerClient":
    """The client of Secrets Manager."""
    client: Any = session().create_client("secretsmanager", config=_SECRETS)
    return client  # type: ignore[no-any-return]
