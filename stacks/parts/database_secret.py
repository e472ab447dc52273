"""The login of a database that is not ours."""

import json

from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from stacks.checks import acknowledge
from stacks.config import Environment
from totes.settings import PLACEHOLDER


class DatabaseSecret(Construct):
    """A secret of the right shape, to be filled in by whoever knows the database.

    Attributes:
        secret: the secret; its name is totes/<environment>/<role>.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's word
        *,
        environment: Environment,
        role: str,
        database: str,
    ) -> None:
        super().__init__(scope, id)
        name = f"totes/{environment.name}/{role}"
        self.secret = secretsmanager.Secret(
            self,
            "Secret",
            secret_name=name,
            description=(
                f"Login of the {role} database of totes ({environment.name}). Fill it in once: aws secretsmanager "
                f"put-secret-value --secret-id {name} --secret-string file://login.json, a JSON object with host, "
                "port, username, password, dbname and any other keyword of a libpq connection string."
            ),
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps(
                    {
                        "engine": "postgres",
                        "host": PLACEHOLDER,
                        "port": 5432,
                        "username": f"totes_{role}",
                        "dbname": database,
                        "sslmode": "require",
                    }
                ),
                generate_string_key="password",
                exclude_punctuation=True,
                password_length=40,
            ),
            removal_policy=environment.data_removal,
        )
        acknowledge(
            self.secret,
            "SMG4",
            reason="The database and its roles are somebody else's: who changes the password there stores it here, and "
            "the functions fetch it at every connection.",
        )
