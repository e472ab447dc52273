"""A local account in which nothing is deployed yet, and what RDS does after the first deployment."""

from contextlib import closing
from pathlib import Path

from psycopg2 import sql

from local_cloud.account import REGION
from local_cloud.cloud import LocalCloud
from local_cloud.databases import OWN_WAREHOUSE_ROLES, login
from local_cloud.folder import CLOUD, DATABASES, ENDPOINT, StateFolder
from local_cloud.launch import Daemon, check_localhost
from local_cloud.network import inside
from local_cloud.stored_logins import store_master, write_place
from totes.connecting import connect

_EMBEDDED = ("source", "warehouse")


def open_account(state: Path, *, environment: str) -> LocalCloud:
    """Start a local cloud in whose account there is nothing, not even what `cdk bootstrap` makes.

    It outlives this process, but cannot be continued: nothing of it is kept.

    Args:
        state: the folder for everything it makes; new, empty, or that of a local cloud which does not run.
        environment: the one that is to be deployed there.

    Raises:
        UserError: a cloud runs in that folder already, or does not start, or localhost is not 127.0.0.1.
    """
    check_localhost()
    folder = StateFolder(state)
    lock = folder.claim()
    with folder.coming_up(lock):
        daemon = Daemon(folder, lock, _EMBEDDED)
        endpoint = daemon.await_document(ENDPOINT)["endpoint"]
        uris = daemon.await_document(DATABASES)
        place = {"endpoint": endpoint, "region": REGION, "pid": daemon.pid, "environment": environment}
        folder.write(CLOUD, {**place, "embedded": _EMBEDDED, "scheduled": False, **uris})
        daemon.release()
    return LocalCloud.attach(state)


def place_databases(cloud: LocalCloud, environment: str) -> None:
    """Do what RDS does when an instance is made: the warehouse is empty, and the secrets lead to the databases.

    Args:
        cloud: where the environment's stacks have just been deployed for the first time.
        environment: its name.
    """
    _empty_warehouse(cloud)
    [stack] = cloud.client("cloudformation").describe_stacks(StackName=f"totes-{environment}-data")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    master = inside(login(cloud.warehouse_uri, "warehouse"), "warehouse")
    store_master(cloud, master)
    for output in ("WarehouseSecretArn", "DashboardSecretArn"):
        write_place(cloud, outputs[output], master)
    write_place(cloud, outputs["SourceSecretArn"], inside(login(cloud.source_uri, "source"), "source"))


def _empty_warehouse(cloud: LocalCloud) -> None:
    """Make the warehouse's database again, without the roles of an earlier instance; the server stays."""
    with closing(connect(cloud.source_uri)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            warehouse = sql.Identifier("warehouse")
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(warehouse))
            for role in OWN_WAREHOUSE_ROLES:
                cursor.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(warehouse))
