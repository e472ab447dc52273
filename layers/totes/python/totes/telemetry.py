"""The names of what is measured, as functions emit it and as alarms and the operations dashboard ask for it.

Each metric is paid for by the month, for each of its dimensions' values: there is one of each name, and what is said by
table is in the log.
"""

NAMESPACE = "totes"
SERVICE = "service"
"""The one dimension, which tells environments apart: totes-<environment>."""

LAG = "LagSeconds"
"""How old the state of the source was that the warehouse held when a load ended."""

QUARANTINED = "QuarantinedRows"
"""Rows that are in quarantine, as a load ends."""

DRIFT = "Drift"
"""Changes of the source's shape that a capture found."""

VERIFY_DIFFERENCES = "VerifyDifferences"
"""Rows that differ without an excuse, as a verification ends."""

ROTATIONS_OVERDUE = "RotationsOverdue"
"""Logins whose password was not rotated when it should have been, whatever the verification comes to."""

LAKE_FINDINGS = "LakeFindings"
"""What a night's audit of the lake found that is not what was written; it emits none if it ran out of time."""

PUBLISHED = "Published"
"""That the dashboard's snapshot was brought up to date, or found to be."""

RATES_AGE = "ExchangeRatesAgeDays"
"""How many days ago the newest day was that has a good exchange rate, as a load ends: of the currency of the shop for
which it is longest ago."""

RATES_FAILED = "ExchangeRatesFailed"
"""Whether a step that is about exchange rates met something which it could not do; it fails no run."""

METRICS = (
    *(LAG, QUARANTINED, DRIFT, VERIFY_DIFFERENCES, LAKE_FINDINGS, PUBLISHED),
    *(RATES_AGE, RATES_FAILED, ROTATIONS_OVERDUE),
)

ROWS_LOADED = "rows were loaded"
"""The line of the loader's log, one a star table, with `table` and how many rows came to which end."""

OUTCOMES = ("versions", "unchanged", "quarantined", "deleted")
"""The ends, as that line names them."""
