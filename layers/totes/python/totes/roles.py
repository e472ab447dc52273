"""The roles that totes uses in the databases: what each may do, as SQL that can be run again at any time.

The source's role reads its tables. The warehouse's role has schema `etl` for itself and makes its tables in `public`.
The dashboard's role, which is for all who read, sees the whole star and the ledger of batches, and changes no row.

A role that is made here bears a mark, in its comment. Only such a role's password is ever rotated: any other login is
somebody's, who would be locked out of their own server.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extensions import encrypt_password

from totes.catalog import has_schema
from totes.errors import ConfigurationError
from totes.names import RATES_TABLE, READABLE_LEDGER, REPORT, REPORT_MARK
from totes.rights import Right, attempt, must_be_held
from totes.sqlstate import first_line

DASHBOARD = "totes_dashboard"
"""The dashboard's role, which the loader lets see what it makes of the star."""

MARK = "made by totes, which changes its password"
"""What the comment of a role says that totes has made; an administrator may say so of a role of theirs too."""

_PUBLIC, _LEDGER = "public", "etl"

_NO_VERIFIERS = "plaintext password"
"""What Neon, and Databricks Lakebase, says at COMMIT where the password of a role is given as a verifier."""


# What an administrator, or the owner of other databases, has is more than a warehouse, so it is given to nobody.
_ANOTHERS = """
    SELECT quote_ident(owner.rolname), quote_ident(%(name)s), loader.oid IS NOT NULL,
        owner.rolsuper OR owner.rolcreaterole OR owner.rolname = current_user
            OR EXISTS (SELECT FROM pg_database WHERE datdba = owner.oid AND datname <> current_database())
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    JOIN pg_roles AS owner ON owner.oid = relowner
    LEFT JOIN pg_roles AS loader ON loader.rolname = %(name)s
    WHERE nspname = %(schema)s AND relname = 'batch' AND relowner IS DISTINCT FROM loader.oid
"""

# Not to_regclass, which refuses who may not use a schema: that is for `make_roles` to say. A table's own sequence is
# part of it to pg_dump, which reads both.
_THERE = """
    WITH named AS (
        SELECT pg_class.oid FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE (nspname, relname) IN %s
    )
    SELECT nspname, relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE pg_class.oid IN (SELECT oid FROM named) OR relkind = 'S' AND pg_class.oid IN (
        SELECT objid FROM pg_depend JOIN named ON named.oid = refobjid
        WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND refobjsubid > 0
    )
"""

_OF_OTHERS = """
    SELECT rolname FROM pg_roles
    WHERE rolname = ANY(%s) AND NOT rolsuper AND NOT pg_has_role(oid, 'MEMBER WITH ADMIN OPTION')
    ORDER BY rolname
"""
"""Roles that others have made, which may change them, and let nobody else do so who makes roles."""

_MAKERS_ALONE = 16_00_00
"""The first version of PostgreSQL in which not everybody who makes roles may change all of them."""


@dataclass(frozen=True, kw_only=True)
class Role:
    """A role that a server has: its name, and whether totes has made it."""

    name: str
    made_by_totes: bool


def role_of(connection: Connection, name: str) -> Role | None:
    """Look a role up; None where the server has none of that name."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(position(%s IN shobj_description(oid, 'pg_authid')) > 0, false) "
            "FROM pg_catalog.pg_roles WHERE rolname = %s",
            [MARK, name],
        )
        found = cursor.fetchone()
    return Role(name=name, made_by_totes=found[0]) if found else None


def prepare_source(connection: Connection, login: Mapping[str, Any], tables: Sequence[str]) -> None:
    """Make the role that reads the source, or bring it up to date.

    Args:
        connection: the source, as somebody who may make roles and owns the tables; outside a transaction.
        login: username and password of the role.
        tables: what it is to read, in schema public.

    Raises:
        ConfigurationError: the role is the connection's own, or that may not grant what the role needs.
        psycopg2.Error: a table is missing, or the connection's own role may not do this.
    """
    name = login["username"]
    statements: list[sql.Composable | Right] = [
        Right(privilege="USAGE", kind="SCHEMA", name=(_PUBLIC,), role=name),
        *(Right(privilege="SELECT", kind="TABLE", name=(_PUBLIC, table), role=name) for table in tables),
        *_no_temporary_tables(connection, name),
    ]
    make_roles(connection, [login], statements)


def prepare_warehouse(
    connection: Connection,
    login: Mapping[str, Any],
    dashboard: Mapping[str, Any],
    readable: Sequence[str],
    *,
    own: bool = False,
) -> None:
    """Make the roles that load and show the warehouse, or bring them up to date.

    Args:
        connection: the warehouse, as somebody who may make roles; outside a transaction.
        login: username and password of the loader's role.
        dashboard: username and password of the dashboard's.
        readable: what the dashboard sees, in schema public, as far as it is there; besides, the rates and the ledger.
        own: whether the server is of totes' own. Then only who was granted it makes temporary tables and views there.

    Raises:
        ConfigurationError: a role is the connection's own, that may not grant what a role needs, or another role has
            loaded the warehouse.
        psycopg2.Error: the connection's own role may not do this.
    """
    must_be_the_loaders(connection, login["username"])
    loads, reads, database = login["username"], dashboard["username"], connection.info.dbname
    loader, reader = sql.Identifier(loads), sql.Identifier(reads)
    statements: list[sql.Composable | Right] = [
        # Its staging tables are temporary ones. A reader's temporary view would refuse a rebuild.
        Right(privilege="TEMPORARY", kind="DATABASE", name=(database,), role=loads),
        *_no_temporary_tables(connection, dashboard["username"]),
        *_unset(connection, dashboard["username"]),
        # Whoever makes a schema for a role must be a member of it.
        sql.SQL("GRANT {} TO CURRENT_USER").format(loader),
        Right(privilege="USAGE", kind="SCHEMA", name=(_PUBLIC,), role=loads),
        Right(privilege="CREATE", kind="SCHEMA", name=(_PUBLIC,), role=loads),
        Right(privilege="USAGE", kind="SCHEMA", name=(_PUBLIC,), role=reads),
    ]
    places = [*((_PUBLIC, name) for name in (*readable, RATES_TABLE)), *((_LEDGER, name) for name in READABLE_LEDGER)]
    with connection, connection.cursor() as cursor:
        has_ledger = has_schema(cursor, _LEDGER)
        cursor.execute(_THERE, [tuple(places)])
        there = [(schema, table) for schema, table in cursor.fetchall()]
    if not has_ledger:
        statements.append(sql.SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(sql.Identifier(_LEDGER), loader))
    statements.append(Right(privilege="USAGE", kind="SCHEMA", name=(_LEDGER,), role=reads))
    statements += _of_report(connection, loader, reader)
    statements += [Right(privilege="SELECT", kind="TABLE", name=place, role=reads) for place in there]
    if own:  # a given server has others on it, who may have relied on what PostgreSQL lets everybody do
        statements.append(sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database)))
    make_roles(connection, [login, dashboard], statements)


def must_be_the_loaders(connection: Connection, name: str) -> None:
    """Refuse a role that is not the one that has loaded the warehouse, though it may have that one's rights.

    The views stay the first one's, who may not read what a rebuild by the other one makes.

    Args:
        connection: the warehouse.
        name: of the role that is to load it, and need not be there yet.

    Raises:
        ConfigurationError: the ledger belongs to another role; the sentence says what helps.
        psycopg2.Error: the connection was lost.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute(_ANOTHERS, {"schema": _LEDGER, "name": name})
        found = cursor.fetchone()
    if found is None:
        return
    owner, loader, is_there, has_more = found
    if has_more:
        remedy = "name an empty database, which totes rebuild fills"
    else:
        made = "" if is_there else f"CREATE ROLE {loader}; "
        given = f"GRANT {owner}, {loader} TO CURRENT_USER; REASSIGN OWNED BY {owner} TO {loader}"
        remedy = f"give {loader} all that {owner} has in this database: {made}{given}"
    raise ConfigurationError(
        f"{owner} has loaded this warehouse, and not {loader}, so runs would fail, or readers see nothing; nothing was "
        f"changed. Keep the login of {owner} (totes secrets set warehouse), or {remedy}"
    )


def _no_temporary_tables(connection: Connection, name: str) -> list[sql.Composable]:
    """What takes back the right that an earlier totes granted to each role; nothing where that is somebody's own."""
    if not _was_made(connection, name):
        return []
    database, role = sql.Identifier(connection.info.dbname), sql.Identifier(name)
    return [sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM {}").format(database, role)]


def _was_made(connection: Connection, name: str) -> bool:
    found = role_of(connection, name)
    return found is not None and found.made_by_totes


def _unset(connection: Connection, reader: str) -> list[sql.Composable]:
    """What takes back the settings of the dashboard's role; nothing where that is somebody's own.

    All who read may be logged in as it, and a role may set what it likes for itself, also what ends its every login.
    As totes' other roles nobody logs in: what is set for these, an administrator wanted.
    """
    if not _was_made(connection, reader):
        return []
    role, database = sql.Identifier(reader), sql.Identifier(connection.info.dbname)
    return [
        sql.SQL("ALTER ROLE {} RESET ALL").format(role),
        sql.SQL("ALTER ROLE {} IN DATABASE {} RESET ALL").format(role, database),
    ]


def _of_report(connection: Connection, loader: sql.Identifier, reader: sql.Identifier) -> list[sql.Composable]:
    """What makes the schema of the reports, and lets the dashboard read them; nothing where it is somebody's own."""
    report = sql.Identifier(REPORT)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT found IS NOT NULL, obj_description(found, 'pg_namespace') FROM to_regnamespace(%s) AS found",
            [REPORT],
        )
        [[is_there, said]] = cursor.fetchall()
    if is_there and not (said or "").startswith(REPORT_MARK):
        return []
    made: list[sql.Composable] = [
        sql.SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(report, loader),
        sql.SQL("COMMENT ON SCHEMA {} IS {}").format(report, sql.Literal(REPORT_MARK)),
    ]
    granted: list[sql.Composable] = [
        sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(report, reader),
        sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(report, reader),
    ]
    return granted if is_there else [*made, *granted]


def make_roles(
    connection: Connection, logins: Sequence[Mapping[str, Any]], statements: Sequence[sql.Composable | Right]
) -> None:
    """Make roles with their passwords and their mark, or bring them up to date, in one transaction.

    Args:
        connection: a database, as somebody who may make roles; outside a transaction.
        logins: username and password of each role.
        statements: what gives them what they need: rights, and statements beside them, in their order.

    Raises:
        ConfigurationError: a role is the connection's own, that may not make it, change it or grant it one of the
            rights, or the server takes passwords as plain text alone; nothing is changed.
        psycopg2.Error: the connection's own role may not do this.
    """
    for each in logins:
        if each["username"] == connection.info.user:
            raise ConfigurationError(
                f"{each['username']} is the administrator's own login, whose password and rights totes leaves alone; "
                "let totes make a role of its own under another name (--role NAME)"
            )
    with verifiers_taken(), connection, connection.cursor() as cursor:
        connecting = [
            Right(privilege="CONNECT", kind="DATABASE", name=(connection.info.dbname,), role=each["username"])
            for each in logins
        ]
        for each in logins:
            _make_role(cursor, each, [login["username"] for login in logins])
        for statement in (*connecting, *statements):
            if isinstance(statement, Right):
                attempt(cursor, statement.granted())
            else:
                cursor.execute(statement)
        must_be_held(cursor, [*connecting, *(each for each in statements if isinstance(each, Right))])


def _make_role(cursor: Cursor, login: Mapping[str, Any], names: Sequence[str]) -> None:
    """Make a role with its password and its mark, or bring it up to date.

    Args:
        cursor: a database, in a transaction.
        login: username and password of the role.
        names: of all roles that are made.

    Raises:
        ConfigurationError: the connection's own role may not do this.
    """
    name = login["username"]
    role = sql.Identifier(name)
    cursor.execute("SELECT shobj_description(oid, 'pg_authid') FROM pg_catalog.pg_roles WHERE rolname = %s", [name])
    found = cursor.fetchone()
    verb = "ALTER" if found else "CREATE"
    verifier = verifier_of(cursor.connection, login)
    # What a person's password expires by would end a role's whose password totes changes every few weeks.
    made = sql.SQL(verb + " ROLE {} LOGIN PASSWORD {} VALID UNTIL 'infinity'")
    # No parameters: psycopg2 would take a percent sign in the role's name for the place of one.
    if refused := attempt(cursor, made.format(role, sql.Literal(verifier))):
        raise ConfigurationError(_who_may(cursor, name, names, refused)) from refused
    comment = sql.Literal(_marked(found[0] if found else None))
    cursor.execute(sql.SQL("COMMENT ON ROLE {} IS {}").format(role, comment))


def _who_may(cursor: Cursor, name: str, names: Sequence[str], refused: psycopg2.Error) -> str:
    """What to say where the connection's own role may not make or change a role."""
    cursor.execute("SELECT rolname, rolcreaterole FROM pg_roles WHERE rolname = current_user")
    [[admin, makes_roles]] = cursor.fetchall()
    cursor.execute(_OF_OTHERS, [list(names)])
    of_others = [other for (other,) in cursor.fetchall()]
    if not makes_roles or name not in of_others or cursor.connection.server_version < _MAKERS_ALONE:
        return (
            f"{admin} may not make or change the role {name} ({first_line(refused)}): log in as a superuser, or as a "
            "role with CREATEROLE; nothing was changed"
        )
    roles = sql.SQL(", ").join(map(sql.Identifier, of_others))
    grant = sql.SQL("GRANT {} TO {} WITH ADMIN OPTION").format(roles, sql.Identifier(admin))
    return (
        f"{admin} may not change the role {name}, which another login has made, and nothing was changed. Log in as who "
        f"made it, or let them type: {grant.as_string(cursor)}"
    )


def verifier_of(connection: Connection, login: Mapping[str, Any]) -> str:
    """Return the SCRAM verifier of a login's password; a database is sent that, so that no statement log has passwords.

    Args:
        connection: a session, whose libpq makes it; the database is not asked.
        login: username and password.
    """
    return encrypt_password(login["password"], login["username"], connection, "scram-sha-256")


@contextmanager
def verifiers_taken() -> Iterator[None]:
    """Within this context passwords are changed by verifiers.

    Raises:
        ConfigurationError: the server takes passwords as plain text alone; the sentence says what a person does.
    """
    try:
        yield
    except psycopg2.InternalError as error:
        if _NO_VERIFIERS not in str(error):
            raise
        raise ConfigurationError(
            "the server takes a role's password as plain text alone, as Neon and Databricks Lakebase do, and totes "
            "sends none; nothing was changed. Make the role at the provider, store its login (totes secrets set "
            f"LOGIN), and set rotates_secret=False for it in stacks/config.py. The server said: {first_line(error)}"
        ) from error


def _marked(comment: str | None) -> str:
    """A role's comment with the mark in it; what somebody else has written there stays."""
    if comment is None or MARK in comment:
        return comment or MARK
    return f"{comment}; {MARK}"
