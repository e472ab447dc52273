import dataclasses
import json
from pathlib import Path

import pytest

from stacks import config
from stacks.server_settings import SERVER_SETTINGS
from stacks.settings.databases import GivenDatabase
from tests.support.templates import Resource, Synthesised, synthesise, synthesise_foundations
from totes.settings import PLACEHOLDER

HOLDS_DATA = ("AWS::S3::Bucket", "AWS::SecretsManager::Secret", "AWS::RDS::DBInstance")


def buckets(synthesised: Synthesised) -> dict[str, Resource]:
    found = synthesised.resources("AWS::S3::Bucket")
    assert len(found) == 3
    return found


def test_buckets_are_private_encrypted_and_owned_by_the_account(synthesised: Synthesised) -> None:
    for bucket in buckets(synthesised).values():
        properties = bucket["Properties"]
        assert properties["PublicAccessBlockConfiguration"] == {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        }
        [encryption] = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
        assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_buckets_are_reached_by_tls_only(synthesised: Synthesised) -> None:
    policies = synthesised.resources("AWS::S3::BucketPolicy").values()
    denied = {
        (
            synthesised.said(policy["Properties"]["Bucket"]),
            synthesised.said(resource),
            json.dumps(statement["Condition"]),
        )
        for policy in policies
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement["Action"] == "s3:*" and statement["Principal"] == {"AWS": "*"}
        for resource in statement["Resource"]
    }
    assert denied == {
        (f"<{bucket}>", f"<{bucket}.Arn>{objects}", condition)
        for bucket in ("IngestionBucket", "ProcessedBucket", "SnapshotsBucket")
        for objects in ("", "/*")
        for condition in (
            '{"Bool": {"aws:SecureTransport": "false"}}',
            '{"NumericLessThan": {"s3:TlsVersion": 1.2}}',
        )
    }


def test_nothing_but_the_denial_of_plain_http_is_in_a_policy_of_the_lake(synthesised: Synthesised) -> None:
    policies = synthesised.templates["data"]["Resources"].values()
    for policy in (each for each in policies if each["Type"] == "AWS::S3::BucketPolicy"):
        assert {each["Effect"] for each in policy["Properties"]["PolicyDocument"]["Statement"]} == {"Deny"}


def test_what_was_overwritten_can_be_brought_back_and_does_not_stay_for_ever(synthesised: Synthesised) -> None:
    for bucket in buckets(synthesised).values():
        assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
        rules = {rule["Id"]: rule for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]}
        assert rules["superseded-versions"]["NoncurrentVersionExpiration"]["NoncurrentDays"] > 0
        assert rules["unfinished-uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}


def test_no_current_object_of_the_lake_expires(synthesised: Synthesised) -> None:
    for bucket in buckets(synthesised).values():
        for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]:
            assert not {"ExpirationInDays", "ExpirationDate", "Transitions"} & set(rule)


def test_production_keeps_its_data_when_the_stack_is_deleted(prod: Synthesised) -> None:
    assert {
        (each["DeletionPolicy"], each["UpdateReplacePolicy"])
        for kind in (*HOLDS_DATA, *("AWS::RDS::DBSubnetGroup", "AWS::RDS::DBParameterGroup"))
        for each in prod.resources(kind).values()
    } == {("RetainExceptOnCreate", "Retain")}, "but for what a first deployment that fails has made"


def test_only_production_refuses_to_be_deleted(dev: Synthesised, prod: Synthesised, local: Synthesised) -> None:
    for part in ("data", "dashboard", "pipeline", "watch"):
        assert prod.stack_properties(part)["terminationProtection"] is True
        assert dev.stack_properties(part)["terminationProtection"] is False
        assert local.stack_properties(part)["terminationProtection"] is False


def test_what_holds_data_keeps_its_logical_id(synthesised: Synthesised) -> None:
    """A new logical id is a new, empty bucket, and the old one is out of the stack's hands."""
    kinds = HOLDS_DATA
    assert {logical_id for kind in kinds for logical_id in synthesised.resources(kind)} == {
        "IngestionBucket3AECAE21",
        "ProcessedBucket745F36E0",
        "SnapshotsBucket4B2233F7",
        "SourceSecret15116B74",
        "WarehouseSecret1B03BB78",
        "DashboardSecretC302725D",
        *(["OwnWarehouseInstance0DD1595F"] if synthesised.name != "local" else []),
    }


def tags(resource: Resource) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in resource["Properties"]["Tags"]}


def roles(synthesised: Synthesised) -> set[str]:
    return {tags(secret)["totes:login"] for secret in synthesised.resources("AWS::SecretsManager::Secret").values()}


def test_a_secret_is_tagged_with_environment_and_role_and_says_how_to_fill_it(synthesised: Synthesised) -> None:
    assert roles(synthesised) == {"source", "warehouse", "dashboard"}
    for secret in synthesised.resources("AWS::SecretsManager::Secret").values():
        assert tags(secret)["totes:environment"] == synthesised.name
        role = tags(secret)["totes:login"]
        assert f"totes init {'warehouse' if role == 'dashboard' else role} makes" in secret["Properties"]["Description"]
        assert f"totes secrets set {role} stores" in secret["Properties"]["Description"]


def test_what_outlives_its_stack_is_in_nobodys_way(synthesised: Synthesised) -> None:
    """A name that a retained resource keeps is one that the next deployment cannot have."""
    named = [
        logical_id
        for kind, name in zip(HOLDS_DATA, ("BucketName", "Name", "DBInstanceIdentifier"), strict=True)
        for logical_id, each in synthesised.resources(kind).items()
        if name in each["Properties"]
    ]
    assert named == []


def test_no_change_makes_a_new_password_unless_it_is_meant(synthesised: Synthesised) -> None:
    """CloudFormation makes another password, and puts the host back to the template's, where these words change.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
    """
    own = synthesised.name != "local"
    for secret in synthesised.resources("AWS::SecretsManager::Secret").values():
        role = tags(secret)["totes:login"]
        generator = secret["Properties"]["GenerateSecretString"]
        host = PLACEHOLDER if role == "source" or not own else "<OwnWarehouseInstance.Endpoint.Address>"
        database = "totesys" if role == "source" else "warehouse"
        assert {word: synthesised.said(said) if "Template" in word else said for word, said in generator.items()} == {
            "SecretStringTemplate": (
                f'{{"engine": "postgres", "host": "{host}", "port": 5432, "username": "totes_{role}", '
                f'"dbname": "{database}", "sslmode": "verify-full"}}'
            ),
            "GenerateStringKey": "password",
            "ExcludePunctuation": True,
            "PasswordLength": 40,
        }
        assert "KmsKeyId" not in secret["Properties"]


def test_a_new_secret_holds_no_known_password_and_says_where_its_database_is(synthesised: Synthesised) -> None:
    own = synthesised.name != "local"
    for secret in synthesised.resources("AWS::SecretsManager::Secret").values():
        generator = secret["Properties"]["GenerateSecretString"]
        template = json.loads(synthesised.said(generator["SecretStringTemplate"]))
        in_ours = own and tags(secret)["totes:login"] != "source"
        assert template["host"] == ("<OwnWarehouseInstance.Endpoint.Address>" if in_ours else PLACEHOLDER)
        assert generator["GenerateStringKey"] == "password"
        assert {"engine", "host", "port", "username", "dbname"} <= set(template)
        assert "password" not in template


def test_data_is_deleted_with_its_stack_only_where_both_keys_are_turned(store: Path) -> None:
    deleting = synthesise_foundations(config.named("dev").deleting_data(), store)
    kinds = ("AWS::S3::Bucket", "AWS::SecretsManager::Secret", "AWS::RDS::DBInstance")
    assert {each["DeletionPolicy"] for kind in kinds for each in deleting.resources(kind).values()} == {"Delete"}
    emptied = deleting.resources("Custom::S3AutoDeleteObjects").values()
    assert {deleting.said(each["Properties"]["BucketName"]) for each in emptied} == {
        "<IngestionBucket>",
        "<ProcessedBucket>",
        "<SnapshotsBucket>",
    }
    with pytest.raises(ValueError, match="prod is protected"):
        config.named("prod").deleting_data()


def test_dev_keeps_its_data_by_default(dev: Synthesised) -> None:
    kinds = ("AWS::S3::Bucket", "AWS::SecretsManager::Secret")
    assert {each["DeletionPolicy"] for kind in kinds for each in dev.resources(kind).values()} == {
        "RetainExceptOnCreate"
    }
    [warehouse] = dev.resources("AWS::RDS::DBInstance").values()
    assert warehouse["DeletionPolicy"] == "Snapshot"
    assert not dev.resources("Custom::S3AutoDeleteObjects")


def test_the_warehouse_is_encrypted_backed_up_private_and_speaks_tls_only(dev: Synthesised, prod: Synthesised) -> None:
    for environment, days, zones in ((dev, 1, False), (prod, 30, True)):
        [warehouse] = environment.resources("AWS::RDS::DBInstance").values()
        properties = warehouse["Properties"]
        assert properties["StorageEncrypted"] is True
        assert properties["PubliclyAccessible"] is False
        assert properties["BackupRetentionPeriod"] == days
        assert properties["MultiAZ"] is zones
        assert properties["DeletionProtection"] is (environment is prod)
        [parameters] = environment.resources("AWS::RDS::DBParameterGroup").values()
        assert parameters["Properties"]["Parameters"] == SERVER_SETTINGS
        assert SERVER_SETTINGS["rds.force_ssl"] == "1"


def test_the_warehouse_stays_on_its_major_version_and_takes_up_minor_ones_by_itself(
    dev: Synthesised, prod: Synthesised
) -> None:
    """AWS stops creating a minor version, and an instance that has gone on by itself cannot go back to it.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_UpgradeDBInstance.PostgreSQL.Minor.html
    """
    for environment in (dev, prod):
        [warehouse] = environment.resources("AWS::RDS::DBInstance").values()
        assert warehouse["Properties"]["EngineVersion"] == "17"
        assert warehouse["Properties"]["AutoMinorVersionUpgrade"] is True
        [parameters] = environment.resources("AWS::RDS::DBParameterGroup").values()
        assert parameters["Properties"]["Family"] == "postgres17"


def test_another_major_version_can_be_deployed_and_comes_only_where_a_person_has_written_it(
    dev: Synthesised, prod: Synthesised
) -> None:
    for environment in (dev, prod):
        [warehouse] = environment.resources("AWS::RDS::DBInstance").values()
        assert warehouse["Properties"]["AllowMajorVersionUpgrade"] is True
        # With it RDS would upgrade the instance by itself, and an instance that is there refuses it.
        assert "EngineLifecycleSupport" not in warehouse["Properties"]


def test_rds_itself_keeps_and_rotates_the_masters_password(prod: Synthesised) -> None:
    [warehouse] = prod.resources("AWS::RDS::DBInstance").values()
    assert warehouse["Properties"]["ManageMasterUserPassword"] is True
    assert "MasterUserPassword" not in warehouse["Properties"]


def test_a_given_databases_own_secret_is_used_and_none_is_made(store: Path) -> None:
    arn = "arn:aws:secretsmanager:eu-west-2:123456789012:secret:shop-AbCdEf"
    given = synthesise(dataclasses.replace(config.named("local"), source=GivenDatabase(secret_arn=arn)), store)
    assert roles(given) == {"warehouse", "dashboard"}
    assert given.function("raw_data_to_ingestion_bucket")["Environment"]["Variables"]["SOURCE_SECRET"] == arn


def test_a_warehouse_of_its_own_needs_a_network(store: Path) -> None:
    lost = dataclasses.replace(config.named("dev"), network=None)
    with pytest.raises(ValueError, match="needs a network"):
        synthesise_foundations(lost, store)


def test_a_secret_says_on_which_port_its_database_listens(store: Path) -> None:
    warehouse = dataclasses.replace(config.named("local").warehouse, port=6432)
    moved = dataclasses.replace(config.named("local"), source=GivenDatabase(port=6433), warehouse=warehouse)
    found = synthesise_foundations(moved, store)
    ports = {
        tags(secret)["totes:login"]: json.loads(secret["Properties"]["GenerateSecretString"]["SecretStringTemplate"])
        for secret in found.resources("AWS::SecretsManager::Secret").values()
    }
    assert {role: template["port"] for role, template in ports.items()} == {
        "source": 6433,
        "warehouse": 6432,
        "dashboard": 6432,
    }
