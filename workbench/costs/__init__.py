"""What an environment costs a month, worked out from its synthesised templates."""

from workbench.costs.estimate import Estimate, Line, Unknown, estimate
from workbench.costs.templates import Resource, read_resources

__all__ = ["Estimate", "Line", "Resource", "Unknown", "estimate", "read_resources"]
