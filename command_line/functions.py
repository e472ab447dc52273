"""The deployed functions that a person asks: they are in the network, and reach the databases from there."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import ClientError

from command_line.deployment import Deployment
from totes.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_LONGEST = 15 * 60
"""Seconds that a function may take."""

_ASLEEP = ("ResourceNotReadyException", "ResourceConflictException", "ENINotReadyException")
"""What Lambda says of a function in a network that nobody has called for weeks: the call has woken it.

https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
"""


def ask(deployment: Deployment, function: str, question: Mapping[str, Any]) -> Any:
    """Ask a function, and wait for its answer; in AWS this needs the right `lambda:InvokeFunction`.

    Args:
        deployment: whose function.
        function: the output that names it, such as "AnswerFunction".
        question: its event.

    Raises:
        UserError: it failed, and the sentence is its own; or there is no such function.
    """
    client = _client(deployment)
    name = deployment.outputs.get(function)
    if name is None:
        raise UserError(
            f"{deployment.name} has no {function}: what is deployed there is older than this totes; deploy it "
            "(cdk deploy --all)"
        )
    try:
        answer = client.invoke(FunctionName=name, Payload=json.dumps(dict(question)).encode())
    except ClientError as error:
        if error.response["Error"]["Code"] not in _ASLEEP:
            raise
        client.get_waiter("function_active_v2").wait(FunctionName=name)
        answer = client.invoke(FunctionName=name, Payload=json.dumps(dict(question)).encode())
    said = json.loads(answer["Payload"].read() or b"null")
    if answer.get("FunctionError"):
        raise UserError(str(said.get("errorMessage", said)))
    return said


def _client(deployment: Deployment) -> "LambdaClient":
    """A client that waits as long as a function may take and asks once: a second request would repeat the work."""
    patient = Config(read_timeout=_LONGEST + 10, tcp_keepalive=True, retries={"total_max_attempts": 1})
    return deployment.session.client("lambda", endpoint_url=deployment.endpoint, config=patient)
