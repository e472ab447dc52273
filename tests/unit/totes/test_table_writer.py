"""What a batch brings of a table becomes objects of the lake only where each key is there once."""

import re

import polars as pl
import pytest

from tests.support.memory_store import MemoryStore
from totes.capture.table_writer import TableWriter
from totes.capture.tables.payment import PAYMENT
from totes.errors import ContractError
from totes.lake import RAW


def test_a_key_that_a_broken_index_let_in_twice_is_named_with_the_way_out() -> None:
    store = MemoryStore()
    writer = TableWriter(
        store.bucket("ingestion"),
        PAYMENT,
        "batches/1/payment",
        hold=lambda _: None,
        lose=lambda _: None,
    )
    way_out = "REINDEX TABLE payment"
    with pytest.raises(ContractError, match=rf"^payment_id 3 is there more than once.*{re.escape(way_out)}$"):
        writer.changed(pl.DataFrame({"payment_id": [4, 3, 3], RAW: [None] * 3}, schema_overrides={RAW: pl.String}))
    assert store.keys == []
