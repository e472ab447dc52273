"""A domain of your own for the dashboard."""

import re
from dataclasses import dataclass

_CERTIFICATE = "arn:aws:acm:us-east-1:[0-9]{12}:certificate/[0-9a-f-]+"


@dataclass(frozen=True, kw_only=True)
class OwnDomain:
    """A domain of your own for the dashboard; your DNS points it to the distribution's name (docs/readers.md).

    Attributes:
        name: such as "dashboard.shop.example".
        certificate_arn: its certificate in ACM; CloudFront only takes one from us-east-1.
    """

    name: str
    certificate_arn: str

    def __post_init__(self) -> None:
        """Refuse a certificate that CloudFront does not take; raise ValueError."""
        if not re.fullmatch(_CERTIFICATE, self.certificate_arn):
            raise ValueError(
                f"{self.certificate_arn!r} is no certificate of ACM in us-east-1, and CloudFront takes no other"
            )
