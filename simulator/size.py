"""How large a shop is."""

import math
from dataclasses import dataclass

from simulator.working_days import OpeningHours
from totes.errors import UserError

_PURCHASES_OF_A_SALE = 0.4155
_SALES_OF_A_DAY = 21
_MOST_DAYS = 600
"""Some two and a half years; a shop with more orders than that is a busier one, not an older one."""

FIRST_DESIGNS = 10
_DESIGNS = 463
_ORDERS_OF_THOSE_DESIGNS = 11_187


@dataclass(frozen=True)
class Size:
    """The sizes that follow from a number of sales orders.

    Attributes:
        sales_orders: sales orders.
    """

    sales_orders: int

    def __post_init__(self) -> None:
        if self.sales_orders < 1:
            raise UserError(f"a shop needs at least one sales order, not {self.sales_orders}")

    @property
    def purchase_orders(self) -> int:
        """Purchase orders."""
        return round(self.sales_orders * _PURCHASES_OF_A_SALE)

    @property
    def orders(self) -> int:
        """Orders of both kinds, each with a transaction and a payment."""
        return self.sales_orders + self.purchase_orders

    @property
    def designs(self) -> int:
        """Designs; they grow more slowly than orders do."""
        return FIRST_DESIGNS + math.ceil(_DESIGNS * math.sqrt(self.sales_orders / _ORDERS_OF_THOSE_DESIGNS))

    @property
    def hours(self) -> OpeningHours:
        """When all that came about."""
        return OpeningHours(min(_MOST_DAYS, math.ceil(self.sales_orders / _SALES_OF_A_DAY)))
