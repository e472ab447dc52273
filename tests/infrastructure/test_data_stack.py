import json

from tests.support.templates import Resource, Synthesised
from totes.settings import PLACEHOLDER


def buckets(synthesised: Synthesised) -> dict[str, Resource]:
    found = synthesised.resources("AWS::S3::Bucket")
    assert len(found) == 2
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
        for bucket in ("IngestionBucket", "ProcessedBucket")
        for objects in ("", "/*")
        for condition in (
            '{"Bool": {"aws:SecureTransport": "false"}}',
            '{"NumericLessThan": {"s3:TlsVersion": 1.2}}',
        )
    }


def test_nothing_but_the_denial_of_plain_http_is_in_a_bucket_policy(synthesised: Synthesised) -> None:
    for policy in synthesised.resources("AWS::S3::BucketPolicy").values():
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
        for kind in ("AWS::S3::Bucket", "AWS::SecretsManager::Secret")
        for each in prod.resources(kind).values()
    } == {("Retain", "Retain")}


def test_only_production_refuses_to_be_deleted(dev: Synthesised, prod: Synthesised, local: Synthesised) -> None:
    for part in ("data", "pipeline"):
        assert prod.stack_properties(part)["terminationProtection"] is True
        assert dev.stack_properties(part)["terminationProtection"] is False
        assert local.stack_properties(part)["terminationProtection"] is False


def test_what_holds_data_keeps_its_logical_id(synthesised: Synthesised) -> None:
    """A new logical id is a new, empty bucket, and the old one is out of the stack's hands."""
    kinds = ("AWS::S3::Bucket", "AWS::SecretsManager::Secret")
    assert {logical_id for kind in kinds for logical_id in synthesised.resources(kind)} == {
        "IngestionBucket3AECAE21",
        "ProcessedBucket745F36E0",
        "SourceSecret15116B74",
        "WarehouseSecret1B03BB78",
    }


def test_a_secret_is_named_after_environment_and_role_and_says_how_to_fill_it(synthesised: Synthesised) -> None:
    secrets = {
        each["Properties"]["Name"]: each["Properties"]["Description"]
        for each in synthesised.resources("AWS::SecretsManager::Secret").values()
    }
    assert set(secrets) == {f"totes/{synthesised.name}/source", f"totes/{synthesised.name}/warehouse"}
    for name, description in secrets.items():
        assert f"put-secret-value --secret-id {name}" in description


def test_a_new_secret_is_recognised_as_not_filled_in_and_holds_no_known_password(synthesised: Synthesised) -> None:
    for secret in synthesised.resources("AWS::SecretsManager::Secret").values():
        generator = secret["Properties"]["GenerateSecretString"]
        template = json.loads(generator["SecretStringTemplate"])
        assert template["host"] == PLACEHOLDER
        assert generator["GenerateStringKey"] == "password"
        assert {"engine", "host", "port", "username", "dbname"} <= set(template)
        assert "password" not in template
