"""A replay and a rebuild by the library, run like functions of their own: killed and paused at any boundary, too."""

from collections.abc import Callable, Mapping
from typing import Any

from totes.databases import connected
from totes.errors import WarehouseUnavailable
from totes.lake import Bucket
from totes.settings import LoadSettings, StarSettings
from totes.star import STAR_TABLES, replay
from totes.warehouse import load
from totes.warehouse.rebuild import steps

REPLAY = "replay"
REBUILD = "rebuild"


def _replay(_event: Mapping[str, Any], _context: object) -> None:
    """Transform every batch of the lake again, into a new edition."""
    settings = StarSettings.from_environment()
    replay(Bucket(settings.ingestion_bucket), Bucket(settings.processed_bucket), STAR_TABLES, first=1)


def _rebuild(_event: Mapping[str, Any], _context: object) -> None:
    """Load every batch of the lake again."""
    settings = LoadSettings.from_environment()
    steps.SHORT_SECONDS = 0.0  # as where each step takes long: a boundary behind each
    with connected(settings.warehouse_secret, login_name="warehouse", unavailable=WarehouseUnavailable) as warehouse:
        load(warehouse, Bucket(settings.processed_bucket), STAR_TABLES, rebuild=True)


HANDLERS: Mapping[str, Callable[..., Any]] = {REPLAY: _replay, REBUILD: _rebuild}
