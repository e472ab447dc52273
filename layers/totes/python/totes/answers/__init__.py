"""Answers to what a person asks of databases that they cannot reach; each can be written as JSON."""

from totes.answers.fitness import Finding, fitness, newest_loaded
from totes.answers.quarantined_rows import Page, QuarantinedRow, quarantine
from totes.answers.state import BatchState, Drift, OpenRow, State, TableState, state_of

__all__ = [
    "BatchState",
    "Drift",
    "Finding",
    "OpenRow",
    "Page",
    "QuarantinedRow",
    "State",
    "TableState",
    "fitness",
    "newest_loaded",
    "quarantine",
    "state_of",
]
