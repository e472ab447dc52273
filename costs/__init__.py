"""What an environment costs a month, worked out from its synthesised templates; and a larger shop in it."""

from costs.breaking import Break, breaks
from costs.by_size import Sized, TemplateSet, sized
from costs.estimate import Estimate, Line, Unknown, by_each_way_out, estimate
from costs.measured import Measured
from costs.templates import TemplateResource, read_resources

__all__ = [
    "Break",
    "Estimate",
    "Line",
    "Measured",
    "Sized",
    "TemplateResource",
    "TemplateSet",
    "Unknown",
    "breaks",
    "by_each_way_out",
    "estimate",
    "read_resources",
    "sized",
]
