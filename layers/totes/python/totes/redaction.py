"""What of a database's error may be kept: which error it is, but not the row that it is about."""

import re
from collections.abc import Iterator

_QUOTES_A_VALUE = "22"
"""The class of SQLSTATEs (data exception) whose sentences quote the value that they are about: `invalid input syntax
for type integer: "12a"`."""

_WORDS_OF_OTHERS = ("38", "39", "HV", "P0")
"""The classes whose sentences are written by functions and servers of others."""

_CLASSES = {
    *("00", "01", "02", "03", "08", "09", "0A", "0B", "0F", "0L", "0P", "0Z", "10", "20", "21", "22", "23", "24", "25"),
    *("26", "27", "28", "2B", "2D", "2F", "34", "38", "39", "3B", "3D", "3F", "40", "42", "44", "53", "54", "55", "57"),
    *("58", "72", "F0", "HV", "P0", "XX"),
}
"""PostgreSQL's own classes: https://www.postgresql.org/docs/current/errcodes-appendix.html"""

_RAISE = "exec_stmt_raise"
"""The function of the server's that runs a RAISE of PL/pgSQL, which says what it likes under any SQLSTATE."""

_QUOTE = re.compile(r" ?[^\w ().,/-]")
"""Where a value may begin: at a quotation mark or a colon, whatever language PostgreSQL speaks."""


def without_values(sentence: str, sqlstate: str | None, kind: str, source_function: str | None = None) -> str:
    """Return the sentence of a database's error as it may be kept: without a value that it quotes.

    Args:
        sentence: the sentence.
        sqlstate: the error's SQLSTATE; None: it has none.
        kind: the name of the error's class, such as RaiseException.
        source_function: the function of the server's that has raised it, if that is known.
    """
    is_of_others = sqlstate and (sqlstate.startswith(_WORDS_OF_OTHERS) or sqlstate[:2] not in _CLASSES)
    if is_of_others or source_function == _RAISE:
        return f"{kind}, whose words are left out: they may quote a row"
    if sqlstate and sqlstate.startswith(_QUOTES_A_VALUE):
        said, *rest = _QUOTE.split(sentence, maxsplit=1)
        return f"{said}… ({kind})" if rest else sentence
    return sentence


def redact(error: BaseException) -> None:
    """Leave of each database's error in a chain its sentence, without values, and its SQLSTATE.

    PostgreSQL quotes the row, the statement or the line of a COPY beneath its sentence (DETAIL, LINE, CONTEXT), and
    psycopg2 has all of that in the error's text. The error itself is changed, for that text goes many ways: into a
    traceback, into the answer of a function and from there into the history of a run.

    Args:
        error: any error; those that it was raised from, or while handling, are looked at too.
    """
    for each in _chain(error):
        # Known by what it has: a function without a database does not import psycopg2.
        diagnostics, code = getattr(each, "diag", None), getattr(each, "pgcode", None)
        if diagnostics is not None and diagnostics.message_primary is not None:
            words = diagnostics.message_primary, code, type(each).__name__, diagnostics.source_function
            each.args = (f"{without_values(*words)} (SQLSTATE {code})",)


def _chain(error: BaseException) -> Iterator[BaseException]:
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop()
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [other for other in (each.__cause__, each.__context__) if other is not None]
