"""A shop that does not exist: a totesys database of the real shape, built from nothing, that lives on."""

from simulator.build import build
from simulator.event_counts import Events
from simulator.moving import up_to_yesterday
from simulator.shop import Shop

__all__ = ["Events", "Shop", "build", "up_to_yesterday"]
