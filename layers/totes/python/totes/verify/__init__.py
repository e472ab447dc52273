"""Verify: does the warehouse say what the source says, except for changes that are on their way?"""

from totes.verify.record import write_verification
from totes.verify.verdict import TableVerdict, Verdict
from totes.verify.verification import keys_to_repair, verify

__all__ = ["TableVerdict", "Verdict", "keys_to_repair", "verify", "write_verification"]
