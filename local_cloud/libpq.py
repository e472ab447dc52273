"""libpq's environment variables: a person's own apply to the databases that they name, and to no others.

A `PGSSLMODE`, `PGSERVICE` or `PGOPTIONS` that is meant for somebody's own server would otherwise also be used for an
embedded one, and for what a secret names, where it is wrong.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

PREFIX = "PG"
"""How libpq's variables begin."""

_set_aside: dict[str, str] = {}


def of(environment: Mapping[str, str]) -> dict[str, str]:
    """Those variables of an environment that are libpq's."""
    return {name: value for name, value in environment.items() if name.startswith(PREFIX)}


def set_aside() -> None:
    """Take the person's variables out of the environment, of this process and of all that it starts."""
    for name in of(os.environ):
        _set_aside[name] = os.environ.pop(name)


@contextmanager
def restored() -> Iterator[None]:
    """Within this context they are there again, for a database that the person has named."""
    os.environ.update(_set_aside)
    try:
        yield
    finally:
        for name in _set_aside:
            os.environ.pop(name, None)
