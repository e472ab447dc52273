"""A laptop with credentials of the account is enough: no command needs a way to the databases."""

import json
from collections.abc import Callable
from typing import Any

import psycopg2
import pytest

from command_line.deployment import Deployment
from simulator import build
from tests.end_to_end.conftest import Deployed
from tests.support.command_line import Answer, totes
from tests.support.databases import execute
from totes.databases import open_session


@pytest.fixture(scope="module")
def shop(development: Deployed) -> Deployed:
    """The stacks of dev, whose databases are in a network, with a shop, a run done and a row in quarantine."""
    source = development.cloud.source_uri
    build(source, orders=30, seed=4)
    execute(source, "UPDATE sales_order SET agreed_delivery_date = 'TBC' WHERE sales_order_id = 4")
    return development


@pytest.fixture(scope="module", autouse=True)
def _loaded(shop: Deployed) -> None:
    ran = typed(shop, "run", "--json")
    assert ran.code == 0, ran.err


def typed(shop: Deployed, *arguments: str) -> Answer:
    """A command as it is typed for an AWS account: of the local cloud it has credentials and the address of AWS."""
    names = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")
    credentials = {name: value for name, value in shop.cloud.variables().items() if name in names}
    return totes(*arguments, "--env", "dev", credentials=credentials)


@pytest.mark.parametrize("role", ["source", "warehouse", "dashboard"])
def test_a_connection_from_outside_the_network_is_refused(shop: Deployed, role: str) -> None:
    deployment = Deployment.local(shop.state)
    secret = deployment.outputs[f"{role.capitalize()}SecretArn"]
    values = json.loads(deployment.secrets.get_secret_value(SecretId=secret)["SecretString"])
    with pytest.raises(psycopg2.OperationalError):
        open_session(values, role).close()
    assert typed(shop, "secrets", "test", role).code == 0, "who is in the network gets in"


def test_a_function_that_the_warehouses_group_does_not_let_in_is_refused(shop: Deployed) -> None:
    ec2 = shop.cloud.client("ec2")
    groups = ec2.describe_security_groups()["SecurityGroups"]
    [warehouse] = [group for group in groups if group["Description"] == "totes dev: The warehouse"]
    rules = {"GroupId": warehouse["GroupId"], "IpPermissions": warehouse["IpPermissions"]}
    ec2.revoke_security_group_ingress(**rules)
    try:
        refused = typed(shop, "status")
        assert refused.code == 1
        assert "the warehouse does not say what it holds: the warehouse cannot be reached" in " ".join(
            refused.out.split()
        )
    finally:
        ec2.authorize_security_group_ingress(**rules)
    assert typed(shop, "status").code == 0


def test_nobody_gets_outside_but_through_an_instance_that_lets_it(shop: Deployed) -> None:
    ec2 = shop.cloud.client("ec2")
    [[instance]] = [each["Instances"] for each in ec2.describe_instances()["Reservations"]]
    name, [group] = instance["InstanceId"], instance["SecurityGroups"]
    [found] = ec2.describe_security_groups(GroupIds=[group["GroupId"]])["SecurityGroups"]
    inward = {"GroupId": group["GroupId"], "IpPermissions": found["IpPermissions"]}
    outward = {"GroupId": group["GroupId"], "IpPermissions": found["IpPermissionsEgress"]}
    [address] = ec2.describe_addresses()["Addresses"]
    assert address["InstanceId"] == name
    hindrances: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "it lets nobody in": (
            lambda: ec2.revoke_security_group_ingress(**inward),
            lambda: ec2.authorize_security_group_ingress(**inward),
        ),
        "it may not speak to the outside": (
            lambda: ec2.revoke_security_group_egress(**outward),
            lambda: ec2.authorize_security_group_egress(**outward),
        ),
        "it drops what is neither from it nor to it": (
            lambda: ec2.modify_instance_attribute(InstanceId=name, SourceDestCheck={"Value": True}),
            lambda: ec2.modify_instance_attribute(InstanceId=name, SourceDestCheck={"Value": False}),
        ),
        "it has no address": (
            lambda: ec2.disassociate_address(PublicIp=address["PublicIp"]),
            lambda: ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=name),
        ),
        "what comes in is blocked in the account, and answers come in": (
            lambda: ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode="block-ingress"),
            lambda: ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode="off"),
        ),
        "it does not run": (
            lambda: ec2.stop_instances(InstanceIds=[name]),
            lambda: ec2.start_instances(InstanceIds=[name]),
        ),
    }
    for hindrance, (hinder, let) in hindrances.items():
        hinder()
        try:
            tried = typed(shop, "secrets", "test", "source")
            assert tried.code == 1, hindrance
            assert typed(shop, "status").code == 0, "the warehouse is in the network"
        finally:
            let()
        assert typed(shop, "secrets", "test", "source").code == 0, hindrance


def test_the_state_of_the_warehouse_is_reported(shop: Deployed) -> None:
    told = typed(shop, "status", "--json")
    assert told.code == 0, told.err
    document = told.json()
    assert document["tables"]["fact_sales_order"]["rows"] == 29
    assert [batch["batch"] for batch in document["batches"]] == [1]
    assert document["quarantine"][0]["key"] == 4
    assert "no batch waits to be loaded" in typed(shop, "status").out


def test_the_warehouse_is_verified_and_repaired(shop: Deployed) -> None:
    equal = typed(shop, "verify", "--json")
    assert equal.code == 0, equal.err
    assert equal.json()["equal"]
    execute(shop.cloud.warehouse_uri, "UPDATE fact_sales_order SET units_sold = 1 WHERE sales_order_id = 5")
    execute(shop.cloud.warehouse_uri, "DELETE FROM dim_design WHERE design_id = 2")
    execute(
        shop.cloud.warehouse_uri,
        "DELETE FROM dim_date WHERE date_id = (SELECT min(agreed_delivery_date) FROM current_sales_order)",
    )
    found = typed(shop, "verify")
    assert found.code == 1
    assert "fact_sales_order: different in units_sold: 5" in found.out
    repaired = typed(shop, "verify", "--repair", "--json")
    assert repaired.code == 0, repaired.err
    assert repaired.json()["equal"]


def test_the_quarantine_is_read_and_tried_again(shop: Deployed) -> None:
    [row] = typed(shop, "quarantine", "list", "--json").json()
    assert (row["star_table"], row["key"]) == ("fact_sales_order", 4)
    assert "TBC" in typed(shop, "quarantine", "show", "fact_sales_order", "4").out
    tried = typed(shop, "quarantine", "retry", "--json")
    assert tried.code == 0, tried.err
    assert tried.json()["tables"]["fact_sales_order"]["quarantined"] == 1


def test_the_warehouse_is_made_again(shop: Deployed) -> None:
    for words in (("rebuild",), ("replay", "--from", "1")):
        made = typed(shop, *words, "--json")
        assert made.code == 0, made.err
        assert made.json()["batches"] >= 1


def test_what_a_run_would_stumble_over_is_looked_at(shop: Deployed) -> None:
    looked = typed(shop, "doctor", "--json")
    assert looked.code == 0, looked.err
    assert [each["subject"] for each in looked.json()] == ["source", "warehouse", "identity", "lake", "alarms"]


def test_the_warehouses_roles_are_made(shop: Deployed) -> None:
    made = typed(shop, "init", "warehouse")
    assert made.code == 0, made.err
