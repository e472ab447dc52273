"""The views of schema `report` are made as the questions' files say, also if an earlier totes made others."""

import hashlib
import logging
import re
from collections.abc import Sequence

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.names import REPORT, REPORT_MARK
from totes.report import VIEWS, Question
from totes.sqlstate import primary_message
from totes.warehouse.definitions import identifiers
from totes.warehouse.grants import VIEW, GrantsAndComments, comment, oid_of, revoke_all
from totes.warehouse.lock_timeout import short_lock_timeout
from totes.warehouse.reader_grants import grant_select, grant_usage, never_granted

logger = logging.getLogger(__name__)

_NOT_NOW = (
    psycopg2.errors.DeadlockDetected,
    psycopg2.errors.DependentObjectsStillExist,
    psycopg2.errors.LockNotAvailable,
    # Of these are all errors of a query: in its syntax, in what it names, which may be somebody else's or missing, in
    # its types, and in its constants.
    psycopg2.DataError,
    psycopg2.NotSupportedError,
    psycopg2.ProgrammingError,
)
"""Errors that PostgreSQL raises when a view is in use, when other views read it, or when its query cannot be."""


_READ = """
    SELECT DISTINCT nspname::text, read.relname::text FROM pg_class AS view
    JOIN pg_rewrite ON ev_class = view.oid
    JOIN pg_depend ON classid = 'pg_rewrite'::regclass AND objid = pg_rewrite.oid
        AND refclassid = 'pg_class'::regclass
    JOIN pg_class AS read ON read.oid = refobjid
    JOIN pg_namespace ON pg_namespace.oid = read.relnamespace
    WHERE view.relnamespace = to_regnamespace(%(report)s) AND view.relkind = 'v'
    AND nspname NOT IN (%(report)s, 'pg_catalog')
"""


def ensure_reports(cursor: Cursor, questions: Sequence[Question] = VIEWS) -> None:
    """Make the views of the questions that are missing or different, in the cursor's transaction.

    No load fails because of them: if the loader may not make the schema, or somebody's view has the name of one, or a
    query is wrong, a warning says so, and that view stays as it is.

    Raises:
        psycopg2.Error: the connection to the warehouse was lost.
    """
    mark = f"{REPORT_MARK} ({_fingerprint(questions)})"
    cursor.execute(
        "SELECT to_regnamespace(%(schema)s) IS NOT NULL, obj_description(to_regnamespace(%(schema)s), 'pg_namespace'), "
        "has_database_privilege(current_database(), 'CREATE'), ARRAY("
        "SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace(%(schema)s) AND relkind = 'v')",
        {"schema": REPORT},
    )
    [[is_there, schema_comment, may_create, held]] = cursor.fetchall()
    has_all = {question.name for question in questions} <= set(held)
    if schema_comment == mark and has_all and not _reads_elsewhere(cursor, questions):
        return
    if not is_there and not may_create:
        logger.warning(
            "the warehouse has no schema %s, and the loader may not make it: run totes init warehouse", REPORT
        )
        return
    if is_there and not (schema_comment or "").startswith(REPORT_MARK):
        logger.warning("the schema %s of the warehouse is not totes' own: no question is answered there", REPORT)
        return
    if not is_there:
        cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(REPORT)))
        grant_usage(cursor, REPORT)
    if _made_at_once(cursor, questions) or sum(_ensure(cursor, question) for question in questions) == len(questions):
        cursor.execute(sql.SQL("COMMENT ON SCHEMA {} IS %s").format(sql.Identifier(REPORT)), (mark,))
        logger.info("the warehouse answers %d questions in schema %s", len(questions), REPORT)


def _reads_elsewhere(cursor: Cursor, questions: Sequence[Question]) -> bool:
    """Whether a view reads tables that were moved or renamed, and so not those that came in their place."""
    cursor.execute(_READ, {"report": REPORT})
    words = {word for question in questions for word in re.findall(r"\w+", question.query)}
    return any(schema not in {"public", "etl"} or name not in words for schema, name in cursor.fetchall())


def create_report(cursor: Cursor, question: Question) -> None:
    """Create a question's view, or replace it if its columns stay; new ones may follow them.

    It is granted to the dashboard's role, unless somebody has granted or revoked something on it.

    Raises:
        psycopg2.Error: the view has other columns, or the query does not fit the tables.
    """
    _create(cursor, [question])


def _create(cursor: Cursor, questions: Sequence[Question]) -> None:
    """Create views, all in one statement: there are dozens, and each statement waits for the server's answer.

    Their queries name tables with their schemas, for the session finds no others.
    """
    statements = [
        *(
            sql.SQL("CREATE OR REPLACE VIEW {} ({}) AS {}").format(
                name_of(question), identifiers(list(question.columns)), sql.SQL(question.query)
            )
            for question in questions
        ),
        *(
            comment(VIEW, name_of(question), column, meaning)
            for question in questions
            for column, meaning in ((None, question.sentence), *question.columns.items())
        ),
    ]
    to_be_granted = never_granted(cursor, *map(name_of, questions))
    cursor.execute(sql.SQL("; ").join(statements))
    grant_select(cursor, *to_be_granted)


def name_of(question: Question) -> sql.Identifier:
    """Return the name of a question's view."""
    return sql.Identifier(REPORT, question.name)


def _made_at_once(cursor: Cursor, questions: Sequence[Question]) -> bool:
    """Make all views together, which is much quicker than one by one; return False if that made none of them."""
    try:
        with short_lock_timeout(cursor):
            _create(cursor, questions)
    except _NOT_NOW:
        return False
    return True


def _ensure(cursor: Cursor, question: Question) -> bool:
    """Make a question's view what its file says; return whether it is that now."""
    try:
        with short_lock_timeout(cursor):
            try:
                with short_lock_timeout(cursor):
                    create_report(cursor, question)
            except psycopg2.errors.InvalidTableDefinition:
                _replace(cursor, question)
    except _NOT_NOW as error:
        logger.warning(
            "the view %s.%s is not made now, a later run tries again: %s",
            REPORT,
            question.name,
            primary_message(error),
        )
        return False
    return True


def _replace(cursor: Cursor, question: Question) -> None:
    """Make a view again that has other columns, with what people have granted on it."""
    was_granted = not never_granted(cursor, name_of(question))
    [grants_and_comments] = GrantsAndComments.of(cursor, VIEW, [oid_of(cursor, name_of(question))]).values()
    cursor.execute(sql.SQL("DROP VIEW {}").format(name_of(question)))
    create_report(cursor, question)
    if was_granted:
        revoke_all(cursor, VIEW, {oid_of(cursor, name_of(question)): name_of(question)})
        grants_and_comments.grant_on(cursor, name_of(question), set(question.columns))


def _fingerprint(questions: Sequence[Question]) -> str:
    """A digest of the questions, which is another one for the questions of another totes."""
    texts = [(each.name, each.sentence, *each.columns.items(), each.query) for each in questions]
    return hashlib.sha256(repr(texts).encode()).hexdigest()[:12]
