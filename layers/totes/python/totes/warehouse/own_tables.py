"""What lies in schema `etl` under a name of totes' own, and another tool has made: it is refused by name."""

from collections.abc import Collection, Mapping
from types import MappingProxyType

from totes.errors import ConfigurationError

OWN: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "batch": frozenset({"batch_id", "capture_sha256"}),
        "batch_table": frozenset({"batch_id", "star_table", "rows_in"}),
        "drift": frozenset({"batch_id", "what"}),
        "quarantine": frozenset({"batch_id", "star_table", "source_row"}),
        "content": frozenset({"only_row", "edition"}),
        "star_column": frozenset({"star_table", "column_name"}),
        "verification": frozenset({"batch_id", "differences"}),
        "rate_day": frozenset({"base_currency", "rate_date"}),
        "refused_rate": frozenset({"base_currency", "rate_date", "currency"}),
        "reporting_currency": frozenset({"only_row", "code"}),
        "rate_quarantine": frozenset({"batch_id", "star_table", "source_row"}),
        "rebuild": frozenset({"edition", "definitions", "built"}),
    }
)
"""The tables and views that totes keeps in schema `etl`, each with columns by which its own are known: every totes made
them so, and nobody else would."""


def must_be_own(there: Mapping[str, Collection[str]]) -> None:
    """See that what is there under these names is totes' own.

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
