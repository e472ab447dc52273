"""What an environment costs a month, worked out from its synthesised templates."""

from costs.estimate import Estimate, Line, Unknown, by_each_way_out, estimate
from costs.templates import TemplateResource, read_resources

__all__ = ["Estimate", "Line", "TemplateResource", "Unknown", "by_each_way_out", "estimate", "read_resources"]
