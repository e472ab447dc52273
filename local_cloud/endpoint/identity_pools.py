"""Identity pools that give credentials only to those who have signed in, and only of the role that is theirs.

moto gives everybody the same key. Here an identity, and credentials too, need a token of the pool's provider. The
credentials are a session of the role for authenticated users, if that role trusts the pool; requests with them are
checked against the role's policies as a function's are. Only the enhanced flow is supported:
https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flow.html
"""

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.cognitoidentity.models import cognitoidentity_backends
from moto.cognitoidentity.responses import CognitoIdentityResponse
from moto.cognitoidp.models import cognitoidp_backends
from moto.core.exceptions import JsonRESTError
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends

from local_cloud.account import ACCOUNT
from local_cloud.endpoint.authority import begin_session
from local_cloud.endpoint.patches import add, patch
from local_cloud.endpoint.resources import Properties, Resource
from local_cloud.policies import Asker, trusts

_PARTITION = "aws"
_ISSUER = "cognito-identity.amazonaws.com"
_SECONDS = 3600
_BAD_ROLES = "Invalid identity pool configuration. Check assigned IAM roles for this pool."


@dataclass
class _Known:
    """What moto does not keep of the pools.

    Attributes:
        roles: of each pool.
        identities: of whom they are: pool, and who they are there.
    """

    roles: dict[str, Mapping[str, str]] = field(default_factory=dict)
    identities: dict[str, tuple[str, str]] = field(default_factory=dict)


_known = _Known()


def install() -> None:
    """Patch moto's identity pools."""
    response = CognitoIdentityResponse
    patch(response, "get_id", _get_id, why="moto wants no token")
    patch(response, "get_credentials_for_identity", _get_credentials, why="moto gives everybody the same key")
    patch(response, "get_open_id_token", _refuse_the_classic_flow, why="moto knows the classic flow of every pool")
    add(response, "set_identity_pool_roles", _set_roles, why="moto knows no roles of a pool")
    add(response, "get_identity_pool_roles", _get_roles, why="moto knows no roles of a pool")


def _get_id(response: Any) -> str:
    pool = _pool(response._get_param("IdentityPoolId"))  # noqa: SLF001 - moto has no public word for it
    who = pool.identity_pool_id, _signed_in(pool, response._get_param("Logins"))  # noqa: SLF001
    known = next((identity for identity, of in _known.identities.items() if of == who), None)
    if known is None:
        known = json.loads(response.backend.get_id(pool.identity_pool_id))["IdentityId"]
        _known.identities[known] = who
    return json.dumps({"IdentityId": known})


def _get_credentials(response: Any) -> str:
    identity = response._get_param("IdentityId")  # noqa: SLF001
    if identity not in _known.identities:
        raise JsonRESTError("ResourceNotFoundException", f"Identity '{identity}' not found.")
    pool_id, subject = _known.identities[identity]
    if _signed_in(_pool(pool_id), response._get_param("Logins")) != subject:  # noqa: SLF001
        raise JsonRESTError("NotAuthorizedException", f"Access to Identity '{identity}' is forbidden.")
    role = _known.roles.get(pool_id, {}).get("authenticated")
    if role is None or not _trusts(role, pool_id):
        raise JsonRESTError("InvalidIdentityPoolConfigurationException", _BAD_ROLES)
    session = begin_session(role, "CognitoIdentityCredentials", _SECONDS)
    return json.dumps(
        {
            "IdentityId": identity,
            "Credentials": {
                "AccessKeyId": session.access_key_id,
                "SecretKey": session.secret_access_key,
                "SessionToken": session.session_token,
                "Expiration": time.time() + _SECONDS,
            },
        }
    )


def _refuse_the_classic_flow(_: Any) -> str:
    raise JsonRESTError("InvalidParameterException", "Basic (classic) flow is not enabled, please use enhanced flow.")


def _set_roles(response: Any) -> str:
    pool = _pool(response._get_param("IdentityPoolId"))  # noqa: SLF001
    _known.roles[pool.identity_pool_id] = response._get_param("Roles")  # noqa: SLF001
    return ""


def _get_roles(response: Any) -> str:
    pool = _pool(response._get_param("IdentityPoolId"))  # noqa: SLF001
    roles = _known.roles.get(pool.identity_pool_id, {})
    return json.dumps({"IdentityPoolId": pool.identity_pool_id, "Roles": roles})


def _pool(pool_id: str) -> Any:
    backend = cognitoidentity_backends[ACCOUNT][pool_id.partition(":")[0]]
    backend.describe_identity_pool(pool_id)  # it says what AWS says where there is none
    return backend.identity_pools[pool_id]


def _signed_in(pool: Any, logins: Mapping[str, str] | None) -> str:
    """Who shows a token of one of the pool's providers; raise what AWS says where nobody does."""
    if not logins:
        raise _refused("Unauthenticated access is not supported for this identity pool.")
    [(provider, token), *_] = logins.items()
    clients = [each["ClientId"] for each in pool.cognito_identity_providers or () if each["ProviderName"] == provider]
    if not clients:
        raise _refused("Token is not from a supported provider of this identity pool.")
    where, _, users_id = provider.partition("/")
    users = cognitoidp_backends[ACCOUNT][where.split(".")[1]].user_pools.get(users_id)
    client, name = (users.id_tokens if users else {}).get(token, (None, ""))
    if client not in clients:
        raise _refused("Invalid login token. Not a valid OpenId Connect identity token.")
    if _claims(token)["exp"] < time.time():
        raise _refused("Invalid login token. Token expired.")
    user = users._get_user(name)  # noqa: SLF001 - moto's own
    if user is None or not user.enabled:  # the server-side check of the token
        raise _refused("Token is not from a supported provider of this identity pool.")
    return str(user.id)


def _refused(why: str) -> JsonRESTError:
    return JsonRESTError("NotAuthorizedException", why)


def _claims(token: str) -> Mapping[str, Any]:
    payload = token.split(".")[1]
    claims: Mapping[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def _trusts(role_arn: str, pool_id: str) -> bool:
    try:
        role = iam_backends[ACCOUNT][_PARTITION].get_role_by_arn(role_arn)
    except NotFoundException:
        return False
    document = role.assume_role_policy_document
    asker = Asker(_ISSUER, {f"{_ISSUER}:aud": pool_id, f"{_ISSUER}:amr": "authenticated"}, kind="Federated")
    return trusts(document if isinstance(document, str) else json.dumps(document), _ASSUME, asker)


_ASSUME = "sts:AssumeRoleWithWebIdentity"


class IdentityPool(Resource):
    """An identity pool."""

    cloudformation = "AWS::Cognito::IdentityPool"
    service = "cognito-identity"
    attribute_names = ("Name",)

    def make(self) -> None:
        """Make it."""
        said = {"IdentityPoolName": self.name, **self.said("CreateIdentityPool", self.properties)}
        made = self.client.create_identity_pool(**said)
        self.physical_resource_id = made["IdentityPoolId"]
        self.attributes = {"Name": made["IdentityPoolName"]}

    def change(self, properties: Properties) -> None:
        """Change it."""
        said = {"IdentityPoolName": self.name, **self.said("UpdateIdentityPool", properties)}
        self.client.update_identity_pool(IdentityPoolId=self.physical_resource_id, **said)

    def remove(self) -> None:
        """Delete it."""
        self.client.delete_identity_pool(IdentityPoolId=self.physical_resource_id)


class IdentityPoolRoles(Resource):
    """Which roles those have whom an identity pool gives credentials."""

    cloudformation = "AWS::Cognito::IdentityPoolRoleAttachment"
    service = "cognito-identity"

    def make(self) -> None:
        """Set them."""
        self.change(self.properties)

    def change(self, properties: Properties) -> None:
        """Set others."""
        self.client.set_identity_pool_roles(IdentityPoolId=properties["IdentityPoolId"], Roles=properties["Roles"])

    def remove(self) -> None:
        """Leave none."""
        self.client.set_identity_pool_roles(IdentityPoolId=self.properties["IdentityPoolId"], Roles={})


MODELS: tuple[type[Resource], ...] = (IdentityPool, IdentityPoolRoles)
