"""What functions ask of S3: their own handlers run as in a deployment, over a store in memory that counts.

They are a process of their own, because a handler takes over the library's log.
"""

import importlib.util
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from psycopg2.extensions import parse_dsn

from costs.assumptions import Requests
from simulator import Shop
from tests.support.databases import execute
from tests.support.memory_store import MemoryStore
from totes import clients, payloads
from totes.settings import CaptureSettings, LoadSettings, PublishSettings, Settings, StarSettings

ROOT = Path(__file__).parents[2]

LAKE, DASHBOARD = "lake", "dashboard"

_SETTINGS: tuple[Settings, ...] = (
    CaptureSettings(
        source_secret="source", ingestion_bucket="ingestion", mass_deletion_percent=20, rows_in_one_function=10_000_000
    ),
    StarSettings(ingestion_bucket="ingestion", processed_bucket="processed", rows_in_one_function=10_000_000),
    LoadSettings(
        ingestion_bucket="ingestion",
        processed_bucket="processed",
        warehouse_secret="warehouse",
        reporting_currency="GBP",
    ),
    PublishSettings(dashboard_bucket="dashboard", dashboard_secret="dashboard"),
)
_CONTEXT = SimpleNamespace(
    function_name="any",
    memory_limit_in_mb="1536",
    invoked_function_arn="any",
    aws_request_id="any",
    get_remaining_time_in_millis=lambda: 900_000,
)


def asked_a_tick(source: str, warehouse: str, page: Path, *, ticks: int, events: int) -> Mapping[str, Requests]:
    """The requests of an average tick, of the lake and of the dashboard's bucket, after a first one has loaded all.

    Args:
        source: the shop.
        warehouse: an empty database.
        page: the dashboard's page, as it is in the publisher's package.
        ticks: how many there are.
        events: how many happen in the shop before each.
    """
    program = [sys.executable, "-m", __name__, source, warehouse, str(page), str(ticks), str(events)]
    ended = subprocess.run(program, capture_output=True, text=True, check=True, cwd=ROOT)
    found = json.loads(ended.stdout.splitlines()[-1])  # the other lines are the functions' log
    return {
        place: Requests(writes=Decimal(of["put"] + of["list"]) / ticks, reads=Decimal(of["get"]) / ticks)
        for place, of in found.items()
    }


class _Functions:
    """The functions of a run, in a process that has become theirs."""

    def __init__(self, source: str, warehouse: str, page: Path) -> None:
        self.store = MemoryStore()
        secrets = _Secrets({"source": source, "warehouse": warehouse, "dashboard": warehouse})
        clients.s3 = lambda: self.store  # type: ignore[assignment]
        clients.secrets_manager = lambda: secrets  # type: ignore[assignment]
        for settings in _SETTINGS:
            os.environ.update(settings.to_environment())
        self._capture = _module("raw_data_to_ingestion_bucket")
        self._transform = _module("ingestion_to_processed_bucket")
        self._load = _module("processed_bucket_to_warehouse")
        self._publish = _module("publish_snapshot")
        self._publish.PAGE = page  # type: ignore[attr-defined]

    def tick(self) -> Mapping[str, Counter[str]]:
        """One run of the state machine: what is asked of the lake, and of the dashboard's bucket."""
        self.store.asked.clear()
        captured = self._invoke(self._capture, {})
        transformed = self._invoke(self._transform, {})
        seen = {payloads.SEEN: captured[payloads.SEEN]}
        loaded = self._invoke(self._load, {payloads.CAPTURED: transformed[payloads.CAPTURED], **seen})
        of_lake = self.store.calls
        self.store.asked.clear()
        waiting = [transformed[payloads.WAITING], loaded[payloads.WAITING]]
        self._invoke(self._publish, {payloads.WAITING: waiting, **seen})
        return {LAKE: of_lake, DASHBOARD: self.store.calls}

    @staticmethod
    def _invoke(module: ModuleType, event: Mapping[str, Any]) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = module.handler(event, _CONTEXT)
        return answer


class _Secrets:
    """As much of Secrets Manager as a login asks of it."""

    def __init__(self, uris: Mapping[str, str]) -> None:
        self._uris = uris

    def get_secret_value(self, *, SecretId: str, **_: object) -> dict[str, Any]:  # noqa: N803 - AWS's word
        """The login of a database."""
        dsn = parse_dsn(self._uris[SecretId])
        login = {"host": dsn["host"], "port": dsn["port"], "dbname": dsn["dbname"]}
        return {"SecretString": json.dumps({**login, "username": dsn["user"], "password": dsn["password"]})}


def _module(function: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"handler_of_{function}", ROOT / "lambdas" / function / "handler.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _main(source: str, warehouse: str, page: Path, ticks: int, events: int) -> None:
    functions, asked = _Functions(source, warehouse, page), {LAKE: Counter[str](), DASHBOARD: Counter[str]()}
    functions.tick()
    execute(source, "CREATE TABLE of_others AS SELECT 1")  # a source in which nothing ever ends is not read at all
    for tick in range(ticks):
        if events:
            Shop(source, seed=tick).trade(events)
        for place, requests in functions.tick().items():
            asked[place].update(requests)
    kinds = "put", "list", "get"
    sys.stdout.write(json.dumps({place: {kind: of[kind] for kind in kinds} for place, of in asked.items()}) + "\n")


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
