"""What botocore knows of the services that functions use, read ahead.

botocore reads a service's model in a tenth of a second, once a session. A process that is forked after this module was
imported finds them in the session of totes' clients, which holds neither a client nor credentials.
"""

from typing import Any

from totes.clients import session

_session: Any = session()
for _service in ("s3", "secretsmanager"):
    _session.create_client(
        _service, region_name="eu-west-2", aws_access_key_id="any", aws_secret_access_key="any"
    ).close()
_session.get_component("credential_provider")
