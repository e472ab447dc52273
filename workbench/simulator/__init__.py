"""A shop that does not exist: a totesys database of the real shape, built from nothing, that lives on."""

from workbench.simulator.build import build
from workbench.simulator.shop import Shop
from workbench.simulator.tally import Events

__all__ = ["Events", "Shop", "build"]
