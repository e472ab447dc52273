"""The dashboard's page, from a folder of its bucket to a browser."""

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.checks import acknowledge
from stacks.environment import Environment
from totes.names import SITE

_HSTS = cdk.Duration.days(730)
_PREFLIGHT_SECONDS = 3600
_SIGNED = ("authorization", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token")
"""The headers of a signed request: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html"""

_UNUSED = ("accelerometer", "camera", "geolocation", "gyroscope", "magnetometer", "microphone", "payment", "usb")


class Site(Construct):
    """A distribution that serves one folder of a bucket by HTTPS, with headers that allow only what the page needs.

    That folder holds only the page, so nobody has to sign in for it: a browser reads the data from the bucket itself,
    with credentials.

    Attributes:
        address: its address, without https://.
        distribution: the name that CloudFront gives it; the DNS of a domain of your own points there.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's word
        *,
        environment: Environment,
        bucket: s3.Bucket,
    ) -> None:
        super().__init__(scope, id)
        region, domain = cdk.Stack.of(self).region, environment.dashboard_domain
        # Both names are unique in all regions of an account, and one environment may be deployed in two regions.
        name = f"totes-{environment.name}-{region}"
        access = cloudfront.S3OriginAccessControl(self, "Access", origin_access_control_name=name)
        headers = self._headers(name, region, bucket)
        distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=f"totes {environment.name}: the dashboard's page",
            default_root_object="index.html",
            domain_names=[domain.name] if domain else None,
            certificate=(
                acm.Certificate.from_certificate_arn(self, "Certificate", domain.certificate_arn) if domain else None
            ),
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021 if domain else None,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            price_class=cloudfront.PriceClass.PRICE_CLASS_100,
            default_behavior=cloudfront.BehaviorOptions(
                # The regional name: in a bucket's first hours S3 redirects requests to the global one.
                origin=origins.S3BucketOrigin.with_bucket_defaults(
                    bucket,
                    origin_path=f"/{SITE.removesuffix('/')}",
                    origin_access_control_id=access.origin_access_control_id,
                ),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                allowed_methods=cloudfront.AllowedMethods.ALLOW_GET_HEAD,
                cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,  # as each object's Cache-Control says
                response_headers_policy=headers,
                compress=True,
            ),
        )
        self.distribution = distribution.distribution_domain_name
        self.address = domain.name if domain else self.distribution
        self._open_folder(bucket, distribution)
        self._let_browsers_read(bucket, domain.name if domain else None)
        self._acknowledge(distribution, has_domain=domain is not None)

    def _headers(self, name: str, region: str, bucket: s3.Bucket) -> cloudfront.ResponseHeadersPolicy:
        speaks_to = (
            "'self'",
            f"https://{bucket.bucket_regional_domain_name}",
            *(f"https://{service}.{region}.amazonaws.com" for service in ("cognito-idp", "cognito-identity")),
        )
        allowed = {
            "default-src": ("'none'",),
            "script-src": ("'self'",),
            "style-src": ("'self'",),
            "img-src": ("'self'", "data:"),
            "font-src": ("'self'",),
            "manifest-src": ("'self'",),
            "connect-src": speaks_to,
            "base-uri": ("'none'",),
            "form-action": ("'none'",),
            "frame-ancestors": ("'none'",),
        }
        policy = "; ".join(f"{what} {' '.join(sources)}" for what, sources in allowed.items())
        return cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            response_headers_policy_name=name,
            comment=f"{name}: what the page may do",
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                    content_security_policy=policy, override=True
                ),
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                frame_options=cloudfront.ResponseHeadersFrameOptions(
                    frame_option=cloudfront.HeadersFrameOption.DENY, override=True
                ),
                referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                    referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
                ),
                # Of the page's own name alone: names below a domain that somebody gives it may be others' pages.
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=_HSTS, include_subdomains=False, override=True
                ),
            ),
            custom_headers_behavior=cloudfront.ResponseCustomHeadersBehavior(
                custom_headers=[
                    cloudfront.ResponseCustomHeader(header=header, value=value, override=True)
                    for header, value in {
                        "Permissions-Policy": ", ".join(f"{each}=()" for each in _UNUSED),
                        "Cross-Origin-Opener-Policy": "same-origin",
                    }.items()
                ]
            ),
        )

    def _open_folder(self, bucket: s3.Bucket, distribution: cloudfront.Distribution) -> None:
        """Let this distribution fetch the folder's objects; the CDK's own policy would open the whole bucket."""
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ThePageForItsDistribution",
                principals=[iam.ServicePrincipal("cloudfront.amazonaws.com")],
                actions=["s3:GetObject"],
                resources=[bucket.arn_for_objects(f"{SITE}*")],
                conditions={"StringEquals": {"AWS:SourceArn": distribution.distribution_arn}},
            )
        )

    def _let_browsers_read(self, bucket: s3.Bucket, domain: str | None) -> None:
        """Let browsers read the bucket from the page's origin.

        Without a domain of your own the origin is a name that CloudFront chooses for the distribution. The headers of
        the distribution name the bucket, so the bucket cannot name the distribution too: every distribution of
        CloudFront is allowed. That is safe: somebody else's page would need credentials, and these are no cookie that a
        browser adds by itself.
        """
        bucket.add_cors_rule(
            id="the-page",
            allowed_methods=[s3.HttpMethods.GET, s3.HttpMethods.HEAD],
            allowed_origins=[f"https://{domain or '*.cloudfront.net'}"],
            allowed_headers=list(_SIGNED),
            exposed_headers=["ETag"],
            max_age=_PREFLIGHT_SECONDS,
        )

    def _acknowledge(self, distribution: cloudfront.Distribution, *, has_domain: bool) -> None:
        acknowledge(distribution, "CFR1", reason="A shop's people travel; what the page shows is open to nobody else.")
        acknowledge(
            distribution,
            "CFR2",
            reason="A web ACL costs five dollars a month at least, and the page is a few files that hold no data and "
            "take no input.",
        )
        acknowledge(
            distribution,
            "CFR3",
            reason="Access logs would need a bucket of their own, and would tell of nothing but a page without data.",
        )
        if not has_domain:
            acknowledge(
                distribution,
                "CFR4",
                reason="With CloudFront's own name and certificate AWS decides on the protocol; every browser takes "
                "TLS 1.2 or newer. With dashboard_domain in stacks/config.py nothing older is taken.",
            )
