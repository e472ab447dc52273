"""The authorities that sign RDS's servers are those of every region, and no others."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from stacks.certificates import built_certificates, certified_regions, check_region

OF_AWS = "e5bb2084ccf45087bda1c9bffdea0eb15ee67f0b91646106e466714f9de3c7e3"
"""SHA-256 of https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem as others have got it from AWS, too.

https://github.com/block/blip/pull/183
"""


def bundle() -> bytes:
    return (built_certificates() / "python" / "rds_certificates" / "bundle.pem").read_bytes()


def test_the_bundle_is_the_one_of_aws_byte_for_byte() -> None:
    assert hashlib.sha256(bundle()).hexdigest() == OF_AWS


def test_every_certificate_is_an_authority_of_rds_own_and_will_not_end_soon() -> None:
    for each in x509.load_pem_x509_certificates(bundle()):
        [name] = each.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        assert str(name.value).startswith("Amazon RDS ")
        assert each.subject == each.issuer
        assert each.not_valid_after_utc > datetime.now(UTC) + timedelta(days=365)


@pytest.mark.parametrize(
    "region",
    [
        *("af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3"),
        *("ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4"),
        *("ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "eu-central-1"),
        *("eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3"),
        *("il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1"),
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2"),
    ],
)
def test_a_warehouse_can_be_in_any_region_of_the_partition_aws(region: str) -> None:
    assert region in certified_regions()
    check_region(region)


@pytest.mark.parametrize("region", ["us-gov-west-1", "us-gov-east-1", "cn-north-1", "cn-northwest-1"])
def test_a_region_of_another_partition_is_refused_with_what_to_do(region: str) -> None:
    """AWS keeps bundles of their own for them, which no package carries."""
    with pytest.raises(ValueError, match=f"region {region}: .*deploy to another region, or .*--sslrootcert FILE"):
        check_region(region)
