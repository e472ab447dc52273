"""What an error of PostgreSQL is about, by the class of its SQLSTATE, and its sentence.

The classes are those of https://www.postgresql.org/docs/current/errcodes-appendix.html.
"""

from collections.abc import Collection

import psycopg2

from totes.redaction import without_values

CONNECTION_EXCEPTION = "08"
FEATURE_NOT_SUPPORTED = "0A"
DATA_EXCEPTION = "22"
INTEGRITY_CONSTRAINT_VIOLATION = "23"
DEPENDENT_OBJECTS_STILL_EXIST = "2B"
EXTERNAL_ROUTINE_EXCEPTION = "38"
EXTERNAL_ROUTINE_INVOCATION_EXCEPTION = "39"
SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION = "42"
INSUFFICIENT_RESOURCES = "53"
PROGRAM_LIMIT_EXCEEDED = "54"
OBJECT_NOT_IN_PREREQUISITE_STATE = "55"
FOREIGN_DATA_WRAPPER_ERROR = "HV"
PLPGSQL_ERROR = "P0"
INTERNAL_ERROR = "XX"

COMES_AGAIN = frozenset(
    {
        DATA_EXCEPTION,
        INTEGRITY_CONSTRAINT_VIOLATION,
        SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION,
        PROGRAM_LIMIT_EXCEEDED,
        INTERNAL_ERROR,
    }
)
"""The classes of errors that come again if the same is tried again."""

_NOT_FOUND = (
    psycopg2.errors.UndefinedFunction,
    psycopg2.errors.UndefinedObject,
    psycopg2.errors.UndefinedTable,
)
"""Errors of whoever names something that is not in the search path."""


def is_of_class(error: psycopg2.Error, classes: Collection[str]) -> bool:
    """Return whether the SQLSTATE of an error is in one of these classes."""
    return (error.pgcode or "")[:2] in classes


def primary_message(error: psycopg2.Error) -> str:
    """Return the sentence of an error, without severity, and without what may quote a row."""
    said = (error.diag.message_primary or str(error)).strip()
    return without_values(said, error.pgcode, type(error).__name__, error.diag.source_function)


def first_line(error: Exception) -> str:
    """Return the first line of what an error says, without what may quote a row; a database's has its severity."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = lines[0] if lines else type(error).__name__
    if not isinstance(error, psycopg2.Error) or error.diag.message_primary is None:
        return said
    severity, colon, _ = said.partition(":  ")
    return (f"{severity}{colon}" if colon else "") + primary_message(error)


def remedy_of_names(error: psycopg2.Error) -> str:
    """Return what helps a function of others that has not found something, as more sentences; empty: it is not that.

    Such a function is run by a trigger, or looked at where an index or a constraint calls it. The context of the error
    names it, in the server's language.
    """
    if not isinstance(error, _NOT_FOUND) or not error.diag.context:
        return ""
    return (
        ". Does a function name something without its schema? The sessions of totes look for that in pg_catalog alone: "
        "ALTER FUNCTION ... SET search_path = public"
    )
