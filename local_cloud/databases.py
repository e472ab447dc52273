"""The local cloud's databases and their logins; those that a person names by URI are tried first."""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import psycopg2
from psycopg2 import sql

from local_cloud.named_databases import connect, keywords_of, tls_of
from totes.database_errors import is_answer
from totes.databases import are_one_database, identity_of
from totes.errors import UserError
from totes.roles import DASHBOARD, make_roles, prepare_warehouse, role_of
from totes.sqlstate import first_line
from totes.star import READABLE, STAR_TABLES
from totes.warehouse import is_source

OWN_WAREHOUSE_ROLES = ("totes_warehouse", "totes_dashboard")
"""The roles in a warehouse of totes' own, as its secrets are made with them."""

_OLDEST = 140000
_OWN_NAMES = {"user", "password", "host", "port", "dbname"}
_NO_PASSWORD = "none"  # noqa: S105 - what stands where a database wants none


def login(uri: str, login_name: str) -> dict[str, Any]:
    """Connect to a database once; return what its secret is to hold.

    Args:
        uri: of the database, in any form that libpq reads.
        login_name: "source" or "warehouse", for errors.

    Raises:
        UserError: the URI is empty or not understood, nobody answers, the login is refused, the database is missing
            or its PostgreSQL is older than 14.
    """
    if not uri.strip():
        raise UserError(
            f"the {login_name}'s URI is empty; name one, or leave --{login_name} away for a database of totes' own"
        )
    keywords = keywords_of(uri, login_name)
    try:
        connection = connect(uri, login_name)
    except psycopg2.OperationalError as error:
        raise UserError(_sentence(login_name, error)) from None
    try:
        info = connection.info
        if info.server_version < _OLDEST:
            raise UserError(f"the {login_name} is PostgreSQL {info.server_version // 10000}; totes needs 14 or newer")
        return {
            "engine": "postgres",
            "host": info.host,
            "port": info.port,
            "username": info.user,
            "password": info.password or _NO_PASSWORD,
            "dbname": info.dbname,
            **{name: value for name, value in keywords.items() if name not in _OWN_NAMES},
            **tls_of(connection),
        }
    finally:
        connection.close()


def identity(uri: str, login_name: str) -> tuple[int, int]:
    """Which database a URI leads to; see `totes.databases.identity_of`.

    Args:
        uri: of the database.
        login_name: "source" or "warehouse", for errors.

    Raises:
        UserError: the server does not tell.
    """
    with closing(connect(uri, login_name)) as connection:
        try:
            return identity_of(connection)
        except psycopg2.errors.InsufficientPrivilege as error:
            role, database = connection.info.user, connection.info.dbname
            raise UserError(
                f"the server of {database} does not tell {role} which one it is, and so two names of one database are "
                f"not told apart: GRANT EXECUTE ON FUNCTION pg_control_system() TO {role}"
            ) from error


def are_one(source: str, warehouse: str) -> bool:
    """Return whether two URIs lead to one database, or one to a standby of the other's; `identity` has told of each.

    Args:
        source: of a database.
        warehouse: of another one, or not.

    Raises:
        psycopg2.Error: a server does not answer any more.
    """
    with closing(connect(source, "source")) as one, closing(connect(warehouse, "warehouse")) as other:
        return are_one_database(one, other)


def refuse_source(uri: str) -> None:
    """Refuse a warehouse that has a shop's tables.

    Raises:
        UserError: it has.
    """
    with closing(connect(uri, "warehouse")) as connection, connection.cursor() as cursor:
        if is_source(cursor, STAR_TABLES):
            raise UserError(
                f"the database {connection.info.dbname} is a shop: it has the tables that totes reads, and nothing is "
                "written there; name an empty one as the warehouse"
            )


def refuse_where_no_shop_is(uri: str) -> None:
    """Refuse a database in which no shop can live on.

    Raises:
        UserError: it has no shop's tables.
    """
    with closing(connect(uri, "source")) as connection, connection.cursor() as cursor:
        if not is_source(cursor, STAR_TABLES):
            raise UserError(f"the database {connection.info.dbname} has no shop yet; build one with --orders N")


def embedded_login(uri: str, login_name: str) -> dict[str, Any]:
    """Make totes' role in an embedded database; return what its secret is to hold.

    Args:
        uri: of the database, as its administrator.
        login_name: "source" or "warehouse". The source's role reads every table, also later ones; the warehouse's
            role owns its database.
    """
    values = {**login(uri, login_name), "username": f"totes_{login_name}"}
    values["password"] = secrets.token_urlsafe(24)
    name = sql.Identifier(values["username"])
    grant = {
        "source": sql.SQL("GRANT pg_read_all_data TO {}").format(name),
        "warehouse": sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(values["dbname"]), name),
    }[login_name]
    with closing(connect(uri, login_name)) as connection:
        make_roles(connection, [values], [grant])
    return values


def embedded_dashboard_login(uri: str, loader: Mapping[str, Any]) -> dict[str, Any]:
    """Make the dashboard's role in an embedded warehouse; return what its secret is to hold.

    Args:
        uri: of the warehouse, as its administrator.
        loader: the login of the loader's role, which stays what it is.
    """
    values = {**login(uri, "warehouse"), "username": DASHBOARD, "password": secrets.token_urlsafe(24)}
    with closing(connect(uri, "warehouse")) as connection:
        prepare_warehouse(connection, loader, values, READABLE, own=True)
    return values


def refuse_roles_there(uri: str, names: Sequence[str]) -> None:
    """Refuse a named server that has roles which would be given other passwords.

    Raises:
        UserError: it has one of them.
    """
    with closing(connect(uri, "warehouse")) as connection:
        there = [name for name in names if role_of(connection, name) is not None]
    if there:
        raise UserError(
            f"the server of the warehouse has the roles {', '.join(there)} already, and totes would change their "
            "passwords; name another server, or drop the roles there if nobody needs them"
        )


def _sentence(login_name: str, error: psycopg2.OperationalError) -> str:
    said, words = str(error), first_line(error)
    if "authentication failed" in said or "no password supplied" in said:
        return f"the {login_name} refused the login, user or password is wrong: {words}"
    if "does not exist" in said:
        return f"the {login_name} has no such database or role: {words}"
    if is_answer(error):  # perhaps in another language
        return f"the {login_name} answered, and did not let the login in: {words}"
    return f"the {login_name} cannot be reached: {words}"
