"""Who may sign in to a deployment's dashboard: they are invited and removed by an administrator, and by nobody else."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from command_line.deployment import Deployment
from totes.errors import UserError

_INVITED = "FORCE_CHANGE_PASSWORD"


@dataclass(frozen=True, kw_only=True)
class DashboardUser:
    """Somebody who has been invited.

    Attributes:
        email: by which they sign in.
        state: "invited" until the first sign-in, then "active", or "disabled"; any other is Cognito's word.
        invited_at: when they were, for the first time.
    """

    email: str
    state: str
    invited_at: datetime


class DashboardUsers:
    """The users of a deployment's dashboard."""

    def __init__(self, deployment: Deployment) -> None:
        """Find where they are kept; raise NotDeployedError where the environment has no dashboard."""
        self._deployment = deployment
        self._pool = deployment.dashboard_outputs["UserPool"]
        self._client: Any = deployment.session.client("cognito-idp", endpoint_url=deployment.endpoint)

    def all(self) -> list[DashboardUser]:
        """Return everybody, by e-mail address."""
        return sorted((_user(each) for each in self._found()), key=lambda user: user.email)

    def invite(self, email: str) -> bool:
        """Invite somebody, or once more who has not signed in yet; Cognito mails a password for the first time.

        Args:
            email: the address, by which they will sign in.

        Returns:
            Whether they had been invited before.

        Raises:
            UserError: it is no address, or they have signed in already.
        """
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email, re.ASCII) or not email.isascii():
            raise UserError(f"{email!r} is no e-mail address, such as ada@shop.example")
        known = self._known(email)
        if known is not None and known["UserStatus"] != _INVITED:
            raise UserError(
                f"{email} has an account already and has signed in with it; who has forgotten the password is removed "
                f"(totes dashboard remove {email}) and invited again"
            )
        again = {"MessageAction": "RESEND"} if known is not None else {}
        verified = {"Name": "email_verified", "Value": "true"}
        self._client.admin_create_user(
            UserPoolId=self._pool,
            Username=email,
            UserAttributes=[{"Name": "email", "Value": email}, verified],
            DesiredDeliveryMediums=["EMAIL"],
            **again,
        )
        return known is not None

    def remove(self, email: str) -> None:
        """Take somebody's account away; raise UserError if there is none of the address.

        Tokens are revoked first. Credentials that a browser has at that moment are good for an hour at most.
        """
        known = self._known(email)
        if known is None:
            raise UserError(
                f"nobody with the address {email} has been invited to the dashboard of {self._deployment.name}"
            )
        who = {"UserPoolId": self._pool, "Username": known["Username"]}
        self._client.admin_user_global_sign_out(**who)
        self._client.admin_delete_user(**who)

    def _found(self) -> Iterator[Mapping[str, Any]]:
        for page in self._client.get_paginator("list_users").paginate(UserPoolId=self._pool):
            yield from page["Users"]

    def _known(self, email: str) -> Mapping[str, Any] | None:
        return next((each for each in self._found() if _email(each).lower() == email.lower()), None)


def _user(found: Mapping[str, Any]) -> DashboardUser:
    state = {"CONFIRMED": "active", _INVITED: "invited"}.get(found["UserStatus"], found["UserStatus"].lower())
    return DashboardUser(
        email=_email(found), state=state if found["Enabled"] else "disabled", invited_at=found["UserCreateDate"]
    )


def _email(found: Mapping[str, Any]) -> str:
    return next((str(each["Value"]) for each in found["Attributes"] if each["Name"] == "email"), found["Username"])
