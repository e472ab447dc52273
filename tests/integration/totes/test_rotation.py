"""A password is rotated in steps, each of which may be repeated, and at no moment does a connection fail."""

import json
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import boto3
import psycopg2
import pytest
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.secretsmanager.models import secretsmanager_backends
from psycopg2 import sql
from psycopg2.extensions import parse_dsn

from command_line.deployment import Deployment
from command_line.logins import Logins
from local_cloud.postgres import EmbeddedPostgres
from tests.support.databases import execute, value
from tests.support.plaintext_only import plaintext_only
from tests.support.refusing_server import SEEN, refusing_server
from tests.support.servers import run_alone, standby_of
from totes import payloads, rotation
from totes.databases import connected
from totes.errors import (
    ConfigurationError,
    DatabaseUnavailable,
    LoginRefused,
    SecretUnavailable,
    SourceUnavailable,
    UserError,
)
from totes.roles import MARK
from totes.settings import PLACEHOLDER

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

TOKEN = str(uuid.UUID(int=7))
AUTHORITY_OF_ANOTHER_ALPHABET = {"sslmode": "verify-full", "sslrootcert_pem": "сертификат"}
NOT_FILLED_IN = {"host": PLACEHOLDER, "port": 5432, "username": "u", "password": "p", "dbname": "d"}


@pytest.fixture
def secrets(empty_database: str) -> Iterator["SecretsManagerClient"]:
    execute(
        empty_database,
        "DROP ROLE IF EXISTS rotated; CREATE ROLE rotated LOGIN PASSWORD 'first'; "
        f"COMMENT ON ROLE rotated IS 'reads the shop; {MARK}'",
    )
    dsn = parse_dsn(empty_database)
    values = {"host": dsn["host"], "port": int(dsn.get("port", 5432)), "username": "rotated", "dbname": dsn["dbname"]}
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="eu-west-2")
        client.create_secret(Name="login", SecretString=json.dumps({**values, "password": "first"}))
        yield client


def steps(secrets: "SecretsManagerClient", token: str = TOKEN) -> list[Callable[[], None]]:
    return [
        lambda: rotation.create_pending(secrets, "login", token),
        lambda: rotation.set_pending(secrets, "login", token),
        lambda: rotation.try_pending(secrets, "login", token),
        lambda: rotation.finish(secrets, "login", token),
    ]


def password(secrets: "SecretsManagerClient", stage: str = "AWSCURRENT") -> str:
    text = secrets.get_secret_value(SecretId="login", VersionStage=stage)["SecretString"]
    return str(json.loads(text)["password"])


def begin() -> None:
    """What RotateSecret does before the first step: a version without a value is pending, which no client can make."""
    secret = secretsmanager_backends[DEFAULT_ACCOUNT_ID]["eu-west-2"].secrets["login"]
    secret.versions[TOKEN] = {"createdate": 1, "version_id": TOKEN, "version_stages": ["AWSPENDING"]}


def pending(secrets: "SecretsManagerClient") -> list[str]:
    stages = secrets.describe_secret(SecretId="login")["VersionIdsToStages"]
    return [version for version, labels in stages.items() if "AWSPENDING" in labels]


def assert_connects(secrets: "SecretsManagerClient") -> None:
    with connected("login", login_name="source", unavailable=SourceUnavailable, client=secrets) as connection:
        assert connection.info.user == "rotated"


def test_a_connection_is_made_after_every_step_and_the_password_is_another_one(
    secrets: "SecretsManagerClient",
) -> None:
    for step in steps(secrets):
        step()
        assert_connects(secrets)
    assert password(secrets) != "first"
    assert password(secrets, "AWSPREVIOUS") == "first"
    assert len(password(secrets)) == 40


def test_every_step_may_be_repeated(secrets: "SecretsManagerClient") -> None:
    for step in steps(secrets):
        step()
        before = password(secrets)
        step()
        assert password(secrets) == before
        assert_connects(secrets)


def test_all_steps_may_be_repeated_after_the_last_whose_end_was_not_heard_of(
    secrets: "SecretsManagerClient",
) -> None:
    """Also once Secrets Manager has taken the label away, as it does by itself."""
    for step in steps(secrets):
        step()
    assert pending(secrets) == [TOKEN], "the function leaves the label where it is"
    rotated = password(secrets)
    for step in steps(secrets):
        step()
    secrets.update_secret_version_stage(SecretId="login", VersionStage="AWSPENDING", RemoveFromVersionId=TOKEN)
    for step in steps(secrets):
        step()
    assert (password(secrets), pending(secrets)) == (rotated, [])
    assert_connects(secrets)


def test_a_rotation_that_died_after_any_step_is_made_good_by_the_next(secrets: "SecretsManagerClient") -> None:
    for number in range(4):
        token = str(uuid.UUID(int=number))
        for step in steps(secrets, token)[:number]:
            step()
        for step in steps(secrets, token):
            step()
        assert_connects(secrets)


def test_the_database_is_sent_a_verifier_and_never_the_password(
    secrets: "SecretsManagerClient", empty_database: str
) -> None:
    for step in steps(secrets):
        step()
    stored = value(empty_database, "SELECT rolpassword FROM pg_authid WHERE rolname = 'rotated'")
    assert stored.startswith("SCRAM-SHA-256$")
    assert password(secrets) not in stored


def test_a_server_that_logs_every_statement_logs_no_new_password(
    secrets: "SecretsManagerClient", empty_database: str, postgres: EmbeddedPostgres
) -> None:
    """PostgreSQL would make a verifier itself of a password that it is sent, and has logged the statement by then."""
    name = sql.Identifier(empty_database.rpartition("/")[2])
    run_alone(empty_database, sql.SQL("ALTER DATABASE {} SET log_statement = 'all'").format(name))
    begin = len(postgres._log.read_bytes())
    for step in steps(secrets):
        step()
    logged = postgres._log.read_bytes()[begin:].decode()
    assert "ALTER ROLE CURRENT_USER PASSWORD 'SCRAM-SHA-256$" in logged
    assert password(secrets) not in logged


def test_a_database_that_knows_only_the_previous_password_is_taught_the_pending_one(
    secrets: "SecretsManagerClient", empty_database: str
) -> None:
    for step in steps(secrets):
        step()
    execute(empty_database, "ALTER ROLE rotated PASSWORD 'first'")
    token = str(uuid.UUID(int=8))
    rotation.create_pending(secrets, "login", token)
    rotation.set_pending(secrets, "login", token)
    rotation.finish(secrets, "login", token)
    assert_connects(secrets)


def test_a_database_that_knows_none_of_the_passwords_is_an_error_without_one(
    secrets: "SecretsManagerClient", empty_database: str
) -> None:
    rotation.create_pending(secrets, "login", TOKEN)
    execute(empty_database, "ALTER ROLE rotated PASSWORD 'another'")
    pending = password(secrets, "AWSPENDING")
    with pytest.raises(DatabaseUnavailable, match="refuses the login in secret login") as refusal:
        rotation.set_pending(secrets, "login", TOKEN)
    assert pending not in str(refusal.value)
    with pytest.raises(DatabaseUnavailable, match="refuses the login"):
        rotation.try_pending(secrets, "login", TOKEN)
    with pytest.raises(LoginRefused, match="totes secrets set source"):
        assert_connects(secrets)
    assert password(secrets) == "first"


@pytest.mark.parametrize(
    ("login_name", "database"), [("source", "source"), ("warehouse", "warehouse"), ("dashboard", "warehouse")]
)
def test_whose_login_is_refused_learns_the_command_that_makes_the_role(
    secrets: "SecretsManagerClient", empty_database: str, login_name: str, database: str
) -> None:
    execute(empty_database, "ALTER ROLE rotated PASSWORD 'another'")
    remedy = (
        rf"make the role \(totes init {database}, which ends its VALID UNTIL too\) or store the right login "
        rf"\(totes secrets set {login_name}\)"
    )
    with (
        pytest.raises(LoginRefused, match=remedy),
        connected("login", login_name=login_name, unavailable=SourceUnavailable, client=secrets),
    ):
        pass


def test_a_database_restored_to_before_its_last_rotation_lets_runs_in_until_it_is_rotated_again(
    secrets: "SecretsManagerClient", empty_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    for step in steps(secrets):
        step()
    secrets.update_secret_version_stage(SecretId="login", VersionStage="AWSPENDING", RemoveFromVersionId=TOKEN)
    execute(empty_database, "ALTER ROLE rotated PASSWORD 'first'")
    assert_connects(secrets)
    assert "before its last change" in caplog.text
    assert "totes secrets rotate source" in caplog.text
    with pytest.raises(DatabaseUnavailable, match="by which runs go on; totes secrets rotate LOGIN"):
        rotation.try_current(secrets, "login")
    for step in steps(secrets, str(uuid.UUID(int=8))):
        step()
    caplog.clear()
    assert_connects(secrets)
    assert "before its last change" not in caplog.text
    rotation.try_current(secrets, "login")


def test_between_two_steps_of_a_rotation_nobody_is_told_to_store_another_login(
    secrets: "SecretsManagerClient", empty_database: str
) -> None:
    create, set_, _, finish = steps(secrets)
    create()
    rotation.try_current(secrets, "login")
    set_()
    for ask in (rotation.check_own, rotation.try_current):
        with pytest.raises(DatabaseUnavailable, match=r"a rotation is under way.*ask again in a minute") as refused:
            ask(secrets, "login")
        assert "store one" not in str(refused.value)
    execute(empty_database, "ALTER ROLE rotated PASSWORD 'changed by hand'")
    with pytest.raises(DatabaseUnavailable, match="store one that it knows"):
        rotation.try_current(secrets, "login")
    execute(empty_database, f"ALTER ROLE rotated PASSWORD '{password(secrets, 'AWSPENDING')}'")
    finish()
    rotation.try_current(secrets, "login")


@pytest.mark.parametrize("changed", [{"host": "localhost"}, {"username": "nobody"}, {"sslmode": "prefer"}])
def test_a_login_that_another_one_has_replaced_is_none_to_fall_back_on(
    secrets: "SecretsManagerClient", changed: dict[str, str]
) -> None:
    """It may lead to the database that totes was taken away from, and a rotation would change a password there."""
    before = json.loads(secrets.get_secret_value(SecretId="login")["SecretString"])
    after = {**before, "host": "127.0.0.1", "password": "wrong", **changed}
    secrets.put_secret_value(SecretId="login", SecretString=json.dumps(after))
    with pytest.raises(LoginRefused, match="authentication failed"):
        assert_connects(secrets)
    for ask in (rotation.check_own, rotation.try_current):
        with pytest.raises(DatabaseUnavailable, match="store one that it knows"):
            ask(secrets, "login")


def test_a_secret_that_nobody_filled_in_is_nothing_to_test_and_cannot_be_rotated(
    secrets: "SecretsManagerClient",
) -> None:
    secrets.put_secret_value(SecretId="login", SecretString=json.dumps(NOT_FILLED_IN))
    rotation.try_pending(secrets, "login", TOKEN)
    with pytest.raises(ConfigurationError, match="not filled in yet"):
        rotation.create_pending(secrets, "login", TOKEN)


@pytest.mark.parametrize("said", ["", "no JSON", json.dumps({"host": PLACEHOLDER, "username": "u"})])
def test_a_secret_that_says_no_login_has_nothing_pending_afterwards(secrets: "SecretsManagerClient", said: str) -> None:
    """RotateSecret itself makes the pending version, empty, before it calls the function."""
    secrets.put_secret_value(SecretId="login", SecretString=said or json.dumps(NOT_FILLED_IN))
    begin()
    with pytest.raises(ConfigurationError, match="totes secrets set"):
        rotation.create_pending(secrets, "login", TOKEN)
    assert pending(secrets) == [], "the next rotation may begin"
    with pytest.raises(ConfigurationError, match="secret another cannot be read"):
        rotation.create_pending(secrets, "another", TOKEN)


@pytest.mark.parametrize("odd", [{"password": "pass\0word"}, {"sslmod": "require"}, AUTHORITY_OF_ANOTHER_ALPHABET])
def test_a_login_that_libpq_does_not_take_is_refused_in_a_sentence_without_the_password(
    secrets: "SecretsManagerClient", odd: dict[str, str]
) -> None:
    values = json.loads(secrets.get_secret_value(SecretId="login")["SecretString"])
    secrets.put_secret_value(SecretId="login", SecretString=json.dumps({**values, **odd}))
    begin()
    for ask in (rotation.create_pending, lambda *_: rotation.try_current(secrets, "login")):
        said = "^secret login has a value that libpq rejects.* totes secrets set"
        with pytest.raises(ConfigurationError, match=said) as refused:
            ask(secrets, "login", TOKEN)
        assert "pass\0word" not in str(refused.value)
    assert pending(secrets) == []


def test_a_schedule_that_is_deployed_before_the_role_is_made_is_no_failure(
    secrets: "SecretsManagerClient", empty_database: str
) -> None:
    execute(empty_database, "DROP ROLE rotated")
    rotation.try_pending(secrets, "login", TOKEN)
    secrets.put_secret_value(
        SecretId="login",
        ClientRequestToken=TOKEN,
        SecretString=secrets.get_secret_value(SecretId="login")["SecretString"],
        VersionStages=["AWSPENDING"],
    )
    rotation.try_pending(secrets, "login", TOKEN)
    with pytest.raises(DatabaseUnavailable):
        rotation.try_current(secrets, "login")


def test_what_else_the_secret_says_stays(secrets: "SecretsManagerClient") -> None:
    before = json.loads(secrets.get_secret_value(SecretId="login")["SecretString"])
    secrets.put_secret_value(SecretId="login", SecretString=json.dumps({**before, "sslmode": "prefer"}))
    for step in steps(secrets):
        step()
    after = json.loads(secrets.get_secret_value(SecretId="login")["SecretString"])
    assert {**after, "password": ""} == {**before, "sslmode": "prefer", "password": ""}


def test_a_role_that_totes_did_not_make_keeps_its_password(
    secrets: "SecretsManagerClient", empty_database: str
) -> None:
    execute(empty_database, "COMMENT ON ROLE rotated IS 'the shop''s own'")
    before = value(empty_database, "SELECT rolpassword FROM pg_authid WHERE rolname = 'rotated'")
    for step in (rotation.create_pending, lambda *_: rotation.check_own(secrets, "login")):
        with pytest.raises(
            ConfigurationError, match=r"totes did not make the role rotated .*; totes init makes a role"
        ):
            step(secrets, "login", TOKEN)
    assert pending(secrets) == [], "the next rotation may begin"
    assert value(empty_database, "SELECT rolpassword FROM pg_authid WHERE rolname = 'rotated'") == before


def test_a_role_is_looked_at_again_where_its_password_is_changed(
    secrets: "SecretsManagerClient", empty_database: str
) -> None:
    rotation.create_pending(secrets, "login", TOKEN)
    execute(empty_database, "COMMENT ON ROLE rotated IS NULL")
    with pytest.raises(ConfigurationError, match="did not make the role"):
        rotation.set_pending(secrets, "login", TOKEN)
    assert_connects(secrets)


def test_a_rotation_that_another_login_has_overtaken_ends_there(secrets: "SecretsManagerClient") -> None:
    rotation.create_pending(secrets, "login", TOKEN)
    secrets.put_secret_value(
        SecretId="login",
        SecretString=secrets.get_secret_value(SecretId="login", VersionStage="AWSCURRENT")["SecretString"],
        VersionStages=["AWSPENDING"],
    )
    for step in steps(secrets)[1:]:
        with pytest.raises(ConfigurationError):
            step()
    assert_connects(secrets)
    assert password(secrets) == "first"


def test_a_version_is_tried_whatever_its_stage(secrets: "SecretsManagerClient") -> None:
    current = json.loads(secrets.get_secret_value(SecretId="login")["SecretString"])
    for number, (word, is_right) in enumerate({"first": True, "wrong": False}.items()):
        token = str(uuid.UUID(int=number))
        secrets.put_secret_value(
            SecretId="login",
            ClientRequestToken=token,
            SecretString=json.dumps({**current, "password": word}),
            VersionStages=["TRIAL"],
        )
        if is_right:
            rotation.try_version(secrets, "login", token)
        else:
            with pytest.raises(DatabaseUnavailable, match="refuses the login"):
                rotation.try_version(secrets, "login", token)
    with pytest.raises(ConfigurationError, match="has no version"):
        rotation.try_version(secrets, "login", str(uuid.UUID(int=99)))


def test_what_a_person_asks_is_answered_whatever_the_answer(
    secrets: "SecretsManagerClient", empty_database: str
) -> None:
    """An error would count as one of the rotation's, of which an alarm tells."""
    for question in ("testCurrent", "checkOwn"):
        assert rotation.refusal(secrets, "login", question, "") is None
    assert "has no version" in str(rotation.refusal(secrets, "login", "testVersion", str(uuid.UUID(int=99))))
    execute(empty_database, "ALTER ROLE rotated PASSWORD 'changed by hand'")
    assert "refuses the login" in str(rotation.refusal(secrets, "login", "testCurrent", ""))
    with pytest.raises(ValueError, match="no question 'tidy'"):
        rotation.refusal(secrets, "login", "tidy", "")


def test_a_server_of_another_language_is_no_reason_not_to_try_the_pending_password(
    secrets: "SecretsManagerClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is refused at connect has words alone; these are a German server's (`lc_messages`)."""
    connect = psycopg2.connect

    def in_german(*asked: Any, **keywords: Any) -> Any:
        try:
            return connect(*asked, **keywords)
        except psycopg2.OperationalError as refusal:
            raise psycopg2.OperationalError(
                "FATAL:  Passwort-Authentifizierung für Benutzer »rotated« fehlgeschlagen"
            ) from refusal

    monkeypatch.setattr(psycopg2, "connect", in_german)
    for step in steps(secrets):
        step()
        assert_connects(secrets)


def test_a_database_that_does_not_answer_is_waited_for_once(
    secrets: "SecretsManagerClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step has a minute, and a connection ten seconds: no other password would help."""
    rotation.create_pending(secrets, "login", TOKEN)
    tried: list[str] = []

    def nobody(**keywords: Any) -> Any:
        tried.append(keywords["password"])
        raise psycopg2.OperationalError('connection to server at "shop.example", port 5432 failed: timeout expired')

    monkeypatch.setattr(psycopg2, "connect", nobody)
    for ask in (
        partial(rotation.set_pending, token=TOKEN),
        rotation.check_own,
        rotation.try_current,
    ):
        tried.clear()
        with pytest.raises(DatabaseUnavailable, match=r"cannot be reached: .*timeout expired"):
            ask(secrets, "login")
        assert len(tried) == 1


def test_secrets_manager_that_does_not_answer_is_no_refusal_of_the_database(
    secrets: "SecretsManagerClient", empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a database that was restored to before the last rotation only the previous password is known."""
    for step in steps(secrets):
        step()
    execute(empty_database, "ALTER ROLE rotated PASSWORD 'first'")
    rotation.check_own(secrets, "login")
    monkeypatch.setattr(rotation, "previous_login", Mock(side_effect=SecretUnavailable("Rate exceeded")))
    with pytest.raises(SecretUnavailable, match="Rate exceeded"):
        rotation.check_own(secrets, "login")
    with pytest.raises(DatabaseUnavailable, match="refuses the login"):
        rotation.try_current(secrets, "login")


def test_a_refusal_in_another_encoding_is_one_sentence(secrets: "SecretsManagerClient") -> None:
    values = json.loads(secrets.get_secret_value(SecretId="login")["SecretString"])
    with refusing_server() as port:
        secrets.put_secret_value(SecretId="login", SecretString=json.dumps({**values, "port": port}))
        assert SEEN in str(rotation.refusal(secrets, "login", "testCurrent", ""))
        with pytest.raises(DatabaseUnavailable) as refused:
            rotation.create_pending(secrets, "login", TOKEN)
    assert SEEN in str(refused.value)


def test_where_passwords_are_taken_as_plain_text_alone_a_rotation_names_the_way_out(
    secrets: "SecretsManagerClient",
) -> None:
    values = json.loads(secrets.get_secret_value(SecretId="login")["SecretString"])
    with plaintext_only(values["port"]) as way:
        there = {**values, "host": "127.0.0.1", "port": way}
        secrets.put_secret_value(SecretId="login", SecretString=json.dumps(there))
        rotation.create_pending(secrets, "login", TOKEN)
        with pytest.raises(ConfigurationError, match=r"plain text alone.*rotates_secret=False"):
            rotation.set_pending(secrets, "login", TOKEN)
        assert_connects(secrets)


def test_a_standbys_role_is_its_primarys_and_nothing_is_pending(
    secrets: "SecretsManagerClient", postgres: EmbeddedPostgres, folder: Path
) -> None:
    with standby_of(postgres, folder / "standby") as standby:
        port = int(parse_dsn(standby.uri("postgres"))["port"])
        values = json.loads(secrets.get_secret_value(SecretId="login")["SecretString"])
        secrets.put_secret_value(SecretId="login", SecretString=json.dumps({**values, "port": port}))
        with pytest.raises(
            ConfigurationError, match="is a standby, whose roles are its primary's: change the password"
        ):
            rotation.create_pending(secrets, "login", TOKEN)
        with pytest.raises(ConfigurationError, match="is a standby"):
            rotation.check_own(secrets, "login")
    stages = secrets.describe_secret(SecretId="login")["VersionIdsToStages"]
    assert [labels for labels in stages.values() if "AWSPENDING" in labels] == []


class Beside:
    """A rotation that a person does not see who stores a login; it goes on by so many steps at a time."""

    def __init__(self, secrets: "SecretsManagerClient") -> None:
        self._left = steps(secrets)

    def go_on(self, *, until: int) -> None:
        """Take the next steps, until so many are left."""
        while len(self._left) > until:
            self._left.pop(0)()


@pytest.fixture
def beside(secrets: "SecretsManagerClient") -> Beside:
    return Beside(secrets)


@pytest.fixture
def logins(secrets: "SecretsManagerClient") -> Logins:
    session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="eu-west-2")
    deployment = Deployment("environment dev", session, None, "dev")
    deployment.__dict__.update(outputs={"SourceSecretArn": "login"}, secrets=secrets)
    return Logins(deployment)


def answer(
    monkeypatch: pytest.MonkeyPatch, secrets: "SecretsManagerClient", meanwhile: Callable[[], None] = lambda: None
) -> None:
    """Have the function's answer to a person be on its way while something else happens."""

    def ask(_deployment: Any, _function: str, question: dict[str, str]) -> dict[str, str]:
        refused = rotation.refusal(secrets, "login", question["Step"], question["ClientRequestToken"])
        meanwhile()
        return {payloads.REFUSED: refused} if refused else {}

    monkeypatch.setattr("command_line.logins.ask", ask)


def as_it_is(secrets: "SecretsManagerClient") -> dict[str, Any]:
    values: dict[str, Any] = json.loads(secrets.get_secret_value(SecretId="login")["SecretString"])
    return {**values, "sslmode": "prefer"}


def test_a_login_that_is_stored_while_a_rotation_begins_waits_for_its_end_and_is_tried_again(
    secrets: "SecretsManagerClient", beside: Beside, logins: Logins, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, secrets, lambda: beside.go_on(until=2))
    monkeypatch.setattr("command_line.logins.time.sleep", lambda _seconds: beside.go_on(until=0))
    with pytest.raises(UserError, match="refuses the login"):
        logins.store("source", as_it_is(secrets))
    assert password(secrets) != "first", "the rotation's is the current one"
    assert_connects(secrets)


def test_a_rotation_that_reaches_the_database_as_a_login_becomes_current_keeps_its_password(
    secrets: "SecretsManagerClient", beside: Beside, logins: Logins, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, secrets)
    secrets.meta.events.register(
        "before-call.secrets-manager.UpdateSecretVersionStage", lambda **_call: beside.go_on(until=2)
    )
    with pytest.raises(UserError, match=r"just as its password was being rotated.* totes secrets rotate source"):
        logins.store("source", as_it_is(secrets))
    assert pending(secrets) == [TOKEN]
    assert_connects(secrets)
    beside.go_on(until=0)
    assert password(secrets) != "first", "the rotation has come to its end"
    assert_connects(secrets)
