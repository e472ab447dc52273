"""What a database says of a row stays out of the log: it is kept for a year, and a row is about a person."""

import json
import subprocess
import sys

import pytest

from tests.support.databases import execute

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
