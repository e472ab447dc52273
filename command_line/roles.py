"""Makes the roles that totes uses in the databases: from here, or by the function that is in the network."""

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection

from command_line.authorities import certificates_in
from command_line.deployment import Deployment
from command_line.functions import ask
from command_line.logins import Logins
from local_cloud import libpq
from local_cloud.databases import refuse_source
from local_cloud.named_databases import SYSTEM, connect, tls_of
from totes import connecting, payloads
from totes.capture import SOURCE_TABLES
from totes.capture.source.renaming import as_named_by
from totes.errors import NotFilledIn, UserError
from totes.logins import database_of, login
from totes.roles import must_be_the_loaders, prepare_source, prepare_warehouse, role_of
from totes.settings import PLACEHOLDER
from totes.star import READABLE
from totes.tls import PEM, VERIFYING, is_here

_DATABASES = {"source": ("source",), "warehouse": ("warehouse", "dashboard")}
"""The databases, and the roles that totes has in each."""

_PASSWORD_LENGTH = 40

_LOCK = 0x696E6974
"""The advisory lock of who makes roles."""


def make_roles(
    deployment: Deployment,
    database: str,
    admin: str | None,
    *,
    name: str | None = None,
    host: str | None = None,
    port: int | None = None,
    confirm: Callable[[str], bool],
) -> list[str]:
    """Make the roles of a database with the passwords that their secrets have, or bring them up to date.

    In secrets that nobody has filled in yet, the place of the database is taken from the administrator's URI, and so
    is how its server proves who it is.

    Args:
        deployment: whose databases and secrets.
        database: "source" or "warehouse".
        admin: URI of somebody who may make roles there; None: the warehouse is totes' own, and its function does it.
        name: what the role of the database itself is to be called, with a new password; its secret says so afterwards.
            If that breaks off, the functions try the new password too, and the same call again completes it.
            None: what the secret says.
        host: where the functions reach the database; None: where its secret says, or, if that is not filled in yet,
            by the administrator's own way, which must be no tunnel.
        port: its port there; None: likewise, or, with a host, what the configuration says.
        confirm: asked, by a sentence, before a login that is there already is changed.

    Returns:
        The roles' names.

    Raises:
        UserError: the URI is missing, not understood or refused, its server does not prove its name by TLS, or by
            certificates that no secret takes, or it leads to a pooler, or to a tunnel and no host is said; the
            administrator may not do this or is the role itself, somebody else makes roles there, or a login was not to
            be changed. Nothing is changed then.
        ConfigurationError: another role has loaded the warehouse, or the administrator may not grant what a role needs.
            Nothing is changed then.
    """
    if database not in _DATABASES:
        raise UserError(f"there is no database {database!r}; there are {', '.join(_DATABASES)}")
    if admin is None:
        if any(said is not None for said in (name, host, port)):
            raise UserError("a role of another name, or of another place, is made by an administrator: add --admin URI")
        return _made_by_function(deployment, database)
    try:
        with libpq.restored(), closing(connect(admin, database)) as connection:
            if database == "warehouse":
                refuse_source(admin)
            _be_alone(connection)
            place = _said(host=host, port=port)
            logins = {
                login_name: _filled(deployment, login_name, connection, place) for login_name in _DATABASES[database]
            }
            if name is None:
                _look_before(connection, database, logins, confirm)
                _prepare(connection, database, logins)  # refused, it leaves the secrets as they were
                _store(deployment, logins)
            else:
                logins[database] |= {"username": name, "password": _password_for(deployment, database, name)}
                _look_before(connection, database, logins, confirm)
                _make_renamed(deployment, database, logins, connection)
    except psycopg2.Error as error:
        raise UserError(f"the roles of the {database} were not made: {' '.join(str(error).split())}") from error
    return [each["username"] for each in logins.values()]


def _be_alone(connection: Connection) -> None:
    """Hold a lock for as long as the session lasts: of two at once, each would give the role another password."""
    try:
        with connection, connection.cursor() as cursor:
            # The server ends a session a moment after its client has left, as that of the command typed just before.
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
    except psycopg2.errors.LockNotAvailable as error:
        raise UserError(
            "somebody else is making the roles of this database just now, and nothing was changed; type this again "
            "when they are done"
        ) from error


def _make_renamed(
    deployment: Deployment, database: str, logins: Mapping[str, Mapping[str, Any]], admin: Connection
) -> None:
    """Make roles, one of them with a new password, which the secret has before the database does."""
    values, where = logins[database], admin.info.dsn_parameters
    with Logins(deployment).replacing(database, values, is_known=lambda: _lets_in(values, database, where)):
        _prepare(admin, database, logins)
    _store(deployment, {each: filled for each, filled in logins.items() if each != database})


def _prepare(connection: Connection, database: str, logins: Mapping[str, Mapping[str, Any]]) -> None:
    if database == "source":
        tables = as_named_by(connection, SOURCE_TABLES)
        prepare_source(connection, logins["source"], [table.source_name for table in tables])
    else:
        prepare_warehouse(connection, logins["warehouse"], logins["dashboard"], READABLE)


def _look_before(
    connection: Connection, database: str, logins: Mapping[str, Mapping[str, Any]], confirm: Callable[[str], bool]
) -> None:
    """Check that nobody is locked out whose login is not totes'.

    Raises:
        UserError: a login is the administrator's own, or nobody said yes to changing one.
        ConfigurationError: another role has loaded the warehouse.
    """
    if database == "warehouse":
        must_be_the_loaders(connection, logins["warehouse"]["username"])
    for login_name, values in logins.items():
        if values["username"] == connection.info.user:
            raise UserError(
                f"{values['username']} is the administrator's own login, whose password totes leaves alone; have totes "
                f"make a role of its own: totes init {database} --role totes_{database}"
            )
        _ask_before_a_change(values, login_name, connection, confirm)


def _ask_before_a_change(
    values: Mapping[str, Any], login_name: str, connection: Connection, confirm: Callable[[str], bool]
) -> None:
    """Ask before an existing role gets another password, or becomes one whose password totes changes."""
    name = values["username"]
    found = role_of(connection, name)
    if found is None or (found.made_by_totes and _is_password(values, login_name, connection)):
        return
    host = connection.info.host
    whose = "made by totes, perhaps for another environment" if found.made_by_totes else "which is not totes' own"
    if not confirm(
        f"{host} has a role {name}, {whose}: it gets the password of the secret, whoever logs in by the one before no "
        "longer can, and totes will rotate it"
    ):
        another = (
            f"totes init {login_name} --role NAME makes a role of another name"
            if login_name == database_of(login_name)
            else f"totes secrets set {login_name} stores the login of another role, which somebody has made"
        )
        raise UserError(f"nothing was changed; {another}")


def _is_password(values: Mapping[str, Any], login_name: str, connection: Connection) -> bool:
    """Whether a login works already, tried by the same address as the administrator's."""
    return _lets_in(values, login_name, connection.info.dsn_parameters)


def _lets_in(values: Mapping[str, Any], login_name: str, where: Mapping[str, str]) -> bool:
    place = {**where, "user": values["username"], "password": values["password"]}
    try:
        connecting.connect(**place, application_name=f"totes {login_name}").close()
    except psycopg2.OperationalError:
        return False
    return True


def _password_for(deployment: Deployment, login_name: str, name: str) -> str:
    """A new password; or the one that an interrupted command has left pending, which the role may have by now."""
    pending = Logins(deployment).pending_password(login_name, name)
    if pending is not None:
        return pending
    made = deployment.secrets.get_random_password(PasswordLength=_PASSWORD_LENGTH, ExcludePunctuation=True)
    return str(made["RandomPassword"])


def _made_by_function(deployment: Deployment, database: str) -> list[str]:
    if database != "warehouse" or "PrepareFunction" not in deployment.outputs:
        how = f"say --admin URI, of a role that may make roles in the {database}, and run this where it can be reached"
        if database in deployment.embedded:
            how = f'say --admin "$TOTES_{database.upper()}", which totes local env sets'
        raise UserError(f"no function of this environment makes the roles of the {database}: {how}")
    try:
        return list(ask(deployment, "PrepareFunction", {})[payloads.ROLES])
    except UserError as error:
        raise UserError(f"the roles of the warehouse were not made: {error}") from error


def _stored(deployment: Deployment, login_name: str) -> dict[str, Any]:
    """What a role's secret says, filled in or not."""
    secret = _secret(deployment, login_name)
    try:
        return login(deployment.secrets, secret)
    except NotFilledIn:
        made: dict[str, Any] = json.loads(deployment.secrets.get_secret_value(SecretId=secret)["SecretString"])
        return made


def _filled(deployment: Deployment, login_name: str, admin: Connection, place: Mapping[str, Any]) -> dict[str, Any]:
    """A role's login, completed with the place of the database, and its TLS, if its secret does not have them yet.

    Args:
        deployment: whose secret.
        login_name: source, warehouse or dashboard.
        admin: the administrator's session.
        place: the host and port that the person has said.

    Raises:
        UserError: the functions cannot reach the database by the address that the administrator uses, or the secret
            cannot hold the certificates.
    """
    made = _stored(deployment, login_name)
    if made["host"] != PLACEHOLDER:
        return {**made, **place}
    reached = {**_place(deployment, login_name, admin, place), **_tls(admin, place)}
    return {**made, "dbname": admin.info.dbname, **reached}


def _store(deployment: Deployment, logins: Mapping[str, Mapping[str, Any]]) -> None:
    """Store those of the logins, by login name, that their secrets do not hold yet."""
    for login_name, values in logins.items():
        if values != _stored(deployment, login_name):
            deployment.secrets.put_secret_value(
                SecretId=_secret(deployment, login_name), SecretString=json.dumps(dict(values))
            )


def _said(**words: str | int | None) -> dict[str, str | int]:
    return {word: value for word, value in words.items() if value is not None}


def _place(deployment: Deployment, login_name: str, admin: Connection, said: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where the functions reach the database: where the person says, or by the administrator's own way."""
    if "host" in said:  # the port that the administrator's session has may be that of a tunnel
        return said
    host = admin.info.host
    if deployment.endpoint is None and is_here(host):
        raise UserError(
            f"--admin leads to {host}, which is a tunnel or a database of this machine, and no function would reach "
            f"it there; nothing was changed. Say where they reach the {login_name}: --host HOST, and --port PORT if "
            "it is not the one in stacks/config.py"
        )
    return {"host": host, "port": admin.info.port, **said}


def _tls(admin: Connection, said: Mapping[str, Any]) -> dict[str, str]:
    """How the functions have the server prove who it is: as the administrator has, but by no file of this machine."""
    tls = tls_of(admin, is_tunnel="host" in said)
    if "host" in said and tls.get("sslmode", VERIFYING[-1]) not in VERIFYING:
        return {}  # what is done without on the administrator's way need not be right on another one
    file = tls.pop("sslrootcert", None)
    if file is None:
        return tls
    if file == SYSTEM:
        raise UserError(
            "sslrootcert=system are the authorities that this machine trusts, which no function has: name a file with "
            "the certificates of the server's own authority (sslrootcert=FILE); nothing was changed"
        )
    return {**tls, PEM: certificates_in(Path(file))}


def _secret(deployment: Deployment, login_name: str) -> str:
    return deployment.outputs[f"{login_name.capitalize()}SecretArn"]
