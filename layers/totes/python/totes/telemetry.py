"""The names of what is measured, as functions emit it and as alarms and the board ask for it."""

NAMESPACE = "totes"
SERVICE = "service"
"""The dimension that tells environments apart: totes-<environment>."""

ROWS = "Rows"
"""Rows that a load brought, by the dimensions table and outcome."""

LAG = "LagSeconds"
"""How old the state of the source was that the warehouse held when a load ended."""

SINCE_SUCCESS = "SecondsSinceSuccess"
"""How long ago the last run ended that succeeded, as a run begins."""

QUARANTINED = "QuarantinedRows"
"""Rows that are in quarantine, as a load ends."""

DRIFT = "Drift"
"""Changes of the source's shape that a capture found."""

VERIFY_ROWS = "VerifyRows"
VERIFY_DIFFERENCES = "VerifyDifferences"
"""Rows that a verification compared, and those that differ without an excuse."""

TIMEOUT_USED = "TimeoutUsedPercent"
"""How much of its time a function took, by the dimension function."""
