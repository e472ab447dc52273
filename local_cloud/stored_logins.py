"""The logins in the secrets of a local cloud, stored when the cloud comes up."""

import json
from collections.abc import Mapping
from typing import Any

from local_cloud import libpq
from local_cloud.cloud import LocalCloud
from local_cloud.databases import (
    OWN_WAREHOUSE_ROLES,
    embedded_dashboard_login,
    embedded_login,
    login,
    refuse_roles_there,
)
from local_cloud.network import inside
from totes.errors import UserError
from totes.settings import PLACEHOLDER

SECRETS = {"source": "SourceSecretArn", "warehouse": "WarehouseSecretArn"}
"""The databases, and the stack's outputs that name their secrets."""

_DASHBOARD = "DashboardSecretArn"


def store_logins(cloud: LocalCloud, uris: Mapping[str, str], given: Mapping[str, Mapping[str, Any]]) -> None:
    """Store the logins of a new cloud; a warehouse of totes' own is prepared as it would be in AWS.

    An embedded database has one role for each secret, so that a rotation changes nobody else's password.
    """
    outputs = _outputs(cloud)
    secrets, names = cloud.client("secretsmanager"), list(SECRETS)
    if "PrepareFunction" in outputs:
        names.remove("warehouse")
        if "warehouse" in given:
            with libpq.restored():
                refuse_roles_there(uris["warehouse"], OWN_WAREHOUSE_ROLES)
        _prepare_own_warehouse(cloud, outputs, _master(cloud, uris, given))
    for login_name in names:
        values = given.get(login_name) or _placed(cloud, embedded_login(uris[login_name], login_name), login_name)
        secrets.put_secret_value(SecretId=outputs[SECRETS[login_name]], SecretString=json.dumps(values))
    _store_dashboard_login(cloud, uris, outputs)


def _store_dashboard_login(cloud: LocalCloud, uris: Mapping[str, str], outputs: Mapping[str, str]) -> None:
    """Store the dashboard's login, where none is yet: a role of its own, or the only login that a person has named."""
    secrets = cloud.client("secretsmanager")
    warehouse, dashboard = (
        json.loads(secrets.get_secret_value(SecretId=outputs[name])["SecretString"])
        for name in (SECRETS["warehouse"], _DASHBOARD)
    )
    if dashboard["host"] != PLACEHOLDER:
        return
    if "warehouse" in cloud.embedded:
        warehouse = _placed(cloud, embedded_dashboard_login(uris["warehouse"], warehouse), "warehouse")
    secrets.put_secret_value(SecretId=outputs[_DASHBOARD], SecretString=json.dumps(warehouse))


def store_what_changed(
    cloud: LocalCloud, uris: Mapping[str, str], given: Mapping[str, Mapping[str, Any]], named_again: Mapping[str, str]
) -> None:
    """Store what a continued cloud's secrets do not have: RDS's master, and logins that have changed."""
    outputs, secrets = _outputs(cloud), cloud.client("secretsmanager")
    if "PrepareFunction" in outputs:
        store_master(cloud, _master(cloud, uris, given))
    for login_name, before in named_again.items():
        for secret in (SECRETS[login_name], *([_DASHBOARD] if login_name == "warehouse" else [])):
            stored = json.loads(secrets.get_secret_value(SecretId=outputs[secret])["SecretString"])
            # If totes has made a role since, its login stays in the secret: the person's URI is of another role.
            if stored["username"] == before or (secret != _DASHBOARD and before != given[login_name]["username"]):
                secrets.put_secret_value(SecretId=outputs[secret], SecretString=json.dumps(given[login_name]))
    _store_dashboard_login(cloud, uris, outputs)


def _outputs(cloud: LocalCloud) -> dict[str, str]:
    return {
        output["OutputKey"]: output["OutputValue"]
        for stack in cloud.client("cloudformation").describe_stacks()["Stacks"]
        for output in stack.get("Outputs", [])
    }


def _master(cloud: LocalCloud, uris: Mapping[str, str], given: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    return given.get("warehouse") or _placed(cloud, login(uris["warehouse"], "warehouse"), "warehouse")


def _placed(cloud: LocalCloud, values: dict[str, Any], login_name: str) -> dict[str, Any]:
    """The login of an embedded database; where the stacks have a network, in the form that it has in that network."""
    network = f"totes-{cloud.environment}-network"
    stacks = cloud.client("cloudformation").describe_stacks()["Stacks"]
    return inside(values, login_name) if any(stack["StackName"].startswith(network) for stack in stacks) else values


def store_master(cloud: LocalCloud, master: Mapping[str, Any]) -> None:
    """Store a login in the secret of RDS's master, of which there is one."""
    secrets = cloud.client("secretsmanager")
    listed = secrets.list_secrets(Filters=[{"Key": "name", "Values": ["rds!"]}])["SecretList"]
    [of_master] = [found["ARN"] for found in listed]
    secrets.put_secret_value(SecretId=of_master, SecretString=json.dumps(master))


def write_place(cloud: LocalCloud, secret: str, there: Mapping[str, Any]) -> None:
    """Copy the place of the database from another login into a secret, whose own user and password stay."""
    secrets = cloud.client("secretsmanager")
    made = json.loads(secrets.get_secret_value(SecretId=secret)["SecretString"])
    values = {**there, "username": made["username"], "password": made["password"]}
    secrets.put_secret_value(SecretId=secret, SecretString=json.dumps(values))


def _prepare_own_warehouse(cloud: LocalCloud, outputs: Mapping[str, str], master: Mapping[str, Any]) -> None:
    """Make the server's superuser RDS's master, and write the place of the server into the roles' secrets."""
    store_master(cloud, master)
    for output in ("WarehouseSecretArn", "DashboardSecretArn"):
        write_place(cloud, outputs[output], master)
    answer = cloud.client("lambda").invoke(FunctionName=outputs["PrepareFunction"])
    if answer.get("FunctionError"):
        raise UserError(f"the warehouse's roles were not made: {answer['Payload'].read().decode()}")
