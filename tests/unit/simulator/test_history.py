import numpy as np
import polars as pl
import pytest

from simulator.history import Chunk, history
from simulator.size import Size

_SALES = 60_000


def _history(orders: int, seed: int = 1) -> list[Chunk]:
    return list(history(Size(orders), np.random.Generator(np.random.PCG64(seed))))


@pytest.fixture(scope="module")
def chunks() -> list[Chunk]:
    return _history(_SALES)


def test_a_chunk_is_bounded_however_large_the_shop(chunks: list[Chunk]) -> None:
    assert [chunk.orders for chunk in chunks] == [50_000, 34_930]


def test_there_are_exactly_as_many_orders_as_asked(chunks: list[Chunk]) -> None:
    size = Size(_SALES)
    assert sum(chunk.sales_order.height for chunk in chunks) == _SALES
    assert sum(chunk.purchase_order.height for chunk in chunks) == size.purchase_orders
    assert sum(chunk.transaction.height for chunk in chunks) == size.orders
    assert sum(chunk.payment.height for chunk in chunks) == size.orders


@pytest.mark.parametrize("table", ["sales_order", "purchase_order", "transaction", "payment"])
def test_ids_continue_from_chunk_to_chunk(chunks: list[Chunk], table: str) -> None:
    frame = pl.concat([getattr(chunk, table) for chunk in chunks])
    assert frame[f"{table}_id"].to_list() == list(range(1, frame.height + 1))


def test_an_order_names_only_designs_that_were_there(chunks: list[Chunk]) -> None:
    early, late = chunks[0].sales_order.head(500)["design_id"], chunks[-1].sales_order["design_id"]
    assert early.max() < late.max() / 10  # type: ignore[operator]
    assert 1 <= late.min() <= late.max() <= Size(_SALES).designs  # type: ignore[operator]


def test_ids_are_slightly_out_of_step_with_moments(chunks: list[Chunk]) -> None:
    moments = chunks[0].sales_order["created_at"]
    steps_back = moments.diff().dt.total_milliseconds() < 0
    share = steps_back.sum() / moments.len()
    assert 0.001 < share < 0.05


@pytest.mark.parametrize("orders", [1, 2, 3])
def test_the_smallest_shops_have_a_history_too(orders: int) -> None:
    [chunk] = _history(orders)
    assert chunk.sales_order.height == orders
    assert chunk.payment["transaction_id"].sort().to_list() == list(range(1, chunk.orders + 1))
