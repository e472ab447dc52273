"""A simulated shop: a totesys database with the real tables, built from nothing, in which events go on happening."""

from simulator.build import MOST, build
from simulator.event_counts import EventCounts
from simulator.moving import move_to_yesterday
from simulator.shop import Shop

__all__ = ["MOST", "EventCounts", "Shop", "build", "move_to_yesterday"]
