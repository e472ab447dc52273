"""What others have made in the warehouse, and that a load stumbles over: found, and named to a person."""

from totes.warehouse.others.added_constraints import refused_by_others
from totes.warehouse.others.event_triggers import failed_by_event_triggers
from totes.warehouse.others.inheriting_tables import must_inherit_nothing
from totes.warehouse.others.other_kinds import must_be_tables
from totes.warehouse.others.own_tables import OWN, must_be_own
from totes.warehouse.others.published import refused_for_publications
from totes.warehouse.others.run_by_writes import failed_by_others
from totes.warehouse.others.swallowed import must_write_what_is_written, write_all

__all__ = [
    "OWN",
    "failed_by_event_triggers",
    "failed_by_others",
    "must_be_own",
    "must_be_tables",
    "must_inherit_nothing",
    "must_write_what_is_written",
    "refused_by_others",
    "refused_for_publications",
    "write_all",
]
