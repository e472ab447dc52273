"""The tables and views that totes keeps in schema `etl`; if another tool has made one of that name, it is refused."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from totes.errors import ConfigurationError
from totes.names import RATES_TABLE
from totes.star_schema import StarTable

OWN: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "batch": frozenset({"batch_id", "capture_sha256"}),
        "batch_table": frozenset({"batch_id", "star_table", "rows_in"}),
        "drift": frozenset({"batch_id", "what"}),
        "quarantine": frozenset({"batch_id", "star_table", "source_row"}),
        "content": frozenset({"only_row", "edition"}),
        "content_edition": frozenset({"edition", "identity"}),
        "star_column": frozenset({"star_table", "column_name"}),
        "setback": frozenset({"given_up", "what"}),
        "verification": frozenset({"batch_id", "differences"}),
        "rate_day": frozenset({"base_currency", "rate_date"}),
        "refused_rate": frozenset({"base_currency", "rate_date", "currency"}),
        "reporting_currency": frozenset({"only_row", "code"}),
        "rate_quarantine": frozenset({"batch_id", "star_table", "source_row"}),
        "rebuild": frozenset({"edition", "definitions", "built"}),
    }
)
"""The tables and views that totes keeps in schema `etl`, each with columns by which they are recognized: every version
of totes has made these, and no other tool is likely to."""


def names_written(tables: Sequence[StarTable]) -> dict[str, list[str]]:
    """Return the names of all that totes writes: as `stars` those in schema public, as `own` those in schema etl."""
    return {"stars": [*(table.name for table in tables), RATES_TABLE], "own": [*OWN]}


def must_be_own(there: Mapping[str, Collection[str]]) -> None:
    """Check that totes has made what is there under these names.

    Args:
        there: the columns of tables and views, by schema and name.

    Raises:
        ConfigurationError: something is not; the sentence names it.
    """
    strangers = [
        f"etl.{name}" for name, columns in OWN.items() if not columns <= set(there.get(f"etl.{name}", columns))
    ]
    if strangers:
        raise ConfigurationError(
            f"the warehouse has {', '.join(strangers)}, which totes did not make, where tables of its own go; "
            "rename it, or move it to another schema, or name an empty database"
        )
