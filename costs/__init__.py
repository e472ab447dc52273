"""What an environment costs a month, worked out from its synthesised templates."""

from costs.estimate import Estimate, Line, Unknown, estimate
from costs.templates import TemplateResource, read_resources
from costs.ways_out import by_each_way_out

__all__ = ["Estimate", "Line", "TemplateResource", "Unknown", "by_each_way_out", "estimate", "read_resources"]
