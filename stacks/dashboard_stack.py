"""The dashboard's stack: where its snapshots and its page are kept, what serves the page, and who may read."""

from constructs import Construct

from stacks.constructs.handed_dashboard import HandedDashboard
from stacks.constructs.private_bucket import PrivateBucket
from stacks.constructs.sign_in import SignIn
from stacks.constructs.site import Site
from stacks.environment import Environment
from stacks.stack import TotesStack

_ELSEWHERE = ("us-gov-", "cn-", "eusc-")
"""How names of regions begin that are of GovCloud, of China and of the European Sovereign Cloud.

https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-cog.html,
https://docs.amazonaws.cn/en_us/aws/latest/userguide/cognito.html
"""


class DashboardStack(TotesStack):
    """The bucket that the publisher fills: the snapshots below `data/`, the page below `site/`.

    A distribution serves the page to everybody. A browser reads the snapshots from the bucket itself, after somebody
    has signed in.

    Attributes:
        bucket: the bucket.
        handed: what the other stacks take of it.
    """

    def __init__(self, scope: Construct, environment: Environment) -> None:
        super().__init__(
            scope, "dashboard", environment=environment, description="totes: the dashboard's snapshots and its page"
        )
        self.bucket = PrivateBucket(self, "Snapshots", environment=environment).bucket
        site = Site(self, "Site", environment=environment, bucket=self.bucket)
        sign_in = SignIn(self, "SignIn", environment=environment, bucket=self.bucket, address=site.address)
        self.output(
            {
                "DashboardAddress": f"https://{site.address}/",
                "DashboardDistribution": site.distribution,
                "DashboardBucket": self.bucket.bucket_name,
                "UserPool": sign_in.users,
                "UserPoolClient": sign_in.client,
                "IdentityPool": sign_in.identities,
            }
        )
        self.handed = HandedDashboard(
            bucket=self.hand_over("Bucket", self.bucket.bucket_name),
            user_pool=self.hand_over("UserPool", sign_in.users),
            user_pool_client=self.hand_over("UserPoolClient", sign_in.client),
            identity_pool=self.hand_over("IdentityPool", sign_in.identities),
        )


def check_dashboard_region(region: str) -> None:
    """Make sure that the dashboard can work in a region.

    Raises:
        ValueError: it cannot: CloudFront is not there, or another one, and Cognito, where it is there, has other
            names than the page and the reader's role know.
    """
    if region.startswith(_ELSEWHERE):
        raise ValueError(
            f"region {region}: the dashboard needs the CloudFront and the Cognito of AWS's common regions; set "
            "dashboard=False in stacks/config.py, or deploy to another region"
        )
