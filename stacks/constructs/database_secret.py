"""The login of one of totes' roles in a database."""

import json

import aws_cdk as cdk
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from stacks.checks import acknowledge
from stacks.environment import Environment
from totes.logins import database_of, login_tags


class DatabaseSecret(Construct):
    """A secret with all keys of a login and a random password; `totes init` makes the role that it is for.

    CloudFormation chooses its name, so a secret that outlives its stack does not block the next one. Its tags say what
    it is.

    Attributes:
        secret: the secret.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's word
        *,
        environment: Environment,
        login_name: str,
        database: str,
        host: str,
        port: int,
    ) -> None:
        super().__init__(scope, id)
        self.secret = secretsmanager.Secret(
            self,
            "Secret",
            description=(
                f"Login of totes' role {login_name} ({environment.name}): totes init {database_of(login_name)} "
                f"makes the role, totes secrets set {login_name} stores another login. A JSON object with host, port, "
                "username, password, dbname and any other keyword of a libpq connection string."
            ),
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps(
                    {
                        "engine": "postgres",
                        "host": host,
                        "port": port,
                        "username": f"totes_{login_name}",
                        "dbname": database,
                        "sslmode": "verify-full",
                    }
                ),
                generate_string_key="password",
                exclude_punctuation=True,
                password_length=40,
            ),
            removal_policy=environment.data_removal,
        )
        for key, value in login_tags(environment.name, login_name).items():
            cdk.Tags.of(self.secret).add(key, value)
        acknowledge(
            self.secret,
            "SMG4",
            reason="It is rotated: its schedule stands in the pipeline's stack, beside the function that does it.",
        )
