"""What a database says of a row stays out of the log: it is kept for a year, and a row is about a person."""

import io
import json
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import cursor as Cursor

from stacks.server_settings import SERVER_SETTINGS
from tests.support.databases import execute, session, value

TABLE = "CREATE TABLE people (name text, CONSTRAINT short CHECK (length(name) < 5))"
ROW = "INSERT INTO people VALUES ('Jane Personal')"

HANDLER = """
import json, logging, sys
import psycopg2
from types import SimpleNamespace
from totes_runtime.handlers import logger, watched
from totes.database_errors import translated_errors
from totes.errors import LakeUnavailable, WarehouseUnavailable

library = logging.getLogger("totes.loader")

def refused(uri, statement):
    connection = psycopg2.connect(uri)
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)

def raw(uri, statement):
    refused(uri, statement)

def as_the_cause_of_another(uri, statement):
    connection = psycopg2.connect(uri)
    with translated_errors(connection, "warehouse", WarehouseUnavailable), connection.cursor() as cursor:
        cursor.execute(statement)

def as_the_context_of_another(uri, statement):
    try:
        refused(uri, statement)
    except psycopg2.Error:
        raise LakeUnavailable("the lake broke off")

def as_the_context_of_the_cause_of_another(uri, statement):
    try:
        as_the_context_of_another(uri, statement)
    except LakeUnavailable as error:
        raise WarehouseUnavailable("the warehouse broke off") from error

def in_a_sentence(uri, statement):
    try:
        refused(uri, statement)
    except psycopg2.Error as error:
        library.warning("%s waits: %s", "batch 7", error)

def under_a_sentence(uri, statement):
    try:
        refused(uri, statement)
    except psycopg2.Error:
        library.exception("batch %d waits", 7)

def as_a_sentence(uri, statement):
    try:
        refused(uri, statement)
    except psycopg2.Error as error:
        logger.error(error)

@watched
def handler(event, context):
    globals()[event["how"]](event["uri"], event["statement"])

names = ("function_name", "memory_limit_in_mb", "invoked_function_arn", "aws_request_id")
try:
    handler(json.loads(sys.argv[1]), SimpleNamespace(**{name: "1" for name in names}))
except Exception as error:
    print(error)  # as Lambda's own runtime writes it
"""


def logged(uri: str, how: str, statement: str) -> str:
    """What a function writes whose statement is refused, and what its caller is told."""
    execute(uri, TABLE)
    event = json.dumps({"uri": uri, "how": how, "statement": statement})
    ended = subprocess.run([sys.executable, "-c", HANDLER, event], capture_output=True, text=True, check=True)
    return ended.stdout + ended.stderr


@pytest.mark.parametrize(
    "how",
    [
        "raw",
        "as_the_cause_of_another",
        "as_the_context_of_another",
        "as_the_context_of_the_cause_of_another",
        "in_a_sentence",
        "under_a_sentence",
        "as_a_sentence",
    ],
)
def test_no_row_is_in_the_log_however_a_databases_error_comes_there(empty_database: str, how: str) -> None:
    said = logged(empty_database, how, ROW)
    assert 'new row for relation \\"people\\" violates check constraint \\"short\\"' in said
    assert "23514" in said, "whoever looks for the cause has its SQLSTATE"
    assert "Jane" not in said
    assert "DETAIL" not in said


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("SELECT 'Jane Personal', nothing", "42703"),
        (f"DO $$ BEGIN EXECUTE $s${ROW}$s$; END $$", "23514"),
    ],
)
def test_neither_a_statement_nor_what_it_was_about_is_in_the_log(
    empty_database: str, statement: str, words: str
) -> None:
    said = logged(empty_database, "as_the_cause_of_another", statement)
    assert words in said
    assert "Jane" not in said
    assert "CONTEXT" not in said


@pytest.mark.parametrize("how", ["raw", "as_the_cause_of_another", "in_a_sentence", "under_a_sentence"])
@pytest.mark.parametrize(
    ("statement", "kept"),
    [
        ("SELECT 'Jane 7QQ'::integer", ("invalid input syntax for type integer", "InvalidTextRepresentation")),
        ("SELECT 'Jane 7QQ'::timestamp", ("invalid input syntax for type timestamp", "InvalidDatetimeFormat")),
        ("SELECT 'Jane'::text, 1 / 0", ("division by zero",)),
        ("DO $$ BEGIN RAISE 'Jane is not ours'; END $$", ("RaiseException, whose words are left out: they may quote",)),
        ("DO $$ BEGIN RAISE 'Jane is not ours' USING ERRCODE = 'check_violation'; END $$", ("CheckViolation, whose",)),
        ("DO $$ BEGIN RAISE 'Jane is not ours' USING ERRCODE = 'T0001'; END $$", ("whose words are left out",)),
        ("DO $$ BEGIN ASSERT false, 'Jane is not ours'; END $$", ("AssertFailure, whose words are left out",)),
    ],
)
def test_no_value_that_a_sentence_quotes_is_in_the_log(
    empty_database: str, how: str, statement: str, kept: tuple[str, ...]
) -> None:
    said = logged(empty_database, how, statement)
    assert "Jane" not in said
    for words in kept:
        assert words in said


def test_no_row_is_in_the_log_of_a_warehouse_of_totes_own(empty_database: str) -> None:
    execute(empty_database, "CREATE TABLE refused (name text CHECK (length(name) < 5), document jsonb)")
    log = Path(value(empty_database, "SHOW data_directory")).parent / "log"

    def kept(settings: dict[str, str]) -> str:
        """What the server's log gets of two refusals, of a COPY and of an INSERT."""
        before = log.stat().st_size
        for refuse in (copy, insert):
            with session(empty_database) as connection, connection.cursor() as cursor:
                for name, value in settings.items():
                    cursor.execute("SELECT set_config(%s, %s, false)", [name, value])
                with pytest.raises(psycopg2.Error):
                    refuse(cursor)
        return log.read_bytes()[before:].decode()

    def copy(cursor: Cursor) -> None:
        cursor.copy_expert("COPY refused FROM STDIN", io.StringIO('Jane\t{"name": "Personal\\\\u0000"}\n'))

    def insert(cursor: Cursor) -> None:
        cursor.execute("INSERT INTO refused VALUES ('Jane Personal')")

    assert kept({}).count("Personal") > 1
    ours = {name: value for name, value in SERVER_SETTINGS.items() if not name.startswith("rds.")}
    said = kept(ours)
    assert "violates check constraint" in said
    assert "unsupported Unicode escape sequence" in said
    assert "Personal" not in said
