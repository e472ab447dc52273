"""The dashboard's bucket, and how people sign in, in the stacks that are deployed after its own."""

from dataclasses import dataclass

from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.stack import Handed, TotesStack


@dataclass(frozen=True, kw_only=True)
class HandedDashboard:
    """What the dashboard's stack hands over.

    Attributes:
        bucket: the name of the bucket of snapshots and page.
        user_pool, user_pool_client, identity_pool: the ids of what a browser signs in with to read the snapshots.
    """

    bucket: Handed
    user_pool: Handed
    user_pool_client: Handed
    identity_pool: Handed


class TakenDashboard(Construct):
    """The dashboard's bucket in a stack that is deployed after its own.

    Attributes:
        bucket: the bucket.
        user_pool, user_pool_client, identity_pool: the ids of what a browser signs in with to read the snapshots.
    """

    def __init__(self, stack: TotesStack, handed: HandedDashboard) -> None:
        super().__init__(stack, "TakenDashboard")
        self.bucket = s3.Bucket.from_bucket_name(self, "Snapshots", stack.take(handed.bucket))
        self.user_pool, self.user_pool_client, self.identity_pool = map(
            stack.take, (handed.user_pool, handed.user_pool_client, handed.identity_pool)
        )
