"""Makes the roles that totes uses in the databases: from here, or by the function that is in the network."""

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2.extensions import connection as Connection

from totes.capture import SOURCE_TABLES
from totes.logins import NotFilledIn, login
from totes.roles import prepare_source, prepare_warehouse
from totes.settings import PLACEHOLDER
from totes.star import CURRENT_VIEWS
from workbench.deployment import Deployment
from workbench.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_DATABASES = {"source": ("source",), "warehouse": ("warehouse", "dashboard")}
"""The databases, and the roles that totes has in each."""


def make_roles(deployment: Deployment, database: str, admin: str | None) -> list[str]:
    """Make the roles of a database with the passwords that their secrets have, or bring them up to date.

    Secrets that nobody has filled in yet learn from the administrator's URI where the database is.

    Args:
        deployment: whose databases and secrets.
        database: "source" or "warehouse".
        admin: URI of somebody who may make roles there; None: the warehouse is totes' own, and its function does it.

    Returns:
        The roles' names.

    Raises:
        UserError: the URI is missing or refused, or the administrator may not do this.
    """
    if database not in _DATABASES:
        raise UserError(f"there is no database {database!r}; there are {', '.join(_DATABASES)}")
    if admin is None:
        return _made_by_function(deployment, database)
    try:
        with closing(psycopg2.connect(admin)) as connection:
            logins = [_login(deployment, role, connection) for role in _DATABASES[database]]
            if database == "source":
                prepare_source(connection, logins[0], [table.name for table in SOURCE_TABLES])
            else:
                prepare_warehouse(connection, logins[0], logins[1], CURRENT_VIEWS)
    except psycopg2.Error as error:
        raise UserError(f"the roles of the {database} were not made: {' '.join(str(error).split())}") from error
    return [each["username"] for each in logins]


def _made_by_function(deployment: Deployment, database: str) -> list[str]:
    function = deployment.outputs.get("PrepareFunction")
    if database != "warehouse" or function is None:
        raise UserError(
            f"the {database} is somebody else's: say --admin URI, of a role that may make roles in it, and run this "
            "where the database can be reached"
        )
    client: LambdaClient = deployment.session.client("lambda", endpoint_url=deployment.endpoint)
    answer = client.invoke(FunctionName=function)
    said = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise UserError(f"the roles of the warehouse were not made: {said.get('errorMessage', said)}")
    return list(said["roles"])


def _login(deployment: Deployment, role: str, admin: Connection) -> dict[str, Any]:
    """A role's login, its secret brought up to where the database is if it does not say so yet."""
    secret = deployment.outputs[f"{role.capitalize()}SecretArn"]
    try:
        return login(deployment.secrets, secret)
    except NotFilledIn:
        made = json.loads(deployment.secrets.get_secret_value(SecretId=secret)["SecretString"])
        if made["host"] != PLACEHOLDER:
            raise
        info = admin.info
        filled = {**made, "host": info.host, "port": info.port, "dbname": info.dbname}
        deployment.secrets.put_secret_value(SecretId=secret, SecretString=json.dumps(filled))
        return filled
