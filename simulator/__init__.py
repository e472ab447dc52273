"""A shop that does not exist: a totesys database of the real shape, built from nothing, that lives on."""

from simulator.build import build
from simulator.event_counts import EventCounts
from simulator.moving import move_to_yesterday
from simulator.shop import Shop

__all__ = ["EventCounts", "Shop", "build", "move_to_yesterday"]
