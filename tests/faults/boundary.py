"""Step boundaries: each statement, COPY, COMMIT and request to AWS that a function makes, before it and after it.

They are put around psycopg2 and botocore from outside, in the process that runs a function. The code that ships knows
nothing of them.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import Any

import botocore.client
import psycopg2
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError
from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from totes import clients

READ_SECONDS = "READ_SECONDS"
"""The environment variable that says how long a client of AWS's waits for an answer, where a test cannot wait."""


REWRITES: list[tuple[str, str]] = []
"""Patterns of statements, and by what they are replaced, in a pipeline that is weak on purpose."""


@dataclass(frozen=True, kw_only=True)
class Script:
    """At which boundary of an invocation what happens, once.

    Attributes:
        action: "pause" until released; "die" by SIGKILL; "refuse": a request to AWS is answered 503; "lose": one was
            done, and its answer is lost; "repeat": it was done, its answer was lost and the SDK asks again.
        at: the boundary's number, counted from 0.
        where: or words of its name.
        after: whether what the boundary is of has been done.
    """

    action: str
    at: int | None = None
    where: str = ""
    after: bool = False


@dataclass(frozen=True)
class Paused:
    """The function waits at a boundary."""

    boundary: str


class Boundaries:
    """Counts the boundaries that an invocation comes to, and does what the script says."""

    def __init__(self, pipe: Pipe, die: Callable[[], None]) -> None:
        self._pipe = pipe
        self._die = die
        self._script: Script | None = None
        self.count = 0

    def follow(self, script: Script | None) -> None:
        self._script = script
        self.count = 0

    @property
    def missed(self) -> bool:
        """Whether the invocation has not come to where its script was to happen."""
        return self._script is not None

    def around(self, name: str, act: Callable[[], Any]) -> Any:
        before = self._reached(name, after=False)
        if before == "refuse":
            raise ClientError({"Error": {"Code": "SlowDown", "Message": "Please reduce your request rate."}}, name)
        result = act()
        after = self._reached(name, after=True)
        if after == "lose":
            raise ConnectionClosedError(endpoint_url="the lake")
        return act() if after == "repeat" else result

    def _reached(self, name: str, *, after: bool) -> str | None:
        number, self.count = self.count, self.count + 1
        script = self._script
        if script is None:
            return None
        if script.at is None and (script.after != after or not re.search(script.where, name)):
            return None
        if script.at is not None and script.at != number:
            return None
        self._script = None
        if script.action == "die":
            self._die()
        if script.action == "pause":
            self._pipe.send(Paused(f"{'after' if after else 'before'} {name}"))
            self._pipe.recv()
        return script.action


def put_around_everything(boundaries: Boundaries) -> None:
    """Put boundaries around all that this process asks of PostgreSQL and AWS."""
    client_class: Any = botocore.client.BaseClient
    connect: Any = psycopg2.connect
    call = client_class._make_api_call

    def connect_between_boundaries(**keywords: Any) -> Any:
        role = str(keywords["application_name"]).removeprefix("totes ")
        factories = {"connection_factory": _connection(role, boundaries), "cursor_factory": _cursor(role, boundaries)}
        return boundaries.around(f"{role} connect", lambda: connect(**keywords, **factories))

    def call_between_boundaries(client: Any, operation: str, parameters: Any) -> Any:
        place = parameters.get("Key") or parameters.get("Prefix") or parameters.get("SecretId") or ""
        name = f"{client.meta.service_model.service_name} {operation} {place}"
        return boundaries.around(name, lambda: call(client, operation, parameters))

    session: Any = clients.session()
    session.create_client = _impatient(session.create_client)
    database: Any = psycopg2
    database.connect = connect_between_boundaries
    client_class._make_api_call = call_between_boundaries


def _impatient(make: Callable[..., Any]) -> Callable[..., Any]:
    """Clients that wait for an answer as long as the environment says, where it says so."""
    seconds = os.environ.get(READ_SECONDS)
    waits = Config(read_timeout=float(seconds)) if seconds else None

    def client(*service: Any, config: Any = None, **others: Any) -> Any:
        return make(*service, config=config.merge(waits) if config and waits else config or waits, **others)

    return client


def _connection(role: str, boundaries: Boundaries) -> type[Connection]:
    class Between(Connection):
        """A connection whose COMMIT lies between boundaries."""

        def commit(self) -> None:
            boundaries.around(f"{role} COMMIT", super().commit)

    return Between


def _cursor(role: str, boundaries: Boundaries) -> type[Cursor]:
    class Between(Cursor):
        """A cursor whose statements lie between boundaries."""

        def execute(self, query: Any, values: Any = None) -> None:
            query = self._rewritten(query)
            boundaries.around(f"{role} {self._words(query)}", lambda: super(Between, self).execute(query, values))

        def copy_expert(self, query: Any, *arguments: Any) -> None:
            query = self._rewritten(query)
            act = super().copy_expert
            boundaries.around(f"{role} {self._words(query)}", lambda: act(query, *arguments))

        def _rewritten(self, query: Any) -> Any:
            if not REWRITES:
                return query
            text = " ".join(self._text(query).replace('"', "").split())
            rewritten = text
            for pattern, replacement in REWRITES:
                rewritten = re.sub(pattern, replacement, rewritten)
            return query if rewritten == text else rewritten

        def _text(self, query: Any) -> str:
            return query.as_string(self) if isinstance(query, sql.Composable) else str(query)

        def _words(self, query: Any) -> str:
            return " ".join(self._text(query).replace('"', "").split())[:400]

    return Between
