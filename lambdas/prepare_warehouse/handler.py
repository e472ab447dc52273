"""prepare_warehouse: the roles of a warehouse of totes' own, made or brought up to date; totes init invokes it."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from totes_runtime.handlers import watched
from totes import clients, payloads
from totes.databases import connected_as_master
from totes.errors import WarehouseUnavailable
from totes.logins import login
from totes.roles import prepare_warehouse
from totes.settings import PrepareSettings
from totes.star import READABLE


@watched
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Give the loader's and the dashboard's role the passwords of their secrets; return the roles' names."""
    settings, secrets = PrepareSettings.from_environment(), clients.secrets_manager()
    loader, dashboard = (login(secrets, secret) for secret in (settings.warehouse_secret, settings.dashboard_secret))
    with connected_as_master(
        settings.warehouse_secret, settings.master_secret, unavailable=WarehouseUnavailable
    ) as warehouse:
        prepare_warehouse(warehouse, loader, dashboard, READABLE, own=True)
    return {payloads.ROLES: [loader["username"], dashboard["username"]]}
