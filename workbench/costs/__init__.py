"""What an environment costs a month, worked out from its synthesised templates."""

from workbench.costs.estimate import Estimate, Line, Unknown, estimate
from workbench.costs.templates import Resource, read_resources
from workbench.costs.ways_out import by_each_way_out

__all__ = ["Estimate", "Line", "Resource", "Unknown", "by_each_way_out", "estimate", "read_resources"]
