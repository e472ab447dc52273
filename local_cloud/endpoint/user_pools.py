"""User pools that let users sign in as Cognito does.

moto keeps pools, clients and users, and its CloudFormation knows none of them. It lets a client use every way to sign
in, tells a caller that a user name does not exist, lets every token be valid for an hour, sends no mail and deletes a
protected pool.
"""

import json
import secrets
import string
from collections.abc import Mapping
from typing import Any

from moto.cognitoidp.exceptions import InvalidParameterException, NotAuthorizedError, UserNotFoundError
from moto.cognitoidp.models import CognitoIdpBackend, CognitoIdpUserPool, UserStatus
from moto.cognitoidp.responses import CognitoIdpResponse
from moto.core.exceptions import JsonRESTError

from local_cloud.account import MAIL
from local_cloud.endpoint.invocations import write_log
from local_cloud.endpoint.patches import patch
from local_cloud.endpoint.resources import Properties, Resource

_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
_WRONG = "Incorrect username or password."
_SUBJECT = "Your temporary password"
_MESSAGE = "Your username is {username} and temporary password is {####}."
"""What an invitation says where the pool does not say it."""

_OF_A_PASSWORD = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "!#%+-=?@_")

_moto_create_user = CognitoIdpResponse.admin_create_user
_moto_delete_pool = CognitoIdpBackend.delete_user_pool
_moto_initiate = CognitoIdpBackend.initiate_auth
_moto_respond = CognitoIdpBackend.respond_to_auth_challenge
_moto_create_jwt = CognitoIdpUserPool.create_jwt


def install() -> None:
    """Patch moto's user pools."""
    patch(CognitoIdpResponse, "admin_create_user", _create_user, why="moto invites nobody, and an invitation twice")
    patch(CognitoIdpBackend, "delete_user_pool", _delete_pool, why="moto deletes a pool that is protected")
    patch(CognitoIdpBackend, "initiate_auth", _initiate, why="moto asks no client how it may sign in")
    patch(CognitoIdpBackend, "respond_to_auth_challenge", _respond, why="moto takes an alias for the user's name")
    patch(CognitoIdpUserPool, "create_jwt", _create_jwt, why="moto gives every token an hour")


def _create_user(response: Any) -> Any:
    """Create a user, or invite one once more, and mail the password that is good for the first time."""
    request = response.parameters
    backend, pool_id, name = response.backend, request["UserPoolId"], request["Username"]
    password = request.get("TemporaryPassword") or _temporary_password(backend, pool_id)
    backend._validate_password(pool_id, password)  # noqa: SLF001 - moto's own
    if request.get("MessageAction") == "RESEND":
        user = backend.admin_get_user(pool_id, name)
        if user.status is not UserStatus.FORCE_CHANGE_PASSWORD:
            raise JsonRESTError("UnsupportedUserStateException", f"Resend not possible. {name} is {user.status}")
        answer = response.admin_get_user()
    else:
        answer = _moto_create_user(response)
        user = backend.admin_get_user(pool_id, name)
    user.password = password
    if request.get("MessageAction") != "SUPPRESS" and "EMAIL" in request.get("DesiredDeliveryMediums", ["SMS"]):
        _invite(backend.describe_user_pool(pool_id), user, password)
    return answer


def _temporary_password(backend: CognitoIdpBackend, pool_id: str) -> str:
    policy = backend.describe_user_pool(pool_id).extended_config.get("Policies", {}).get("PasswordPolicy", {})
    rest = (secrets.choice("".join(_OF_A_PASSWORD)) for _ in range(policy.get("MinimumLength", 8)))
    return "".join([*(secrets.choice(each) for each in _OF_A_PASSWORD), *rest])


def _invite(pool: CognitoIdpUserPool, user: Any, password: str) -> None:
    address = user.attribute_lookup["email"]
    template = pool.extended_config.get("AdminCreateUserConfig", {}).get("InviteMessageTemplate", {})
    text = template.get("EmailMessage", _MESSAGE).replace("{username}", address).replace("{####}", password)
    mail = {"to": address, "subject": template.get("EmailSubject", _SUBJECT), "text": text.replace("<br>", "\n")}
    write_log(MAIL, address, [json.dumps(mail)])


def _delete_pool(backend: CognitoIdpBackend, user_pool_id: str) -> None:
    if backend.describe_user_pool(user_pool_id).extended_config.get("DeletionProtection") == "ACTIVE":
        raise InvalidParameterException(
            "The user pool cannot be deleted because deletion protection is activated. Deletion protection must be "
            "inactivated first."
        )
    _moto_delete_pool(backend, user_pool_id)


def _initiate(backend: CognitoIdpBackend, client_id: str, auth_flow: str, auth_parameters: dict[str, str]) -> Any:
    client = next((pool.clients[client_id] for pool in backend.user_pools.values() if client_id in pool.clients), None)
    if client is None:
        return _moto_initiate(backend, client_id, auth_flow, auth_parameters)
    flows = client.extended_config.get("ExplicitAuthFlows")
    if flows is not None and f"ALLOW_{auth_flow.replace('REFRESH_TOKEN_AUTH', 'REFRESH_TOKEN')}" not in {
        flow.replace("REFRESH_TOKEN_AUTH", "REFRESH_TOKEN") for flow in flows
    }:
        raise InvalidParameterException(f"{auth_flow} flow not enabled for this client")
    try:
        answer = _moto_initiate(backend, client_id, auth_flow, auth_parameters)
    except UserNotFoundError as error:
        if client.extended_config.get("PreventUserExistenceErrors") == "ENABLED":
            raise NotAuthorizedError(_WRONG) from error
        raise
    if answer.get("ChallengeName") == "NEW_PASSWORD_REQUIRED":
        answer["ChallengeParameters"] = {
            "USER_ID_FOR_SRP": answer["ChallengeParameters"]["USERNAME"],
            "requiredAttributes": "[]",
            "userAttributes": "{}",
        }
    return answer


def _respond(
    backend: CognitoIdpBackend, session: str, client_id: str, challenge_name: str, challenge_responses: dict[str, str]
) -> Any:
    """Go on with a challenge; the user is named as in the challenge, not by an address."""
    name = challenge_responses.get("USERNAME")
    if not any(client_id in pool.clients and name in pool.users for pool in backend.user_pools.values()):
        raise NotAuthorizedError("Invalid session for the user.")
    return _moto_respond(backend, session, client_id, challenge_name, challenge_responses)


def _create_jwt(
    pool: CognitoIdpUserPool,
    client_id: str,
    username: str,
    token_use: str,
    expires_in: int = 3600,
    extra_data: dict[str, Any] | None = None,
) -> tuple[str, int]:
    client = pool.clients.get(client_id)
    settings: Mapping[str, Any] = client.extended_config if client else {}
    word = f"{token_use.capitalize()}Token"
    if validity := settings.get(f"{word}Validity"):
        expires_in = int(validity) * _SECONDS[settings.get("TokenValidityUnits", {}).get(word, "hours")]
    made: tuple[str, int] = _moto_create_jwt(pool, client_id, username, token_use, expires_in, extra_data)
    return made


class UserPool(Resource):
    """A user pool."""

    cloudformation = "AWS::Cognito::UserPool"
    service = "cognito-idp"
    attribute_names = ("Arn", "ProviderName", "ProviderURL", "UserPoolId")

    def make(self) -> None:
        """Make it."""
        name = self.properties.get("UserPoolName", self.name)
        made = self.client.create_user_pool(PoolName=name, **self.said("CreateUserPool", self.properties))["UserPool"]
        self.physical_resource_id = made["Id"]
        provider = f"cognito-idp.{self.region}.amazonaws.com/{made['Id']}"
        self.attributes = {
            "Arn": made["Arn"],
            "ProviderName": provider,
            "ProviderURL": f"https://{provider}",
            "UserPoolId": made["Id"],
        }

    def change(self, properties: Properties) -> None:
        """Change it."""
        self.client.update_user_pool(UserPoolId=self.physical_resource_id, **self.said("UpdateUserPool", properties))

    def remove(self) -> None:
        """Delete it."""
        self.client.delete_user_pool(UserPoolId=self.physical_resource_id)


class UserPoolClient(Resource):
    """The client by which an application uses a user pool."""

    cloudformation = "AWS::Cognito::UserPoolClient"
    service = "cognito-idp"
    attribute_names = ("ClientId",)

    def make(self) -> None:
        """Make it."""
        said = {"ClientName": self.name, **self.said("CreateUserPoolClient", self.properties)}
        self.physical_resource_id = self.client.create_user_pool_client(**said)["UserPoolClient"]["ClientId"]
        self.attributes = {"ClientId": self.physical_resource_id}

    def change(self, properties: Properties) -> None:
        """Change it."""
        said = self.said("UpdateUserPoolClient", properties)
        self.client.update_user_pool_client(ClientId=self.physical_resource_id, **said)

    def remove(self) -> None:
        """Delete it."""
        pool = self.properties["UserPoolId"]
        self.client.delete_user_pool_client(UserPoolId=pool, ClientId=self.physical_resource_id)


MODELS: tuple[type[Resource], ...] = (UserPool, UserPoolClient)
