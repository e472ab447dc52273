"""The roles that totes uses in the databases: what each may do, as SQL that can be run again at any time.

The source's role reads its tables. The warehouse's role has schema `etl` for itself and makes its tables in `public`.
The dashboard's role sees the views of the current state and no table.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import encrypt_password

DASHBOARD = "totes_dashboard"
"""The dashboard's role, which the loader lets see each view that it makes."""

_LEDGER = "etl"


def prepare_source(connection: Connection, login: Mapping[str, Any], tables: Sequence[str]) -> None:
    """Make the role that reads the source, or bring it up to date.

    Args:
        connection: the source, as somebody who may make roles and owns the tables; outside a transaction.
        login: username and password of the role.
        tables: what it is to read, in schema public.

    Raises:
        psycopg2.Error: a table is missing, or the connection's own role may not do this.
    """
    role = sql.Identifier(login["username"])
    statements = [
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role),
        *(sql.SQL("GRANT SELECT ON {} TO {}").format(sql.Identifier("public", table), role) for table in tables),
    ]
    _run(connection, [login], statements)


def prepare_warehouse(
    connection: Connection, login: Mapping[str, Any], dashboard: Mapping[str, Any], views: Sequence[str]
) -> None:
    """Make the roles that load and show the warehouse, or bring them up to date.

    Args:
        connection: the warehouse, as somebody who may make roles; outside a transaction.
        login: username and password of the loader's role.
        dashboard: username and password of the dashboard's.
        views: what the dashboard sees, in schema public, as far as they are there.

    Raises:
        psycopg2.Error: the connection's own role may not do this.
    """
    loader, reader = sql.Identifier(login["username"]), sql.Identifier(dashboard["username"])
    statements = [
        # Whoever makes a schema for a role must be a member of it.
        sql.SQL("GRANT {} TO CURRENT_USER").format(loader),
        sql.SQL("GRANT USAGE, CREATE ON SCHEMA public TO {}").format(loader),
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(reader),
    ]
    if not _is_there(connection, "SELECT to_regnamespace(%s)", _LEDGER):
        statements.append(sql.SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(sql.Identifier(_LEDGER), loader))
    statements += [
        sql.SQL("GRANT SELECT ON {} TO {}").format(sql.Identifier("public", view), reader)
        for view in views
        if _is_there(connection, "SELECT to_regclass(%s)", f"public.{view}")
    ]
    _run(connection, [login, dashboard], statements)


def _run(connection: Connection, logins: Sequence[Mapping[str, Any]], grants: Sequence[sql.Composable]) -> None:
    """Make the roles and run the grants, in one transaction."""
    with connection, connection.cursor() as cursor:
        database = sql.Identifier(connection.info.dbname)
        for each in logins:
            role = sql.Identifier(each["username"])
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [each["username"]])
            verb = "ALTER" if cursor.fetchone() else "CREATE"
            # The database is sent the verifier, so that no statement log holds the password.
            verifier = encrypt_password(each["password"], each["username"], connection, "scram-sha-256")
            cursor.execute(sql.SQL(verb + " ROLE {} LOGIN PASSWORD %s").format(role), [verifier])
            cursor.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(database, role))
        for statement in grants:
            cursor.execute(statement)


def _is_there(connection: Connection, question: str, name: str) -> bool:
    with connection, connection.cursor() as cursor:
        cursor.execute(question, [name])
        [[found]] = cursor.fetchall()
    return found is not None
