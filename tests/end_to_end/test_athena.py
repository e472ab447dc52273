"""Switched on by a deployment, a run lists what Athena reads; as Glue was told, that is what the warehouse holds."""

import base64
import dataclasses
import json
from pathlib import Path
from typing import Any

from command_line.deployment import Deployment
from simulator import Shop, build
from stacks import config
from tests.end_to_end.conftest import Deployed
from tests.support.athena import Reader, in_warehouse
from tests.support.databases import execute, value
from tests.support.deploying import deploy, said, synthesised
from totes.athena import FOLDER, Field, Kept, View
from totes.lake import Bucket
from totes.star import READABLE


def told(glue: Any, bucket: str) -> tuple[list[Kept], list[View]]:
    """The tables and views, as Glue was told of them."""
    tables, views = [], []
    for page in glue.get_paginator("get_tables").paginate(DatabaseName="totes_local"):
        for table in page["TableList"]:
            storage = table["StorageDescriptor"]
            fields = [Field(name=column["Name"], type=column["Type"]) for column in storage["Columns"]]
            if table["TableType"] == "VIRTUAL_VIEW":
                encoded = table["ViewOriginalText"].removeprefix("/* Presto View: ").removesuffix(" */")
                query = json.loads(base64.b64decode(encoded))["originalSql"]
                views.append(View(name=table["Name"], fields=fields, meaning="", sql=query))
            else:
                folder = storage["Location"].removeprefix(f"s3://{bucket}/{FOLDER}/").rstrip("/")
                tables.append(Kept(name=table["Name"], folder=folder, fields=fields, meaning=""))
    return tables, views


def test_the_star_is_shown_in_athena_where_a_deployment_says_so(deployed: Deployed, tmp_path: Path) -> None:
    cloud = deployed.cloud
    build(cloud.source_uri, orders=30, seed=3)
    deployed.run()
    environment = dataclasses.replace(config.named("local"), athena=True)
    on = deploy(cloud, synthesised(cloud, tmp_path / "on", environment))
    assert on.returncode == 0, said(on)

    Shop(cloud.source_uri, seed=3).trade(20)
    execute(cloud.source_uri, "DELETE FROM payment WHERE payment_id = 5")
    deployed.run()
    name = Deployment.local(deployed.state).outputs["ProcessedBucket"]
    tables, views = told(cloud.client("glue"), name)
    lists = Bucket(name, cloud.client("s3"))
    found = Reader(tmp_path / "files", lists).read(tables, views)
    assert {name: found[name] for name in READABLE} == in_warehouse(cloud.warehouse_uri)
    assert [row[0] for row in found["dim_design_versions"]] != []
    assert any(row[-1] for row in found["fact_payment"])

    cloud.client("s3").put_object(Bucket=name, Key=f"{FOLDER}/listed.json", Body=b"no JSON")
    execute(cloud.source_uri, "UPDATE payment SET paid = NOT paid WHERE payment_id = 6")
    failed = deployed.totes("run")
    assert failed.code == 1
    assert "Transform.NotListed: the warehouse is loaded, but not the lists that Athena reads" in failed.out
    assert value(cloud.warehouse_uri, "SELECT count(*) FROM fact_payment WHERE payment_id = 6") == 2
    cloud.client("s3").delete_object(Bucket=name, Key=f"{FOLDER}/listed.json")
    assert deployed.totes("run").code == 0
    found = Reader(tmp_path / "again", lists).read(tables, views)
    assert {name: found[name] for name in READABLE} == in_warehouse(cloud.warehouse_uri)

    off = deploy(cloud, synthesised(cloud, tmp_path / "off", dataclasses.replace(environment, athena=False)))
    assert off.returncode == 0, said(off)
    assert cloud.client("glue").get_databases()["DatabaseList"] == []
