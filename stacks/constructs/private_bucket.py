"""A bucket of the lake, or of what is published from the warehouse."""

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.checks import acknowledge
from stacks.environment import Environment


class PrivateBucket(Construct):
    """A bucket that is private, encrypted, reached by TLS only, and keeps overwritten and deleted versions for a while.

    Attributes:
        bucket: the bucket.
    """

    def __init__(self, scope: Construct, id: str, *, environment: Environment) -> None:  # noqa: A002 - CDK's word
        super().__init__(scope, id)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="superseded-versions",
                    noncurrent_version_expiration=cdk.Duration.days(environment.superseded_days),
                    expired_object_delete_marker=True,
                ),
                s3.LifecycleRule(id="unfinished-uploads", abort_incomplete_multipart_upload_after=cdk.Duration.days(7)),
            ],
            removal_policy=environment.data_removal,
            auto_delete_objects=environment.deletes_data,
        )
        acknowledge(
            self.bucket,
            "S1",
            reason="Server access logs would need a bucket of their own. Besides the functions' roles only those read "
            "this one whom somebody has let in: readers of the dashboard, and of the star in Athena. CloudTrail's data "
            "events, which an account switches on, say who has read which object.",
        )
