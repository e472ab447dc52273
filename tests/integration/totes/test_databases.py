"""Connections are opened with what the secrets say at that moment, and every refusal says what to do."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import boto3
import psycopg2
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from moto import mock_aws
from psycopg2.extensions import parse_dsn

from tests.support.databases import execute
from tests.support.pooler import without_options
from tests.support.refusing_server import SEEN, refusing_server
from totes import clients, database_errors, logins
from totes.databases import connected, connected_as_master
from totes.errors import (
    ConfigurationError,
    LoginRefused,
    NotFilledIn,
    NotFilledInYet,
    SecretUnavailable,
    SourceUnavailable,
    StatementRefused,
    WarehouseUnavailable,
)
from totes.settings import PLACEHOLDER

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


REACHED = 'connection to server at "shop.example", port 5432 failed: '

WRONG_PASSWORDS = {
    "English": 'FATAL:  password authentication failed for user "rotated"',
    "German": "FATAL:  Passwort-Authentifizierung für Benutzer »rotated« fehlgeschlagen",
    "Russian": 'ВАЖНО:  пользователь "rotated" не прошёл проверку подлинности (по паролю)',
}
"""What servers of PostgreSQL 15 say, by their lc_messages; psycopg2 has no SQLSTATE of it."""


@pytest.fixture
def secrets() -> Iterator["SecretsManagerClient"]:
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="eu-west-2")
        client.create_secret(Name="source", SecretString="{}")
        yield client


def login(uri: str, **others: object) -> str:
    dsn = parse_dsn(uri)
    return json.dumps(
        {
            "engine": "postgres",
            "host": dsn["host"],
            "port": int(dsn.get("port", 5432)),
            "username": dsn["user"],
            "password": dsn.get("password", "any"),
            "dbname": dsn["dbname"],
        }
        | others
    )


def ask(secrets: "SecretsManagerClient") -> tuple[object, ...]:
    with (
        connected("source", login_name="source", unavailable=SourceUnavailable, client=secrets) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "SELECT current_setting('client_encoding'), current_setting('TimeZone'), application_name "
            "FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        )
        row: tuple[object, ...] = cursor.fetchone() or ()
        return row


def test_a_session_speaks_utf8_and_utc_and_says_who_it_is(secrets: "SecretsManagerClient", empty_database: str) -> None:
    secrets.put_secret_value(SecretId="source", SecretString=login(empty_database, sslmode="prefer"))
    assert ask(secrets) == ("UTF8", "UTC", "totes source")


def test_a_client_that_vanishes_holds_no_lock_for_hours(secrets: "SecretsManagerClient", empty_database: str) -> None:
    secrets.put_secret_value(SecretId="source", SecretString=login(empty_database))
    with (
        connected("source", login_name="source", unavailable=SourceUnavailable, client=secrets) as connection,
        connection.cursor() as cursor,
    ):
        for setting, expected in (("idle_in_transaction_session_timeout", "5min"), ("tcp_keepalives_idle", "30")):
            cursor.execute("SELECT current_setting(%s)", [setting])
            assert cursor.fetchone() == (expected,)


def test_whom_the_masters_password_is_refused_is_told_how_rds_gives_it_another(
    secrets: "SecretsManagerClient", empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "secrets_manager", lambda: secrets)
    secrets.put_secret_value(SecretId="source", SecretString=login(empty_database))
    secrets.create_secret(Name="master", SecretString=json.dumps({"username": "postgres", "password": "last week's"}))
    with (
        pytest.raises(LoginRefused, match=r"in secret master: .*--rotate-master-user-password") as refused,
        connected_as_master("source", "master", unavailable=WarehouseUnavailable),
    ):
        pass
    assert "totes init" not in str(refused.value), "it is what was refused"


def test_what_aws_itself_puts_in_a_databases_secret_is_no_hindrance(
    secrets: "SecretsManagerClient", empty_database: str
) -> None:
    others = {"dbInstanceIdentifier": "shop", "masterarn": "arn:aws:secretsmanager:eu-west-2:1:secret:master"}
    secrets.put_secret_value(SecretId="source", SecretString=login(empty_database, **others))
    assert ask(secrets)[2] == "totes source"


@pytest.mark.parametrize(
    ("word", "wrong", "sentence"),
    [
        ("sslmode", "verify_full", 'invalid sslmode value: "verify_full"'),
        ("port", 99999, 'invalid port number: "99999"'),
        ("port", "abc", 'invalid integer value "abc"'),
        ("port", "5432,5433", "could not match 2 port numbers to 1 hosts"),
        ("channel_binding", "always", 'invalid channel_binding value: "always"'),
        ("keepalives_idle", "half a minute", 'invalid integer value "half a minute"'),
    ],
)
def test_a_value_that_libpq_rejects_is_no_matter_of_the_network(
    secrets: "SecretsManagerClient", empty_database: str, word: str, wrong: object, sentence: str
) -> None:
    others = {"sslmode": "verify-full"} | {word: wrong}
    secrets.put_secret_value(SecretId="source", SecretString=login(empty_database, **others))
    with pytest.raises(ConfigurationError, match=f"secret source has a value that libpq rejects: .*{sentence}"):
        ask(secrets)


def test_a_word_that_libpq_does_not_know_is_named(secrets: "SecretsManagerClient", empty_database: str) -> None:
    secrets.put_secret_value(SecretId="source", SecretString=login(empty_database, sslmod="require"))
    with pytest.raises(ConfigurationError, match=r"secret source has a value that libpq rejects: .* \"sslmod\""):
        ask(secrets)


@pytest.mark.parametrize("word", ["username", "password", "dbname", "host", "sslrootcert_pem"])
@pytest.mark.parametrize("odd", ["\0", "\ud800"])
def test_a_character_that_no_database_knows_is_refused_in_a_sentence_without_what_is_around_it(
    secrets: "SecretsManagerClient", empty_database: str, word: str, odd: str
) -> None:
    """libpq takes what is before a NUL for the whole, also of a password of which it makes a verifier."""
    others = {word: f"hush{odd}hush"}
    secrets.put_secret_value(SecretId="source", SecretString=login(empty_database, **others))
    with pytest.raises(
        ConfigurationError, match=rf"secret source has a value that libpq rejects: '{word}' .* totes secrets set"
    ) as refused:
        ask(secrets)
    assert "hush" not in str(refused.value)


def test_certificates_that_are_no_ascii_are_refused_in_a_sentence(
    secrets: "SecretsManagerClient", empty_database: str
) -> None:
    others = {"sslmode": "verify-full", "sslrootcert_pem": "сертификат"}
    secrets.put_secret_value(SecretId="source", SecretString=login(empty_database, **others))
    with pytest.raises(ConfigurationError, match="secret source has a value that libpq rejects: a character"):
        ask(secrets)


def test_a_statement_refused_for_any_other_reason_is_reported_with_its_code(
    secrets: "SecretsManagerClient", empty_database: str
) -> None:
    secrets.put_secret_value(SecretId="source", SecretString=login(empty_database))
    with (
        pytest.raises(StatementRefused, match="the source refused a statement \\(22012\\): division by zero"),
        connected("source", login_name="source", unavailable=SourceUnavailable, client=secrets) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT 1 / 0")


@pytest.mark.parametrize(
    ("secret", "sentence"),
    [
        ("not json with pass-word", "is not JSON"),
        ('["pass-word"]', "lacks one of host, port"),
        ('{"host": "h", "port": 1, "username": "u", "password": "pass-word"}', "lacks one of host, port"),
        (
            json.dumps({"host": PLACEHOLDER, "port": 1, "username": "u", "password": "pass-word", "dbname": "d"}),
            "not filled in yet",
        ),
    ],
)
def test_a_secret_that_is_no_login_is_refused_and_never_quoted(
    secrets: "SecretsManagerClient", secret: str, sentence: str
) -> None:
    secrets.put_secret_value(SecretId="source", SecretString=secret)
    with pytest.raises(ConfigurationError, match=sentence) as refusal:
        ask(secrets)
    assert "pass-word" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_a_secret_of_bytes_is_no_login(secrets: "SecretsManagerClient") -> None:
    secrets.put_secret_value(SecretId="source", SecretBinary=b'{"host": "h"}')
    with pytest.raises(ConfigurationError, match="is not JSON; totes secrets set LOGIN stores"):
        ask(secrets)


def test_a_secret_that_is_not_filled_in_is_excused_for_a_day(
    secrets: "SecretsManagerClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = {"host": PLACEHOLDER, "port": 1, "username": "u", "password": "p", "dbname": "d"}
    secrets.put_secret_value(SecretId="source", SecretString=json.dumps(empty))
    now = datetime.now(UTC)
    monkeypatch.setattr(logins, "datetime", Mock(now=Mock(return_value=now + timedelta(hours=23))))
    with pytest.raises(NotFilledInYet):
        ask(secrets)
    monkeypatch.setattr(logins, "datetime", Mock(now=Mock(return_value=now + timedelta(hours=25))))
    with pytest.raises(NotFilledIn) as refusal:
        ask(secrets)
    assert refusal.type is NotFilledIn, "the state machine catches the other one by its name alone"


def test_a_secret_that_was_given_up_for_deletion_can_be_taken_back(secrets: "SecretsManagerClient") -> None:
    secrets.delete_secret(SecretId="source")
    with pytest.raises(
        ConfigurationError, match=r"secret source cannot be read.*totes secrets set LOGIN takes it back"
    ):
        ask(secrets)


def test_a_secret_that_may_not_be_read_is_named(secrets: "SecretsManagerClient") -> None:
    secrets.delete_secret(SecretId="source", ForceDeleteWithoutRecovery=True)
    with pytest.raises(ConfigurationError, match="secret source cannot be read"):
        ask(secrets)


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (
            ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetSecretValue"),
            ConfigurationError,
        ),
        (ClientError({"Error": {"Code": "InternalServiceError"}}, "GetSecretValue"), SecretUnavailable),
        (ClientError({"Error": {"Code": "ThrottlingException"}}, "GetSecretValue"), SecretUnavailable),
        (ConnectTimeoutError(endpoint_url="https://secretsmanager"), SecretUnavailable),
    ],
)
def test_what_passes_by_itself_is_no_matter_of_configuration(
    secrets: "SecretsManagerClient", monkeypatch: pytest.MonkeyPatch, failure: Exception, expected: type[Exception]
) -> None:
    def refuse(**_: object) -> None:
        raise failure

    monkeypatch.setattr(secrets, "get_secret_value", refuse)
    with pytest.raises(expected, match="secret source cannot be read"):
        ask(secrets)


def test_a_database_that_does_not_exist_is_a_matter_of_configuration(
    secrets: "SecretsManagerClient", empty_database: str
) -> None:
    secrets.put_secret_value(SecretId="source", SecretString=login(empty_database, dbname="nowhere"))
    with pytest.raises(ConfigurationError, match=r'the source refused the login .* database "nowhere" does not exist'):
        ask(secrets)


def test_a_role_that_may_not_log_in_is_a_matter_of_configuration(
    secrets: "SecretsManagerClient", empty_database: str
) -> None:
    execute(empty_database, "DROP ROLE IF EXISTS group_; CREATE ROLE group_ PASSWORD 'p'")
    secrets.put_secret_value(SecretId="source", SecretString=login(empty_database, username="group_", password="p"))
    with pytest.raises(ConfigurationError, match="is not permitted to log in"):
        ask(secrets)


@pytest.mark.parametrize(
    "said",
    [
        "FATAL:  Feature not supported: RDS Proxy currently doesn't support command-line options.",
        "FATAL:  unsupported startup parameter in options: timezone",
    ],
)
def test_a_pooler_that_refuses_a_sessions_settings_is_a_matter_of_configuration(
    secrets: "SecretsManagerClient", monkeypatch: pytest.MonkeyPatch, empty_database: str, said: str
) -> None:
    def refuse(**_: object) -> None:
        raise psycopg2.OperationalError(said)

    secrets.put_secret_value(SecretId="source", SecretString=login(empty_database))
    with monkeypatch.context() as patched:
        patched.setattr(psycopg2, "connect", refuse)
        with pytest.raises(ConfigurationError, match=r"is a pooler.*store the database's own host"):
            ask(secrets)


def test_a_pooler_that_drops_a_sessions_settings_is_a_matter_of_configuration(
    secrets: "SecretsManagerClient", empty_database: str
) -> None:
    port = int(json.loads(login(empty_database))["port"])
    with without_options(port) as pooled:
        secrets.put_secret_value(SecretId="source", SecretString=login(empty_database, host="127.0.0.1", port=pooled))
        with pytest.raises(ConfigurationError, match=r"row_security is on.*a pooler drops them.*own host"):
            ask(secrets)


def test_a_server_that_does_not_answer_may_answer_later(secrets: "SecretsManagerClient", empty_database: str) -> None:
    secrets.put_secret_value(SecretId="source", SecretString=login(empty_database, host="127.0.0.1", port=1))
    with pytest.raises(SourceUnavailable, match="the source cannot be reached"):
        ask(secrets)


@pytest.mark.parametrize("said", WRONG_PASSWORDS.values(), ids=WRONG_PASSWORDS)
def test_the_pending_password_is_tried_whatever_language_the_current_one_is_refused_in(
    secrets: "SecretsManagerClient", monkeypatch: pytest.MonkeyPatch, empty_database: str, said: str
) -> None:
    execute(empty_database, "DROP ROLE IF EXISTS rotated; CREATE ROLE rotated LOGIN PASSWORD 'pending'")
    secrets.put_secret_value(SecretId="source", SecretString=login(empty_database, username="rotated", password="old"))
    pending = login(empty_database, username="rotated", password="pending")
    secrets.put_secret_value(SecretId="source", SecretString=pending, VersionStages=["AWSPENDING"])
    connect = psycopg2.connect

    def answer(**keywords: Any) -> Any:
        if keywords["password"] == "old":
            raise psycopg2.OperationalError(REACHED + said)
        return connect(**keywords)

    with monkeypatch.context() as patched:
        patched.setattr(psycopg2, "connect", answer)
        assert ask(secrets)[2] == "totes source"


def test_the_pending_password_is_tried_whatever_encoding_the_current_one_is_refused_in(
    secrets: "SecretsManagerClient", empty_database: str
) -> None:
    execute(empty_database, "DROP ROLE IF EXISTS rotated; CREATE ROLE rotated LOGIN PASSWORD 'pending'")
    pending = login(empty_database, username="rotated", password="pending")
    with refusing_server() as port:
        secrets.put_secret_value(SecretId="source", SecretString=login(empty_database, host="127.0.0.1", port=port))
        with pytest.raises(LoginRefused, match="by words that totes does not know") as refusal:
            ask(secrets)
        assert SEEN in str(refusal.value)
        secrets.put_secret_value(SecretId="source", SecretString=pending, VersionStages=["AWSPENDING"])
        assert ask(secrets)[2] == "totes source"


def refusing(said: str, tried: list[str]) -> Callable[..., None]:
    """A server, or libpq, that says the same to whoever connects."""

    def refuse(**keywords: Any) -> None:
        tried.append(keywords["password"])
        raise psycopg2.OperationalError(said)

    return refuse


@pytest.mark.parametrize(
    "said",
    [
        *(WRONG_PASSWORDS[each] for each in ("German", "Russian")),
        "FATAL:  Datenbank »shop« existiert nicht",
        "FATAL:  die verbleibenden Verbindungen sind für Superuser auf Nicht-Replikationsverbindungen reserviert",
    ],
)
def test_an_answer_in_a_language_that_totes_does_not_read_is_quoted_and_asked_for_again(
    secrets: "SecretsManagerClient", monkeypatch: pytest.MonkeyPatch, empty_database: str, said: str
) -> None:
    """It may be one that passes by itself, so it stays among what the state machine tries again."""
    secrets.put_secret_value(SecretId="source", SecretString=login(empty_database, password="pass-word"))
    with monkeypatch.context() as patched:
        patched.setattr(psycopg2, "connect", refusing(REACHED + said, []))
        with pytest.raises(
            LoginRefused, match=r"by words that totes does not know.*totes secrets set source"
        ) as refusal:
            ask(secrets)
    assert said in str(refusal.value)
    assert "pass-word" not in str(refusal.value)


@pytest.mark.parametrize(
    "said",
    [
        "FATAL:  the database system is starting up",
        "FATAL:  the database system is shutting down",
        "FATAL:  sorry, too many clients already",
        'FATAL:  too many connections for role "totes_source"',
        "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
    ],
)
def test_what_passes_by_itself_is_no_refused_login(
    secrets: "SecretsManagerClient", monkeypatch: pytest.MonkeyPatch, empty_database: str, said: str
) -> None:
    secrets.put_secret_value(SecretId="source", SecretString=login(empty_database))
    with monkeypatch.context() as patched:
        patched.setattr(psycopg2, "connect", refusing(REACHED + said, []))
        with pytest.raises(SourceUnavailable, match="the source cannot be reached"):
            ask(secrets)


@pytest.mark.parametrize(
    "said",
    [
        f"{REACHED}timeout expired",
        f"{REACHED}Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?",
        'could not translate host name "shop.example" to address: Name or service not known',
    ],
)
def test_a_database_that_does_not_answer_is_waited_for_once(
    secrets: "SecretsManagerClient", monkeypatch: pytest.MonkeyPatch, empty_database: str, said: str
) -> None:
    secrets.put_secret_value(SecretId="source", SecretString=login(empty_database, password="current"))
    pending = login(empty_database, password="pending")
    secrets.put_secret_value(SecretId="source", SecretString=pending, VersionStages=["AWSPENDING"])
    tried: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(psycopg2, "connect", refusing(said, tried))
        with pytest.raises(SourceUnavailable, match="the source cannot be reached"):
            ask(secrets)
    assert tried == ["current"]


def test_a_password_rotated_since_the_secret_was_read_is_fetched_afresh(
    secrets: "SecretsManagerClient", empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(empty_database, "DROP ROLE IF EXISTS rotated; CREATE ROLE rotated LOGIN PASSWORD 'new'")
    answers = iter(
        [
            login(empty_database, username="rotated", password="old"),
            login(empty_database, username="rotated", password="new"),
        ]
    )
    monkeypatch.setattr(secrets, "get_secret_value", lambda **_: {"SecretString": next(answers)})
    assert ask(secrets)[2] == "totes source"
    assert next(answers, None) is None, "the secret was fetched a second time"


def test_a_wrong_password_is_refused_in_one_sentence_without_it(
    secrets: "SecretsManagerClient", empty_database: str
) -> None:
    secrets.put_secret_value(SecretId="source", SecretString=login(empty_database, password="pass-word"))
    with pytest.raises(LoginRefused, match="password authentication failed") as refusal:
        ask(secrets)
    assert "pass-word" not in str(refusal.value)


def test_a_connection_that_breaks_off_may_be_tried_again(secrets: "SecretsManagerClient", empty_database: str) -> None:
    secrets.put_secret_value(SecretId="source", SecretString=login(empty_database))
    with (
        pytest.raises(SourceUnavailable, match="the source cannot do this now"),
        connected("source", login_name="source", unavailable=SourceUnavailable, client=secrets) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone() or (None,)
        execute(empty_database, "SELECT pg_terminate_backend(%s)", [pid])
        cursor.execute("SELECT 1")


def test_what_broke_a_connection_is_told_and_not_that_it_is_closed(
    secrets: "SecretsManagerClient", empty_database: str
) -> None:
    secrets.put_secret_value(SecretId="source", SecretString=login(empty_database))
    with (
        pytest.raises(SourceUnavailable, match=r"terminating connection|server closed the connection"),
        connected("source", login_name="source", unavailable=SourceUnavailable, client=secrets) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone() or (None,)
        execute(empty_database, "SELECT pg_terminate_backend(%s)", [pid])
        cursor.execute("SELECT 1")


def test_a_missing_permission_is_named(secrets: "SecretsManagerClient", empty_database: str) -> None:
    execute(
        empty_database, "CREATE TABLE closed (id int); DROP ROLE IF EXISTS weak; CREATE ROLE weak LOGIN PASSWORD 'w'"
    )
    secrets.put_secret_value(SecretId="source", SecretString=login(empty_database, username="weak", password="w"))
    with (
        pytest.raises(ConfigurationError, match="permission denied for table closed"),
        connected("source", login_name="source", unavailable=SourceUnavailable, client=secrets) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT * FROM public.closed")


def test_row_level_security_is_known_in_every_language(
    secrets: "SecretsManagerClient", empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(
        empty_database,
        "CREATE TABLE veiled (id int); ALTER TABLE veiled ENABLE ROW LEVEL SECURITY; DROP ROLE IF EXISTS weak; "
        "CREATE ROLE weak LOGIN PASSWORD 'w'; GRANT SELECT ON veiled TO weak",
    )
    secrets.put_secret_value(SecretId="source", SecretString=login(empty_database, username="weak", password="w"))
    german = "Anfrage würde von Policy für Sicherheit auf Zeilenebene für Tabelle »veiled« beeinflusst werden"
    monkeypatch.setattr(database_errors, "first_line", lambda _: german)
    with (
        pytest.raises(ConfigurationError, match="»veiled« beeinflusst werden; give it BYPASSRLS"),
        connected("source", login_name="source", unavailable=SourceUnavailable, client=secrets) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT * FROM public.veiled")
    execute(empty_database, "DROP OWNED BY weak; DROP ROLE weak")
