"""A login is rotated where it is totes' own."""

import boto3
import pytest

from command_line.deployment import Deployment
from command_line.logins import Logins
from totes.errors import UserError


def deployed(**outputs: str) -> Deployment:
    session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="eu-west-2")
    deployment = Deployment("environment dev", session, None, "dev")
    deployment.__dict__["outputs"] = outputs
    return deployment


def test_a_login_in_a_secret_of_somebody_elses_is_not_rotated_and_nobody_is_asked_anything() -> None:
    deployment = deployed(SourceSecretArn="arn:aws:secretsmanager:...:shop", RotatedLogins="warehouse,dashboard")
    with pytest.raises(
        UserError,
        match=r"the password of the source is left alone: its secret is not totes' own, .* rotates_secret=True",
    ):
        Logins(deployment).rotate("source")
