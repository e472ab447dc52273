"""Each procedure of docs/disasters.md, done as it is written, with the real cdk CLI, on the stacks of dev.

What RDS does to the content of an instance the tests do to the embedded server: it is the only server that there is.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from botocore.exceptions import ClientError
from psycopg2.extensions import make_dsn, parse_dsn

import local_cloud
from command_line.deployment import Deployment
from local_cloud import cdk
from local_cloud.databases import login
from local_cloud.network import inside
from simulator import build
from stacks import config
from stacks.settings.databases import GivenDatabase, OwnDatabase
from stacks.settings.generations import Lake
from stacks.settings.networks import NewNetwork
from tests.end_to_end.conftest import Deployed
from tests.support.before import assembly_of_before
from tests.support.content import content_of
from tests.support.databases import execute, value
from tests.support.deploying import deploy, said, synthesised

VERSIONS = "SELECT count(*) FROM public.fact_payment"

KEEPING = cdk.PROJECT / "docs" / "disasters.md"
"""It has the statements by which a given warehouse is kept where it is."""


class Server:
    """The server of the warehouse, which is what RDS's instance is in AWS."""

    def __init__(self, shop: Deployed) -> None:
        self._shop = shop
        self._admin = make_dsn(shop.cloud.warehouse_uri, dbname="postgres")
        self._database = parse_dsn(shop.cloud.warehouse_uri)["dbname"]

    def _do(self, *statements: str) -> None:
        with closing(psycopg2.connect(self._admin)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            for statement in statements:
                cursor.execute(statement)

    def keep(self, name: str) -> str:
        """A snapshot is taken: what is in the database now is kept, under a name; return where."""
        self._do(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self._database}'",
            f"CREATE DATABASE {name} TEMPLATE {self._database}",
        )
        return make_dsn(self._admin, dbname=name)

    def is_lost(self) -> None:
        """All that is in it is lost, its roles too."""
        self._do(f"DROP DATABASE {self._database} WITH (FORCE)", f"CREATE DATABASE {self._database}")
        self._do("ALTER ROLE totes_warehouse PASSWORD NULL", "ALTER ROLE totes_dashboard PASSWORD NULL")

    def is_restored(self) -> None:
        """It is what was kept, with the passwords of that time."""
        self._do(f"DROP DATABASE {self._database} WITH (FORCE)")
        self._do(f"CREATE DATABASE {self._database} TEMPLATE kept")
        self._do("ALTER ROLE totes_warehouse PASSWORD 'of then'", "ALTER ROLE totes_dashboard PASSWORD 'of then'")

    def is_instance(self) -> None:
        """It is the newest instance: the master's secret has its superuser, and the instance's name leads to it."""
        secrets = self._shop.cloud.client("secretsmanager")
        master = inside(login(self._shop.cloud.warehouse_uri, "warehouse"), "warehouse")
        outputs = Deployment.local(self._shop.state).outputs
        listed = secrets.list_secrets(Filters=[{"Key": "name", "Values": ["rds!"]}])["SecretList"]
        for each in listed:
            secrets.put_secret_value(SecretId=each["ARN"], SecretString=json.dumps(master))
        place = {word: said for word, said in master.items() if word not in {"username", "password"}}
        for role in ("Warehouse", "Dashboard"):
            arn = outputs[f"{role}SecretArn"]
            values = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
            secrets.put_secret_value(SecretId=arn, SecretString=json.dumps({**values, **place}))


class Rehearsal:
    """A deployed environment with a loaded warehouse, whose configuration is changed and deployed again and again."""

    def __init__(self, shop: Deployed, folder: Path) -> None:
        self.shop = shop
        self.server = Server(shop)
        self._folder = folder
        self._environment = config.named("dev").on_this_machine()
        self._number = 0

    def synthesise(self, **changes: Any) -> Path:
        """What stacks/config.py says with all changes so far, and these."""
        self._environment = replace(self._environment, **changes)
        self._number += 1
        return synthesised(self.shop.cloud, self._folder / str(self._number), self._environment)

    def warehouse(self, **changes: Any) -> OwnDatabase:
        """The warehouse of the configuration, with changes."""
        configured = config.named("dev").warehouse
        assert isinstance(configured, OwnDatabase)
        return replace(configured, **changes)

    def deploy(self, **changes: Any) -> None:
        done = deploy(self.shop.cloud, self.synthesise(**changes))
        assert done.returncode == 0, said(done)[-3000:]

    def instances(self) -> list[str]:
        found = self.shop.cloud.client("rds").describe_db_instances()["DBInstances"]
        return [instance["DBInstanceIdentifier"] for instance in found]

    def snapshots(self) -> set[str]:
        """Those that RDS keeps until somebody deletes them."""
        found = self.shop.cloud.client("rds").describe_db_snapshots()["DBSnapshots"]
        return {each["DBSnapshotIdentifier"] for each in found if not each["DBSnapshotIdentifier"].startswith("rds:")}

    def outputs(self) -> dict[str, str]:
        return dict(Deployment.local(self.shop.state).outputs)

    def type(self, *words: str) -> None:
        """Type a command that has to succeed."""
        answer = self.shop.totes(*words)
        assert answer.code == 0, answer.err + answer.out

    def watched(self) -> str:
        """The instance whose disk an alarm watches."""
        client = self.shop.cloud.client("cloudwatch")
        [alarm] = client.describe_alarms(AlarmNames=["totes-dev-warehouse-storage"])["MetricAlarms"]
        [dimension] = alarm["Dimensions"]
        return str(dimension["Value"])


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    folder = tmp_path_factory.mktemp("disasters")
    running = local_cloud.up(folder / "state", source=None, warehouse=None, say=lambda _: None, environment="dev")
    shop = Deployed(running, folder / "state")
    build(running.source_uri, orders=20, seed=2)
    shop.run()
    execute(running.source_uri, "UPDATE payment SET paid = NOT paid WHERE payment_id = 4")
    shop.run()
    yield Rehearsal(shop, folder)
    local_cloud.down(folder / "state")


def test_an_environment_of_before_is_taken_up(rehearsal: Rehearsal, tmp_path: Path) -> None:
    shop = rehearsal.shop
    without = replace(config.named("dev").on_this_machine(), dashboard=False)  # there was none then
    before = deploy(
        shop.cloud, assembly_of_before(synthesised(shop.cloud, tmp_path / "1", without), tmp_path / "before")
    )
    assert before.returncode == 0, said(before)[-3000:]
    template = shop.cloud.client("cloudformation").get_template(StackName="totes-dev-pipeline")["TemplateBody"]
    assert "Fn::ImportValue" in json.dumps(template)

    second = replace(config.named("dev").on_this_machine(), warehouse=rehearsal.warehouse(generation=2))
    too_much_at_once = deploy(shop.cloud, synthesised(shop.cloud, tmp_path / "2", second))
    assert too_much_at_once.returncode != 0
    assert "as it is in use by totes-dev-" in said(too_much_at_once)
    assert len(rehearsal.instances()) == 1, "all is as it was, but for the logins' passwords, which are made again"
    assert len(rehearsal.snapshots()) == 1, "and a last snapshot of the one that was just made"
    rehearsal.server.is_instance()
    rehearsal.type("init", "warehouse")
    assert shop.run()["batch"] is None

    rehearsal.deploy(mass_deletion_percent=20)
    template = shop.cloud.client("cloudformation").get_template(StackName="totes-dev-pipeline")["TemplateBody"]
    assert "Fn::ImportValue" not in json.dumps(template)
    assert shop.run()["batch"] is None


def test_a_lost_warehouse_is_made_again(rehearsal: Rehearsal) -> None:
    lost = content_of(rehearsal.shop.cloud.warehouse_uri)
    [instance] = rehearsal.instances()
    rehearsal.shop.cloud.client("rds").delete_db_instance(DBInstanceIdentifier=instance, SkipFinalSnapshot=True)
    rehearsal.server.is_lost()
    rehearsal.deploy()
    assert rehearsal.instances() == [], "CloudFormation makes nothing again"

    rehearsal.deploy(warehouse=rehearsal.warehouse(generation=2))
    rehearsal.server.is_instance()
    rehearsal.type("init", "warehouse")
    rehearsal.type("secrets", "test", "warehouse")
    rehearsal.type("rebuild")
    assert content_of(rehearsal.shop.cloud.warehouse_uri) == lost
    assert [rehearsal.watched()] == rehearsal.instances()
    assert rehearsal.shop.run()["batch"] is None


def test_the_warehouse_listens_at_another_port(rehearsal: Rehearsal) -> None:
    now, instances = content_of(rehearsal.shop.cloud.warehouse_uri), rehearsal.instances()
    secrets, arn = rehearsal.shop.cloud.client("secretsmanager"), rehearsal.outputs()["WarehouseSecretArn"]
    before = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
    rehearsal.deploy(warehouse=rehearsal.warehouse(generation=2, port=5433))
    assert rehearsal.instances() == instances
    after = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
    assert after["port"] == 5433
    assert after["password"] != before["password"]

    rehearsal.server.is_instance()
    rehearsal.type("init", "warehouse")
    rehearsal.type("secrets", "test", "warehouse")
    assert rehearsal.shop.run()["batch"] is None
    assert content_of(rehearsal.shop.cloud.warehouse_uri) == now


def test_a_warehouse_is_restored_from_a_snapshot(rehearsal: Rehearsal) -> None:
    [instance] = rehearsal.instances()
    rds = rehearsal.shop.cloud.client("rds")
    before = rehearsal.snapshots()
    rds.create_db_snapshot(DBInstanceIdentifier=instance, DBSnapshotIdentifier="kept")
    rehearsal.server.keep("kept")
    execute(rehearsal.shop.cloud.source_uri, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    rehearsal.shop.run()
    now = content_of(rehearsal.shop.cloud.warehouse_uri)
    execute(rehearsal.shop.cloud.warehouse_uri, "DELETE FROM fact_payment")

    rehearsal.deploy(warehouse=rehearsal.warehouse(generation=3, snapshot="kept"))
    rehearsal.server.is_restored()
    rehearsal.server.is_instance()
    rehearsal.type("init", "warehouse")
    rehearsal.type("secrets", "test", "warehouse")
    rehearsal.type("run")
    assert content_of(rehearsal.shop.cloud.warehouse_uri) == now, "what came after the snapshot is loaded again"
    assert rehearsal.instances() != [instance]
    by_hand_and_last = rehearsal.snapshots() - before
    assert len(by_hand_and_last) == 2, "of the old one dev keeps a last snapshot"


def test_a_network_is_replaced_and_the_warehouse_with_it(rehearsal: Rehearsal) -> None:
    now = content_of(rehearsal.shop.cloud.warehouse_uri)
    rehearsal.deploy(
        network=NewNetwork(cidr="10.30.0.0/20", generation=4),
        warehouse=rehearsal.warehouse(generation=4),
    )
    rehearsal.server.is_lost()
    rehearsal.server.is_instance()
    rehearsal.type("init", "warehouse")
    rehearsal.type("rebuild")
    assert content_of(rehearsal.shop.cloud.warehouse_uri) == now
    cloudformation = rehearsal.shop.cloud.client("cloudformation")
    cloudformation.delete_stack(StackName="totes-dev-network")
    with pytest.raises(ClientError, match="does not exist"):
        cloudformation.describe_stacks(StackName="totes-dev-network")
    assert rehearsal.shop.run()["batch"] is None


def newest_manifest(client: Any, bucket: str) -> str:
    found = client.list_objects_v2(Bucket=bucket, Prefix="manifests/", MaxKeys=1)
    return str(found["Contents"][0]["Key"])


def test_a_bucket_that_was_put_back_alone_gets_its_newest_manifest_again(rehearsal: Rehearsal) -> None:
    running, bucket = rehearsal.shop.cloud, rehearsal.outputs()["IngestionBucket"]
    client = running.client("s3")
    lost = newest_manifest(client, bucket)
    client.delete_object(Bucket=bucket, Key=lost)
    for _ in ("given again", "that follows it"):
        execute(running.source_uri, "UPDATE payment SET paid = NOT paid WHERE payment_id < 4")
        answer = rehearsal.shop.totes("run")
        assert answer.code == 1
        assert "a bucket was put back alone" in " ".join((answer.err + answer.out).split())
    [ours] = [
        each["VersionId"]
        for each in client.list_object_versions(Bucket=bucket, Prefix=lost)["Versions"]
        if not each["IsLatest"]
    ]
    source = {"Bucket": bucket, "Key": lost, "VersionId": ours}
    client.copy_object(Bucket=bucket, Key=lost, CopySource=source)
    newest = newest_manifest(client, bucket)
    assert newest != lost
    client.delete_object(Bucket=bucket, Key=newest)
    rehearsal.type("run")
    rehearsal.type("verify")


def test_both_buckets_that_were_put_back_get_their_newest_manifests_again(rehearsal: Rehearsal) -> None:
    running, outputs = rehearsal.shop.cloud, rehearsal.outputs()
    client, buckets = running.client("s3"), [outputs["IngestionBucket"], outputs["ProcessedBucket"]]
    lost = {bucket: newest_manifest(client, bucket) for bucket in buckets}
    ours = {bucket: client.head_object(Bucket=bucket, Key=key)["VersionId"] for bucket, key in lost.items()}
    for bucket, key in lost.items():
        client.delete_object(Bucket=bucket, Key=key)
    assert rehearsal.shop.totes("doctor").code == 1
    for _ in ("given again", "that follows it"):
        execute(running.source_uri, "UPDATE payment SET paid = NOT paid WHERE payment_id < 4")
        answer = rehearsal.shop.totes("run")
        assert answer.code == 1
        assert "both buckets were put back" in " ".join((answer.err + answer.out).split())
    for bucket, key in lost.items():
        source = {"Bucket": bucket, "Key": key, "VersionId": ours[bucket]}
        client.copy_object(Bucket=bucket, Key=key, CopySource=source)
        newest = newest_manifest(client, bucket)
        assert newest != key
        client.delete_object(Bucket=bucket, Key=newest)
    rehearsal.type("run")
    rehearsal.type("verify")


def test_a_lost_bucket_of_star_rows_is_filled_again(rehearsal: Rehearsal) -> None:
    now = content_of(rehearsal.shop.cloud.warehouse_uri)
    lost = rehearsal.outputs()["ProcessedBucket"]
    delete_by_hand(rehearsal, lost)
    rehearsal.deploy(lake=Lake(processed=2))
    assert rehearsal.outputs()["ProcessedBucket"] != lost
    rehearsal.type("run")
    rehearsal.type("verify")
    assert content_of(rehearsal.shop.cloud.warehouse_uri) == now


def test_a_lost_lake_begins_again_beside_what_is_kept_of_the_warehouse(rehearsal: Rehearsal) -> None:
    outputs = rehearsal.outputs()
    for bucket in ("IngestionBucket", "ProcessedBucket"):
        delete_by_hand(rehearsal, outputs[bucket])
    rehearsal.deploy(lake=Lake(ingestion=2, processed=3))
    refused = rehearsal.shop.totes("run")
    assert refused.code == 1
    assert "was filled from another lake" in " ".join((refused.err + refused.out).split())
    [instance] = rehearsal.instances()
    rehearsal.shop.cloud.client("rds").create_db_snapshot(DBInstanceIdentifier=instance, DBSnapshotIdentifier="history")
    history = rehearsal.server.keep("history")
    versions = value(history, VERSIONS)

    rehearsal.deploy(warehouse=rehearsal.warehouse(generation=5))
    rehearsal.server.is_lost()
    rehearsal.server.is_instance()
    rehearsal.type("init", "warehouse")
    rehearsal.type("run")
    rehearsal.type("verify")
    assert value(rehearsal.shop.cloud.warehouse_uri, VERSIONS) < versions, "the history is in what was kept alone"
    assert value(history, VERSIONS) == versions
    assert rehearsal.shop.run()["batch"] is None


def test_a_warehouse_moves_to_a_given_one(rehearsal: Rehearsal) -> None:
    now = content_of(rehearsal.shop.cloud.warehouse_uri)
    admin = make_dsn(rehearsal.shop.cloud.warehouse_uri, dbname="given")
    execute_alone(rehearsal, "CREATE DATABASE given")
    rehearsal.deploy(warehouse=GivenDatabase())
    assert "PrepareFunction" not in rehearsal.outputs(), "a function that is not needed any longer goes"
    rehearsal.type("init", "warehouse", "--admin", admin, "--yes")
    ask_no_tls(rehearsal)
    rehearsal.type("secrets", "test", "warehouse")
    rehearsal.type("rebuild")
    assert content_of(admin) == now
    assert rehearsal.shop.run()["batch"] is None
    assert rehearsal.instances() == []


def test_a_lost_lake_begins_again_in_a_given_warehouse_beside_what_is_kept_there(rehearsal: Rehearsal) -> None:
    """It follows the warehouse's move to a given one."""
    given = make_dsn(rehearsal.shop.cloud.warehouse_uri, dbname="given")
    execute(rehearsal.shop.cloud.source_uri, "UPDATE payment SET paid = NOT paid WHERE payment_id = 6")
    rehearsal.shop.run()
    history = value(given, VERSIONS)
    outputs = rehearsal.outputs()
    for bucket in ("IngestionBucket", "ProcessedBucket"):
        delete_by_hand(rehearsal, outputs[bucket])

    execute(given, KEEPING.read_text().split("```sql")[1].split("```")[0])
    rehearsal.deploy(lake=Lake(ingestion=3, processed=4))
    rehearsal.type("init", "warehouse", "--admin", given, "--yes")
    rehearsal.type("run")
    rehearsal.type("verify")
    assert value(given, VERSIONS) < history
    assert value(given, VERSIONS.replace("public", "kept")) == history
    sold = "SELECT sum(orders) FROM {}.sales_by_day"
    assert value(given, sold.format("report")) == value(given, "SELECT count(*) FROM current_sales_order")
    assert value(given, sold.format("kept_report")) > 0
    assert rehearsal.shop.run()["batch"] is None


def test_a_lost_region_is_deployed_again_in_another(rehearsal: Rehearsal, tmp_path: Path) -> None:
    """Another region is another cloud, in which nothing is but the source's address."""
    state = tmp_path / "elsewhere"
    source = rehearsal.shop.cloud.source_uri
    running = local_cloud.up(state, source=source, warehouse=None, say=lambda _: None, environment="dev")
    try:
        elsewhere = Deployed(running, state)
        assert elsewhere.run()["batch"] == 1
        assert elsewhere.totes("verify").code == 0
    finally:
        local_cloud.down(state)


def delete_by_hand(rehearsal: Rehearsal, bucket: str) -> None:
    client: Any = rehearsal.shop.cloud.client("s3")
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for found in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
            client.delete_object(Bucket=bucket, Key=found["Key"], VersionId=found["VersionId"])
    client.delete_bucket(Bucket=bucket)


def ask_no_tls(rehearsal: Rehearsal) -> None:
    """The embedded server shows no certificate, which a given one does."""
    secrets, arn = rehearsal.shop.cloud.client("secretsmanager"), rehearsal.outputs()["WarehouseSecretArn"]
    values = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
    secrets.put_secret_value(SecretId=arn, SecretString=json.dumps({**values, "sslmode": "disable"}))


def execute_alone(rehearsal: Rehearsal, statement: str) -> None:
    rehearsal.server._do(statement)
