"""What an environment costs a month, worked out from its synthesised templates; and a larger shop in it."""

from costs.breaking import Break, breaks
from costs.by_size import Deployed, Sized, sized
from costs.estimate import Estimate, Line, Unknown, by_each_way_out, estimate
from costs.measured import Measured
from costs.templates import TemplateResource, read_resources

__all__ = [
    "Break",
    "Deployed",
    "Estimate",
    "Line",
    "Measured",
    "Sized",
    "TemplateResource",
    "Unknown",
    "breaks",
    "by_each_way_out",
    "estimate",
    "read_resources",
    "sized",
]
