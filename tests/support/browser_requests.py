"""What a browser asks of Cognito and S3, in requests that carry nothing but what it has been given."""

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import ClientError

from local_cloud.account import REGION

_TARGETS = {
    "cognito-idp": "AWSCognitoIdentityProviderService",
    "cognito-identity": "AWSCognitoIdentityService",
}


def send(
    endpoint: str, method: str, path: str, body: str = "", headers: Mapping[str, str] = MappingProxyType({})
) -> tuple[int, bytes]:
    """Send a request as it is; return the answer's status and body."""
    with closing(HTTPConnection(urlsplit(endpoint).netloc)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


@dataclass(frozen=True)
class Refused(Exception):
    """What Cognito refuses, in its words."""

    kind: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """The page's view of a deployed dashboard.

    Attributes:
        endpoint: where AWS is.
        pool, client, identities: as the page's configuration names them.
    """

    endpoint: str
    pool: str
    client: str
    identities: str

    def ask(self, service: str, operation: str, **said: Any) -> dict[str, Any]:
        """Call an operation of Cognito without a signature; raise Refused as it says."""
        status, body = send(
            self.endpoint,
            "POST",
            "/",
            json.dumps(said),
            {
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": f"{_TARGETS[service]}.{operation}",
            },
        )
        if status != HTTPStatus.OK:
            told = json.loads(body)
            raise Refused(told["__type"].rpartition("#")[2], told.get("message", ""))
        found: dict[str, Any] = json.loads(body) if body else {}
        return found

    def sign_in(self, email: str, password: str, new: str | None = None, user: str | None = None) -> dict[str, str]:
        """Sign in and return the tokens.

        Args:
            email: who.
            password: their password.
            new: another, where one is asked for.
            user: who they say they are then; None: what the test has them say.
        """
        shown = {"USERNAME": email, "PASSWORD": password}
        answer = self.ask(
            "cognito-idp",
            "InitiateAuth",
            ClientId=self.client,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters=shown,
        )
        if new is not None:
            assert answer["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
            answer = self.ask(
                "cognito-idp",
                "RespondToAuthChallenge",
                ClientId=self.client,
                ChallengeName="NEW_PASSWORD_REQUIRED",
                Session=answer["Session"],
                ChallengeResponses={
                    "USERNAME": user or answer["ChallengeParameters"]["USER_ID_FOR_SRP"],
                    "NEW_PASSWORD": new,
                },
            )
        tokens: dict[str, str] = answer["AuthenticationResult"]
        return tokens

    def logins(self, token: str) -> Mapping[str, str]:
        """How a token is shown to the identity pool."""
        return {f"cognito-idp.{REGION}.amazonaws.com/{self.pool}": token}

    def credentials(self, token: str) -> dict[str, str]:
        """What the identity pool gives for a token."""
        logins = self.logins(token)
        identity = self.ask("cognito-identity", "GetId", IdentityPoolId=self.identities, Logins=logins)["IdentityId"]
        given: dict[str, str] = self.ask(
            "cognito-identity", "GetCredentialsForIdentity", IdentityId=identity, Logins=logins
        )["Credentials"]
        return given


class Reader:
    """Who reads S3 with credentials."""

    def __init__(self, endpoint: str, given: Mapping[str, str]) -> None:
        self._client: Any = boto3.Session().client(
            "s3",
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretKey"],
            aws_session_token=given["SessionToken"],
        )

    def call(self, operation: str, **said: Any) -> str:
        """Call S3; return the body of what is read, "done", or the error's code."""
        try:
            answer = getattr(self._client, operation)(**said)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return answer["Body"].read().decode() if operation == "get_object" else "done"
