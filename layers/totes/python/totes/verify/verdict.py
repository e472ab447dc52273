"""What a verification found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

_EXAMPLES = 5


@dataclass(frozen=True, kw_only=True)
class TableVerdict:
    """What was found in one star table.

    Attributes:
        rows: how many rows the source says that it has.
        missing: keys of rows that the source has and the warehouse lacks.
        extra: keys of rows that the warehouse has and the source lacks.
        different: keys of rows that both have, with other content.
        columns: the columns in which those differ.
        in_flight: how many more rows differ and are on their way.
        quarantined: how many more rows differ and are in quarantine.
    """

    rows: int
    missing: pl.Series
    extra: pl.Series
    different: pl.Series
    columns: tuple[str, ...] = ()
    in_flight: int = 0
    quarantined: int = 0

    @property
    def differences(self) -> int:
        """How many rows differ without an excuse."""
        return self.missing.len() + self.extra.len() + self.different.len()

    def to_dict(self) -> dict[str, Any]:
        """Counts, and the first few keys of each kind of difference, as JSON has them."""
        return {
            "rows": self.rows,
            "missing": self.missing.len(),
            "extra": self.extra.len(),
            "different": self.different.len(),
            "in_flight": self.in_flight,
            "quarantined": self.quarantined,
            "columns": list(self.columns),
            "examples": {
                kind: [str(key) for key in keys.head(_EXAMPLES)]
                for kind, keys in (("missing", self.missing), ("extra", self.extra), ("different", self.different))
                if keys.len()
            },
        }


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was found in each star table.

    Attributes:
        batch: the batch that the warehouse held.
        tables: what was found, by star table.
        stopped: why a mass deletion would stop the next capture: what that would bring differs then, and is not in
            flight. None: none would.
    """

    batch: int
    tables: Mapping[str, TableVerdict]
    stopped: str | None = None

    @property
    def differences(self) -> int:
        """How many rows differ without an excuse."""
        return sum(table.differences for table in self.tables.values())

    @property
    def rows(self) -> int:
        """How many rows were compared."""
        return sum(table.rows for table in self.tables.values())

    def to_dict(self) -> dict[str, Any]:
        """The verdict as JSON has it."""
        return {
            "equal": not self.differences,
            "batch": self.batch,
            "stopped": self.stopped,
            "tables": {name: table.to_dict() for name, table in self.tables.items()},
        }
