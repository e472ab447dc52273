"""What botocore knows of the services that functions use, read ahead.

botocore reads a service's model in a tenth of a second, once a session. A process that is forked after this module was
imported finds them in its default session, which holds neither a client nor credentials.
"""

from typing import Any

import boto3

boto3.setup_default_session()
_boto3: Any = boto3
for _service in ("s3", "secretsmanager"):
    _boto3.client(_service, region_name="eu-west-2", aws_access_key_id="any", aws_secret_access_key="any").close()
_boto3.DEFAULT_SESSION._session.get_component("credential_provider")
