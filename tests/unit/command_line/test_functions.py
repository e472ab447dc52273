"""A function that is asked is waited for, woken where it sleeps, and its own sentence is shown where it fails."""

import io
import json
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from command_line.deployment import Deployment
from command_line.functions import ask
from totes.errors import UserError

QUESTION = {"question": "state"}
ASKED = {"FunctionName": "totes-dev-answer_questions", "Payload": json.dumps(QUESTION).encode()}


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Stubber:
    monkeypatch.setattr("botocore.waiter.time.sleep", lambda _: None)
    return Stubber(boto3.client("lambda", region_name="eu-west-2"))


def asked(stub: Stubber) -> Any:
    session = Mock(client=Mock(return_value=stub.client))
    deployment = Mock(
        spec=Deployment,
        session=session,
        endpoint=None,
        outputs={"AnswerFunction": ASKED["FunctionName"]},
    )
    deployment.name = "environment dev"
    with stub:
        answer = ask(deployment, "AnswerFunction", QUESTION)
    stub.assert_no_pending_responses()
    patience = session.client.call_args.kwargs["config"]
    assert patience.read_timeout > 15 * 60, "a function may take so long"
    assert patience.retries == {"total_max_attempts": 1}, "to ask twice would be twice the work"
    return answer


def said(document: Any, **others: str) -> dict[str, Any]:
    body = json.dumps(document).encode()
    return {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(body), len(body)), **others}


def test_an_answer_is_what_the_function_returns(stub: Stubber) -> None:
    stub.add_response("invoke", said({"newest": 7}), ASKED)
    assert asked(stub) == {"newest": 7}


def test_a_function_that_fails_is_reported_in_its_sentence(stub: Stubber) -> None:
    wrong = {"errorType": "WarehouseUnavailable", "errorMessage": "the warehouse cannot be reached: timeout"}
    stub.add_response("invoke", said(wrong, FunctionError="Unhandled"), ASKED)
    with pytest.raises(UserError, match=r"^the warehouse cannot be reached: timeout$"):
        asked(stub)


@pytest.mark.parametrize("code", ["ResourceNotReadyException", "ResourceConflictException", "ENINotReadyException"])
def test_a_function_that_nobody_has_called_for_weeks_is_woken(stub: Stubber, code: str) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html."""
    stub.add_client_error("invoke", code, expected_params=ASKED)
    for state in ("Pending", "Active"):
        stub.add_response("get_function", {"Configuration": {"State": state}}, {"FunctionName": ASKED["FunctionName"]})
    stub.add_response("invoke", said({"newest": 7}), ASKED)
    assert asked(stub) == {"newest": 7}


def test_what_else_aws_refuses_is_not_asked_again(stub: Stubber) -> None:
    stub.add_client_error("invoke", "AccessDeniedException", "not authorized to perform: lambda:InvokeFunction")
    with pytest.raises(ClientError, match="lambda:InvokeFunction"):
        asked(stub)


def test_a_deployment_without_the_function_is_older() -> None:
    deployment = Mock(spec=Deployment, session=Mock(), endpoint=None, outputs={})
    deployment.name = "environment dev"
    with pytest.raises(UserError, match=r"environment dev has no AnswerFunction: .* deploy it"):
        ask(deployment, "AnswerFunction", QUESTION)
