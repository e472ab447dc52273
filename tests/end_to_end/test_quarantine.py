"""Quarantine one can work with: what is in it and why, one row whole, and another try."""

import pytest

from simulator import build
from tests.end_to_end.conftest import Deployed
from tests.support.databases import execute


@pytest.fixture(scope="module")
def shop(deployed: Deployed) -> Deployed:
    build(deployed.cloud.source_uri, orders=20, seed=3)
    assert deployed.totes("quarantine", "list").out.strip() == "✓ nothing is in quarantine"
    deployed.run()
    return deployed


@pytest.fixture(autouse=True)
def one_row_in_quarantine(shop: Deployed) -> None:
    execute(shop.cloud.source_uri, "UPDATE sales_order SET agreed_delivery_date = 'TBC' WHERE sales_order_id = 4")
    shop.run()


def test_the_list_says_which_rows_and_why(shop: Deployed) -> None:
    [row] = shop.totes("quarantine", "list", "--json").json()
    assert (row["star_table"], row["key"], row["resolved_by"]) == ("fact_sales_order", 4, None)
    assert row["reason"].startswith("agreed_delivery_date is 'TBC', not a date (yyyy-mm-dd)")
    assert "agreed_delivery_date is 'TBC'" in " ".join(shop.totes("quarantine", "list").out.split())


def test_a_row_is_shown_with_every_value(shop: Deployed) -> None:
    [stay, *_] = shop.totes("quarantine", "show", "fact_sales_order", "4", "--json").json()
    assert stay["source_row"]["sales_order_id"] == "4"
    assert stay["source_row"]["agreed_delivery_date"] == "TBC"
    assert "TBC" in shop.totes("quarantine", "show", "fact_sales_order", "4").out


def test_a_retry_reads_the_row_again_and_a_fixed_one_leaves_by_itself(shop: Deployed) -> None:
    [before] = shop.totes("quarantine", "list", "--json").json()
    tried = shop.totes("quarantine", "retry", "--json").json()
    assert tried["tables"]["fact_sales_order"]["quarantined"] == 1, "nobody has fixed it"
    [after] = shop.totes("quarantine", "list", "--json").json()
    assert after["batch"] == tried["batch"] > before["batch"]
    execute(
        shop.cloud.source_uri, "UPDATE sales_order SET agreed_delivery_date = '2024-02-29' WHERE sales_order_id = 4"
    )
    batch = shop.run()["batch"]
    assert shop.totes("quarantine", "list", "--json").json() == []
    stays = shop.totes("quarantine", "show", "fact_sales_order", "4", "--json").json()
    assert [stay["resolved_by"] for stay in stays][:2] == [batch, after["batch"]]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("show", "fact_sales_order", "5"), "row 5 of fact_sales_order never was in quarantine"),
        (("show", "fact_sales_order", "-5"), "row -5 of fact_sales_order never was in quarantine"),
        (("show", "sales_order", "4"), "there is no star table 'sales_order'"),
        (("show", "dim_date", "4"), "there is no star table 'dim_date' with a source"),
        (("retry", "fact_payment"), "no row of fact_payment is in quarantine"),
        (("retry", "fact_sales_order", "4", "5"), "not in quarantine: fact_sales_order 5; totes quarantine list"),
    ],
)
def test_what_is_not_in_quarantine_is_said_in_one_sentence(
    shop: Deployed, arguments: tuple[str, ...], sentence: str
) -> None:
    answer = shop.totes("quarantine", *arguments)
    assert answer.code == 1
    assert sentence in answer.err
    assert "Traceback" not in answer.err
