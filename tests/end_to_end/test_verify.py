"""totes verify, as a person types it and as the night's function runs it."""

import json

import pytest

from command_line.deployment import Deployment
from simulator import build
from tests.end_to_end.conftest import Deployed
from tests.support.databases import execute


@pytest.fixture(scope="module")
def shop(deployed: Deployed) -> Deployed:
    build(deployed.cloud.source_uri, orders=50, seed=3)
    empty = deployed.totes("verify")
    assert empty.code == 1
    assert "the warehouse holds no batch yet" in empty.err
    deployed.run()
    return deployed


def test_an_equal_warehouse_is_said_to_be_equal(shop: Deployed) -> None:
    answer = shop.totes("verify")
    assert answer.code == 0, answer.err
    assert "the warehouse is what the source says" in answer.out
    assert max(map(len, answer.out.splitlines())) <= 80
    document = shop.totes("verify", "--json").json()
    assert document["equal"]
    assert document["tables"]["fact_sales_order"]["rows"] == 50


def test_a_difference_is_named_by_its_key_and_repaired(shop: Deployed) -> None:
    execute(shop.cloud.warehouse_uri, "UPDATE fact_sales_order SET units_sold = 1 WHERE sales_order_id = 4")
    execute(shop.cloud.warehouse_uri, "DELETE FROM dim_design WHERE design_id = 2")
    answer = shop.totes("verify")
    assert answer.code == 1
    assert "fact_sales_order: different in units_sold: 4" in answer.out
    assert "dim_design: missing: 2" in answer.out
    repaired = shop.totes("verify", "--repair", "--json")
    assert repaired.code == 0, repaired.err
    assert repaired.json()["equal"]


def test_the_nights_function_returns_its_verdict_and_emits_it_as_metrics(shop: Deployed) -> None:
    execute(shop.cloud.warehouse_uri, "UPDATE fact_payment SET paid = NOT paid WHERE payment_id = 4")
    client = shop.cloud.session().client("lambda", endpoint_url=Deployment.local(shop.state).endpoint)
    answer = client.invoke(FunctionName="totes-local-verify_warehouse", Payload=b"{}")
    verdict = json.loads(answer["Payload"].read())
    client.close()
    assert not verdict["equal"]
    assert verdict["tables"]["fact_payment"]["examples"] == {"different": ["4"]}
    lines = [
        line
        for line in shop.totes("local", "logs", "verify_warehouse", "--json").out.splitlines()
        if line.startswith("{")
    ]
    metrics = [json.loads(line) for line in lines if "VerifyDifferences" in line][-1]
    assert metrics["VerifyDifferences"] == [1.0]
    [compared] = [said for said in map(json.loads, lines) if said.get("message") == "compared"][-1:]
    assert compared["rows"] == sum(table["rows"] for table in verdict["tables"].values())
    shop.totes("verify", "--repair")
