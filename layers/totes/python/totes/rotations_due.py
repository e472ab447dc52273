"""Whether the databases' passwords are rotated when they should be, by what Secrets Manager says without a value.

Nobody says that a rotation did not begin: its schedule may be switched off, its function may not be started or be held
back. And a rotation that failed is told of by a metric that the good one of another login sets back.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from totes.logins import unreadable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

logger = logging.getLogger(__name__)

_UNDER_WAY = timedelta(hours=1)
"""A rotation takes four minutes at most; Secrets Manager tries a step that failed a few times more."""

_LATE = timedelta(days=2)
"""Secrets Manager chooses the hour of the day on which a rotation is due."""


def overdue(secrets: "SecretsManagerClient", names: Sequence[str], *, days: int, now: datetime) -> list[str]:
    """Find the secrets that were not rotated when they should have been, and log of each why it is one.

    One of which Secrets Manager does not tell is found too: nobody knows that it was rotated.

    Args:
        secrets: the Secrets Manager client.
        names: ARNs or names of the secrets.
        days: how often they are rotated.
        now: this moment.
    """
    found = []
    for name in names:
        if why := _why_overdue(secrets, name, days, now):
            logger.warning("the password of %s is not rotated: %s", name, why)
            found.append(name)
    return found


def _why_overdue(secrets: "SecretsManagerClient", secret: str, days: int, now: datetime) -> str:
    """Why a password is overdue; empty: it is not."""
    try:
        described = secrets.describe_secret(SecretId=secret)
    except (ClientError, BotoCoreError) as error:
        return str(unreadable(secret, error))
    made = described["CreatedDate"]
    stages = described.get("VersionIdsToStages", {}).values()
    is_pending = any("AWSPENDING" in labels and "AWSCURRENT" not in labels for labels in stages)
    # How old a version is is not said here. One that is pending is no younger than the last change of its secret.
    if is_pending and now - described.get("LastChangedDate", made) > _UNDER_WAY:
        return "a rotation stopped half-way, and its version is still pending"
    # Not by the last change: a rotation that failed, and was given up, is one too. A login that begins to be rotated,
    # or is to be more often, is due when Secrets Manager says; after a rotation that failed that moment is past.
    # https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html (NextRotationDate)
    rotated = described.get("LastRotatedDate", made)
    due = described.get("NextRotationDate") if described.get("RotationEnabled") else None
    if now > (due or rotated + timedelta(days=days)) + _LATE:
        return f"it should be every {days} days, and was last, or the secret was made, at {rotated:%Y-%m-%d %H:%M} UTC"
    return ""
