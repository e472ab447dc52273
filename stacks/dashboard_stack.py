"""The dashboard's stack: where its snapshots and its page are kept."""

from constructs import Construct

from stacks.config import Environment
from stacks.parts.handed_dashboard import HandedDashboard
from stacks.parts.private_bucket import PrivateBucket
from stacks.stack import TotesStack


class DashboardStack(TotesStack):
    """The bucket that the publisher fills: the snapshots below `data/`, the page below `site/`.

    Attributes:
        bucket: the bucket.
        handed: all of it as the other stacks have it.
    """

    def __init__(self, scope: Construct, environment: Environment) -> None:
        super().__init__(
            scope, "dashboard", environment=environment, description="totes: the dashboard's snapshots and its page"
        )
        self.bucket = PrivateBucket(self, "Snapshots", environment=environment).bucket
        self.tell({"DashboardBucket": self.bucket.bucket_name})
        self.handed = HandedDashboard(bucket=self.hand_over("Bucket", self.bucket.bucket_name))
