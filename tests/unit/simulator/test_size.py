import pytest

from simulator.size import Size
from totes.errors import UserError


def test_a_shop_of_the_usual_size_takes_two_years_of_twenty_one_orders_a_day() -> None:
    size = Size(11_187)
    assert (size.purchase_orders, size.designs, size.hours.days) == (4_648, 473, 533)


def test_a_large_shop_is_busier_and_not_older() -> None:
    assert Size(5_000_000).hours.days == Size(50_000).hours.days == 600


def test_designs_grow_more_slowly_than_orders() -> None:
    assert Size(100).designs < Size(1_000_000).designs < 10 * Size(11_187).designs


@pytest.mark.parametrize("orders", [0, -1])
def test_a_shop_without_orders_is_none(orders: int) -> None:
    with pytest.raises(UserError, match="at least one sales order"):
        Size(orders)
