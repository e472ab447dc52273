"""What it costs to serve the dashboard's page, and to know who reads it."""

from costs import assumptions, prices
from costs.charge import Charge
from costs.runs import Runs
from costs.templates import TemplateResource

_MB_A_GB = 1024


def distribution(_: TemplateResource, __: Runs) -> list[Charge]:
    """AWS::CloudFront::Distribution: the requests for the page, and what is sent."""
    return [
        Charge(assumptions.LOOKS * assumptions.PAGE_REQUESTS_A_LOOK, prices.CLOUDFRONT_REQUEST),
        Charge(assumptions.LOOKS * assumptions.MB_OF_PAGE_A_LOOK / _MB_A_GB, prices.CLOUDFRONT_DATA),
    ]


def user_pool(_: TemplateResource, __: Runs) -> list[Charge]:
    """AWS::Cognito::UserPool: whoever signs in at least once a month."""
    return [Charge(assumptions.READERS, prices.ACTIVE_USER)]
