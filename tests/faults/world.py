"""A shop, an object store, two databases and the three functions: all that faults are made in."""

import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from psycopg2 import sql
from psycopg2.extensions import parse_dsn

from local_cloud.postgres import EmbeddedPostgres, free_port
from simulator import build
from tests.faults.audit import keep_audit_log, remember_what_was_lost
from tests.faults.boundary import READ_SECONDS, Script
from tests.faults.functions import CAPTURE, LOAD, STEPS, TRANSFORM, Function, Outcome
from tests.faults.library import HANDLERS
from tests.faults.run import Step, whole
from tests.faults.worker import IN_PIECES, Returned
from tests.support.databases import execute, quick_server, session
from tests.support.servers import copy_of, removal_of, run_alone
from totes import payloads
from totes.capture import SOURCE_TABLES
from totes.lake import Bucket
from totes.star import STAR_TABLES
from totes.verify import Verdict, verify

_MORE_ROWS = 10_000_000
"""More than any world has."""

_FEW_ROWS = 60
"""Less than the shop has, and many a batch: of more rows one function neither reads nor transforms all."""

_numbers = itertools.count(1)
_REGION = "eu-west-2"
_IMPATIENT = {"keepalives_idle": 1, "keepalives_interval": 1, "keepalives_count": 2, "tcp_user_timeout": 3000}


@dataclass(frozen=True)
class Ground:
    """What worlds stand on: a database server and an AWS endpoint."""

    postgres: EmbeddedPostgres
    endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_DEFAULT_REGION": _REGION,
            "POWERTOOLS_LOG_LEVEL": "CRITICAL",
            "MASS_DELETION_PERCENT": "20",
        }

    def client(self, service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.endpoint,
            aws_access_key_id="any",
            aws_secret_access_key="any",
            region_name=_REGION,
        )


@contextlib.contextmanager
def ground(orders: int = 30) -> Iterator[Ground]:
    """A server with a shop to copy, and an endpoint in a process of its own."""
    with quick_server() as postgres:
        port = free_port()
        endpoint = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.store", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "COVERAGE_PROCESS_START": ""},
        )
        try:
            postgres.create_database("shop")
            build(postgres.uri("shop"), orders=orders, seed=1)
            _spread_out(postgres.uri("shop"))
            keep_audit_log(postgres.uri("shop"))
            _wait_for(port)
            yield Ground(postgres, f"http://127.0.0.1:{port}")
        finally:
            endpoint.kill()
            endpoint.wait()


def _spread_out(shop: str) -> None:
    """Lay the rows of each table out over many blocks, with room in each, as those of a large table are."""
    tables = [sql.Identifier(table.name) for table in SOURCE_TABLES]
    spread = [sql.SQL("ALTER TABLE {} SET (fillfactor = 10)").format(table) for table in tables]
    run_alone(shop, *spread, sql.SQL("VACUUM FULL"), sql.SQL("ANALYZE"))


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


@dataclass(frozen=True)
class Tick:
    """How a run ended: with the newest batch in the warehouse, or with an error; and whether a script was missed."""

    error: str | None
    message: str = ""
    missed: bool = False

    @classmethod
    def failed(cls, outcome: Outcome) -> "Tick":
        return cls(getattr(outcome, "error", "Died"), getattr(outcome, "message", ""))

    @property
    def succeeded(self) -> bool:
        return self.error is None


class World:
    """One shop and its warehouse.

    Attributes:
        source, warehouse: URIs, of the databases' owner.
        ingestion, processed: the lake.
        functions: by name; `second` has another process of each, for what happens at once.
        library: a replay and a rebuild, in processes of their own.
        in_pieces: whether many functions read and transform what is large in so small a shop.
    """

    def __init__(
        self,
        ground: Ground,
        weakness: str | None = None,
        *,
        source_server: EmbeddedPostgres | None = None,
        in_pieces: bool = False,
    ) -> None:
        number = next(_numbers)
        self.in_pieces = in_pieces
        self.ground = ground
        self._weakness = weakness
        self._servers = {"source": source_server or ground.postgres, "warehouse": ground.postgres}
        self._names = {"source": f"source_{number}", "warehouse": f"warehouse_{number}"}
        self._logins = {role: f"{name}_login" for role, name in self._names.items()}
        self._secret_names = dict(self._names)
        self._passwords = dict.fromkeys(self._names, "first")
        for role, template in (("source", "shop"), ("warehouse", "template1")):
            self._make_database(role, template)
        self.grant()
        s3 = ground.client("s3")
        buckets = [f"ingestion-{number}", f"processed-{number}"]
        for name in buckets:
            s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": _REGION})
        self.ingestion, self.processed = (Bucket(name, s3) for name in buckets)
        self._secrets = ground.client("secretsmanager")
        for role in self._names:
            self._secrets.create_secret(Name=self._secret_names[role], SecretString=self._secret(role))
        self._environment = ground.environment | {
            "INGESTION_BUCKET": buckets[0],
            "PROCESSED_BUCKET": buckets[1],
            "SOURCE_SECRET": self._secret_names["source"],
            "WAREHOUSE_SECRET": self._secret_names["warehouse"],
            "ROWS_IN_ONE_FUNCTION": str(_FEW_ROWS if in_pieces else _MORE_ROWS),
            **({IN_PIECES: "yes"} if in_pieces else {}),
        }
        self.functions = {name: Function(name, self._environment, weakness) for name in STEPS}
        self.second = {name: Function(name, self._environment, weakness) for name in STEPS}
        self.library = {name: Function(name, self._environment, weakness) for name in HANDLERS}

    @property
    def source(self) -> str:
        return self._uri("source")

    @property
    def warehouse(self) -> str:
        return self._uri("warehouse")

    @property
    def loader(self) -> str:
        """The role that owns the warehouse's tables."""
        return self._logins["warehouse"]

    def tick(
        self,
        scripts: Mapping[str, Script] | None = None,
        asked: Mapping[str, Any] | None = None,
        *,
        second: bool = False,
    ) -> Tick:
        """One run as the state machine makes it: each step tried again where its error says that this may help.

        Args:
            scripts: what happens to the first invocation of a step that comes to where it is to happen.
            asked: what is asked of the run.
            second: whether by the other processes.
        """
        functions, event = self.second if second else self.functions, {payloads.ASKED: asked or {}}
        steps = {name: Step(functions[name], event, (scripts or {}).get(name)) for name in STEPS}
        transform = steps[TRANSFORM]
        for go in (steps[CAPTURE].whole, transform.go_on, steps[LOAD].whole):
            outcome = go()
            if not isinstance(outcome, Returned):
                return Tick.failed(outcome)
        if transform.has_more:  # what comes before is loaded by now
            for go in (transform.whole, Step(functions[LOAD], {}).whole):
                outcome = go()
                if not isinstance(outcome, Returned):
                    return Tick.failed(outcome)
        return Tick(None, missed=any(step.missed for step in steps.values()))

    def capture(self, script: Script | None = None) -> Outcome:
        return whole(self.functions[CAPTURE], script=script)

    def transform(self, script: Script | None = None) -> Outcome:
        return whole(self.functions[TRANSFORM], script=script)

    def load(self, script: Script | None = None) -> Outcome:
        return whole(self.functions[LOAD], script=script)

    def verdict(self) -> Verdict:
        with session(self.source) as source, session(self.warehouse) as warehouse:
            return verify(source, warehouse, self.ingestion, SOURCE_TABLES, STAR_TABLES)

    def terminate(self, role: str) -> None:
        """End the functions' sessions on one of the databases."""
        execute(
            self._servers[role].uri("postgres"),
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND application_name LIKE %s",
            [self._names[role], "totes %"],
        )

    def restart(self) -> None:
        """Restart the database server, as after a crash; it comes up on another port."""
        self.ground.postgres.stop()
        self.ground.postgres.start()
        for role in self._names:
            self.store_secret(role)

    def change_password(self, role: str, password: str, *, in_secret: bool = True) -> None:
        """Change a login's password, in the database and, as a rotation does at last, in its secret."""
        with session(self._servers[role].uri("postgres")) as connection, connection, connection.cursor() as cursor:
            login = sql.Identifier(self._logins[role])
            cursor.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(login, sql.Literal(password)))
        self._passwords[role] = password
        if in_secret:
            self.store_secret(role)

    def store_secret(self, role: str) -> None:
        """Bring a secret up to date with its database."""
        self._secrets.put_secret_value(SecretId=self._secret_names[role], SecretString=self._secret(role))

    def copy_source(self) -> str:
        """The source as it is now, under another name; nobody may be connected to it."""
        copy = f"{self._names['source']}_copy_{next(_numbers)}"
        self.terminate("source")
        run_alone(self.ground.postgres.uri("postgres"), copy_of(self._names["source"], copy))
        return copy

    def put_source_back(self, copy: str) -> None:
        """Restore the source from a copy."""
        lost = self.source
        self._names["source"] = copy
        remember_what_was_lost(lost, self.source)
        self.store_secret("source")

    def grant(self) -> None:
        """Let the functions read every table that the source has by now."""
        login = sql.Identifier(self._logins["source"])
        with session(self.source) as connection, connection, connection.cursor() as cursor:
            cursor.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(login))

    @contextlib.contextmanager
    def new_warehouse(self) -> Iterator[str]:
        """The URI of an empty database beside the warehouse; it is dropped at the end, and autovacuum has one less."""
        name = f"{self._names['warehouse']}_again_{next(_numbers)}"
        self.ground.postgres.create_database(name)
        yield self.ground.postgres.uri(name)
        run_alone(self.ground.postgres.uri("postgres"), removal_of(name))

    def close(self) -> None:
        """End the functions, and drop the databases."""
        for function in (*self.functions.values(), *self.second.values(), *self.library.values()):
            function.kill()
        for role, server in self._servers.items():
            if server is self.ground.postgres:  # another goes as a whole
                run_alone(server.uri("postgres"), removal_of(self._names[role]))

    def settings_of(self, role: str) -> Sequence[str]:
        """Whose settings a session of the functions has, as ALTER ... SET names them: from wide to narrow."""
        login, database = self._logins[role], self._names[role]
        return (f"DATABASE {database}", f"ROLE {login}", f"ROLE {login} IN DATABASE {database}")

    def administer(self, *statements: str) -> None:
        """Run statements at the server, in no database of the world's own."""
        for statement in statements:
            execute(self.ground.postgres.uri("postgres"), statement)

    def read_source_from(self, server: EmbeddedPostgres) -> None:
        """Let the functions read another server, which has the source too."""
        self._servers["source"] = server
        self.store_secret("source")

    def port_of(self, target: str) -> int:
        """Where the source, the warehouse or the store listens."""
        if target == "store":
            return int(self.ground.endpoint.rpartition(":")[2])
        return int(parse_dsn(self._uri(target))["port"])

    def through(self, ports: Mapping[str, int]) -> Mapping[str, Function]:
        """The functions, in new processes, as they speak to the source, the warehouse or the store by other ports.

        They are as impatient as a test must be: they notice within seconds that nobody is there.
        """
        environment = self._environment | {READ_SECONDS: "1"}
        if "store" in ports:
            environment["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{ports['store']}"
        for role in self._names.keys() & ports.keys():
            name = f"{self._secret_names[role]}_by_port_{ports[role]}"
            values = json.loads(self._secret(role)) | {"port": ports[role]} | _IMPATIENT
            self._secrets.create_secret(Name=name, SecretString=json.dumps(values))
            environment[f"{role.upper()}_SECRET"] = name
        return {name: Function(name, environment, self._weakness) for name in STEPS}

    def _make_database(self, role: str, template: str) -> None:
        login, name = sql.Identifier(self._logins[role]), sql.Identifier(self._names[role])
        owned = [sql.SQL("ALTER DATABASE {} OWNER TO {}").format(name, login)] if role == "warehouse" else []
        run_alone(
            self._servers[role].uri("postgres"),
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'first'").format(login),
            copy_of(template, self._names[role]),
            *owned,
        )

    def _uri(self, role: str) -> str:
        return self._servers[role].uri(self._names[role])

    def _secret(self, role: str) -> str:
        server = parse_dsn(self._uri(role))
        return json.dumps(
            {
                "host": server["host"],
                "port": int(server["port"]),
                "username": self._logins[role],
                "password": self._passwords[role],
                "dbname": self._names[role],
            }
        )
