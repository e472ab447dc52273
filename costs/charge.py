"""What is paid for."""

from dataclasses import dataclass
from decimal import Decimal

from costs.prices import Price


@dataclass(frozen=True)
class Charge:
    """So much of something, at a price, in a month."""

    quantity: Decimal | int
    price: Price

    @property
    def usd(self) -> Decimal:
        """What it costs."""
        return self.quantity * self.price.usd / self.price.per
