"""What others have made in the warehouse, and that a load stumbles over: found, and named to a person."""

from totes.warehouse.others.explain import why_failed, why_refused
from totes.warehouse.others.inheriting_tables import must_inherit_nothing
from totes.warehouse.others.other_kinds import must_be_tables
from totes.warehouse.others.own_tables import OWN, must_be_own
from totes.warehouse.others.swallowed import must_write_what_is_written, write_all

__all__ = [
    "OWN",
    "must_be_own",
    "must_be_tables",
    "must_inherit_nothing",
    "must_write_what_is_written",
    "why_failed",
    "why_refused",
    "write_all",
]
