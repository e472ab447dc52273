"""What of a database's error may be kept: which error it is, but not the row that it is about."""

from collections.abc import Iterator


def redact(error: BaseException) -> None:
    """Leave of each database's error in a chain its sentence and its SQLSTATE.

    PostgreSQL quotes the row, the statement or the line of a COPY beneath its sentence (DETAIL, LINE, CONTEXT), and
    psycopg2 has all of that in the error's text. The error itself is changed, for that text goes many ways: into a
    traceback, into the answer of a function and from there into the history of a run.

    Args:
        error: any error; those that it was raised from, or while handling, are looked at too.
    """
    for each in _chain(error):
        # Known by what it has: a function without a database does not import psycopg2.
        sentence = getattr(getattr(each, "diag", None), "message_primary", None)
        if sentence is not None:
            each.args = (f"{sentence} (SQLSTATE {getattr(each, 'pgcode', None)})",)


def _chain(error: BaseException) -> Iterator[BaseException]:
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop()
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [other for other in (each.__cause__, each.__context__) if other is not None]
