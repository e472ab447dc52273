"""Verify: is the warehouse what the source says, but for what is on its way?"""

from totes.verify.verdict import TableVerdict, Verdict
from totes.verify.verify import keys_to_repair, verify

__all__ = ["TableVerdict", "Verdict", "keys_to_repair", "verify"]
