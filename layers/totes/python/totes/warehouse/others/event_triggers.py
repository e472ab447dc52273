"""An event trigger of others that fails when totes makes, changes or drops a table: it is named."""

import psycopg2
from psycopg2.extensions import cursor as Cursor

from totes.errors import ConfigurationError
from totes.sqlstate import remedy_of_names
from totes.warehouse.others.run_by_writes import may_be_of_others

# The context of an error has the function of each trigger that was running, in any language: with its schema, unless
# that is in the search path, which may be one that the function sets itself.
_RUNNING = """
    SELECT format('%%I', evtname) FROM pg_event_trigger
    JOIN pg_proc ON pg_proc.oid = evtfoid
    WHERE evtenabled NOT IN ('D', 'R') AND strpos(%s, CASE
        WHEN pronamespace = 'public'::regnamespace OR proconfig IS NOT NULL THEN format('%%I()', proname)
        ELSE evtfoid::regprocedure::text
    END) > 0 ORDER BY 1
"""


def failed_by_event_triggers(cursor: Cursor, error: psycopg2.Error) -> ConfigurationError | None:
    """Return the error to raise if an event trigger has failed.

    Args:
        cursor: the warehouse, in a transaction that has not failed.
        error: the error.

    Returns:
        The error, which names the trigger; None if something else has failed, or a trigger that is not in a language
        whose errors say so.

    Raises:
        psycopg2.Error: the connection to the warehouse was lost.
    """
    if not may_be_of_others(error) or not error.diag.context:
        return None
    cursor.execute(_RUNNING, (error.diag.context,))
    triggers = [name for (name,) in cursor.fetchall()]
    if not triggers:
        return None
    # What it says is about a table, and so is kept although it may be in words of others'.
    return ConfigurationError(
        f"the event trigger {' or '.join(triggers)} fails on a table that totes makes, changes or drops "
        f"({error.pgcode}: {error.diag.message_primary}); let it pass what the loader's role does, or drop it"
        f"{remedy_of_names(error)}"
    )
