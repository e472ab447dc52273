"""The page is open to everybody and holds nothing; the data is read by who has signed in, and by nobody else."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from stacks import config
from stacks.settings.domain import OwnDomain
from tests.support.templates import Synthesised, synthesise, synthesise_foundations

DOMAIN = OwnDomain(
    name="dashboard.shop.example",
    certificate_arn="arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000",
)


def only(synthesised: Synthesised, kind: str) -> dict[str, Any]:
    """The properties of the one resource of a type."""
    [found] = synthesised.resources(kind).values()
    properties: dict[str, Any] = found["Properties"]
    return properties


def distribution(synthesised: Synthesised) -> dict[str, Any]:
    config: dict[str, Any] = only(synthesised, "AWS::CloudFront::Distribution")["DistributionConfig"]
    return config


def bucket(synthesised: Synthesised) -> dict[str, Any]:
    properties: dict[str, Any] = synthesised.resources("AWS::S3::Bucket")["SnapshotsBucket4B2233F7"]["Properties"]
    return properties


def test_the_page_is_served_by_https_alone_from_its_own_folder(synthesised: Synthesised) -> None:
    config = distribution(synthesised)
    [origin] = config["Origins"]
    assert synthesised.said(origin["DomainName"]) == "<SnapshotsBucket.RegionalDomainName>"
    assert origin["OriginPath"] == "/site"
    assert synthesised.said(origin["OriginAccessControlId"]) == "<SiteAccess.Id>"
    assert origin["S3OriginConfig"] == {"OriginAccessIdentity": ""}
    behaviour = config["DefaultCacheBehavior"]
    assert behaviour["ViewerProtocolPolicy"] == "redirect-to-https"
    assert behaviour["AllowedMethods"] == ["GET", "HEAD"]
    assert synthesised.said(behaviour["ResponseHeadersPolicyId"]) == "<SiteHeaders>"
    assert (config["DefaultRootObject"], config["HttpVersion"], config["PriceClass"]) == (
        "index.html",
        "http2and3",
        "PriceClass_100",
    )
    assert "CacheBehaviors" not in config, "no other path leads anywhere else"
    access = only(synthesised, "AWS::CloudFront::OriginAccessControl")["OriginAccessControlConfig"]
    assert (access["OriginAccessControlOriginType"], access["SigningBehavior"]) == ("s3", "always")


def test_the_bucket_lets_its_own_distribution_fetch_the_page_and_nobody_else_anything(synthesised: Synthesised) -> None:
    [policy] = [
        each["Properties"]["PolicyDocument"]["Statement"]
        for each in synthesised.resources("AWS::S3::BucketPolicy").values()
        if synthesised.said(each["Properties"]["Bucket"]) == "<SnapshotsBucket>"
    ]
    [allowed] = [each for each in policy if each["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert allowed["Action"] == "s3:GetObject"
    assert synthesised.said(allowed["Resource"]) == "<SnapshotsBucket.Arn>/site/*"
    [(operator, keys)] = allowed["Condition"].items()
    assert operator == "StringEquals"
    assert {key: synthesised.said(value) for key, value in keys.items()} == {
        "AWS:SourceArn": "arn:<AWS::Partition>:cloudfront::<AWS::AccountId>:distribution/<SiteDistribution>"
    }


def test_the_page_does_nothing_but_what_its_headers_say(synthesised: Synthesised) -> None:
    policy = only(synthesised, "AWS::CloudFront::ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]
    headers = policy["SecurityHeadersConfig"]
    csp = headers["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    cognito = " ".join(f"https://cognito-{each}.<AWS::Region>.amazonaws.com" for each in ("idp", "identity"))
    assert synthesised.said(csp).split("; ") == [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "manifest-src 'self'",
        f"connect-src 'self' https://<SnapshotsBucket.RegionalDomainName> {cognito}",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
    assert headers["StrictTransportSecurity"]["AccessControlMaxAgeSec"] == 2 * 365 * 24 * 3600
    assert headers["ReferrerPolicy"]["ReferrerPolicy"] == "no-referrer"
    assert headers["FrameOptions"]["FrameOption"] == "DENY"
    assert all(each["Override"] for each in headers.values())
    custom = {each["Header"]: each["Value"] for each in policy["CustomHeadersConfig"]["Items"]}
    assert "camera=()" in custom["Permissions-Policy"]
    assert custom["Cross-Origin-Opener-Policy"] == "same-origin"


def test_no_name_is_one_that_another_region_has_taken(synthesised: Synthesised) -> None:
    """An origin access control and a policy of headers have a name in the whole account; Cognito's are no keys."""
    access = only(synthesised, "AWS::CloudFront::OriginAccessControl")["OriginAccessControlConfig"]["Name"]
    headers = only(synthesised, "AWS::CloudFront::ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]["Name"]
    assert {synthesised.said(name) for name in (access, headers)} == {f"totes-{synthesised.name}-<AWS::Region>"}


def test_browsers_read_the_bucket_with_what_a_signature_needs(synthesised: Synthesised) -> None:
    [rule] = bucket(synthesised)["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedMethods"] == ["GET", "HEAD"]
    assert rule["AllowedOrigins"] == ["https://*.cloudfront.net"]
    assert set(rule["AllowedHeaders"]) == {
        "authorization",
        "x-amz-content-sha256",
        "x-amz-date",
        "x-amz-security-token",
    }


def test_a_domain_of_its_own_is_the_only_origin_and_takes_no_old_tls(store: Path) -> None:
    found = synthesise_foundations(dataclasses.replace(config.named("local"), dashboard_domain=DOMAIN), store)
    assert distribution(found)["Aliases"] == [DOMAIN.name]
    assert distribution(found)["ViewerCertificate"] == {
        "AcmCertificateArn": DOMAIN.certificate_arn,
        "MinimumProtocolVersion": "TLSv1.2_2021",
        "SslSupportMethod": "sni-only",
    }
    [rule] = bucket(found)["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedOrigins"] == [f"https://{DOMAIN.name}"]
    outputs = found.templates["dashboard"]["Outputs"]
    assert outputs["DashboardAddress"]["Value"] == f"https://{DOMAIN.name}/"
    assert outputs["DashboardDistribution"]["Value"]


def test_a_certificate_where_cloudfront_does_not_look_is_refused() -> None:
    with pytest.raises(ValueError, match="no certificate of ACM in us-east-1"):
        OwnDomain(name=DOMAIN.name, certificate_arn=DOMAIN.certificate_arn.replace("us-east-1", "eu-west-2"))


def test_only_administrators_let_people_in(synthesised: Synthesised) -> None:
    pool = only(synthesised, "AWS::Cognito::UserPool")
    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    assert pool["UsernameAttributes"] == ["email"]
    assert pool["UserPoolTier"] == "LITE"
    assert pool["AccountRecoverySetting"]["RecoveryMechanisms"] == [{"Name": "verified_email", "Priority": 1}]
    policy = pool["Policies"]["PasswordPolicy"]
    assert policy["MinimumLength"] >= 12
    assert policy["TemporaryPasswordValidityDays"] == 7
    invitation = synthesised.said(pool["AdminCreateUserConfig"]["InviteMessageTemplate"]["EmailMessage"])
    assert "https://<SiteDistribution.DomainName>/" in invitation
    assert {"{username}", "{####}"} <= set(invitation.replace("<br>", " ").split())


def test_the_page_signs_in_by_a_password_and_has_no_secret(synthesised: Synthesised) -> None:
    client = only(synthesised, "AWS::Cognito::UserPoolClient")
    assert client["ExplicitAuthFlows"] == ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    assert client["GenerateSecret"] is False
    assert client["AllowedOAuthFlowsUserPoolClient"] is False
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert client["EnableTokenRevocation"] is True
    units = client["TokenValidityUnits"]
    minutes = {word: client[f"{word}Validity"] for word in ("AccessToken", "IdToken", "RefreshToken")}
    assert set(units.values()) == {"minutes"}
    assert minutes == {"AccessToken": 15, "IdToken": 15, "RefreshToken": 12 * 60}


def test_nobody_is_somebody_without_having_signed_in(synthesised: Synthesised) -> None:
    pool = only(synthesised, "AWS::Cognito::IdentityPool")
    assert pool["AllowUnauthenticatedIdentities"] is False
    assert pool["AllowClassicFlow"] is False
    [provider] = pool["CognitoIdentityProviders"]
    assert provider["ServerSideTokenCheck"] is True
    assert synthesised.said(provider["ClientId"]) == "<SignInClient>"
    roles = only(synthesised, "AWS::Cognito::IdentityPoolRoleAttachment")["Roles"]
    assert set(roles) == {"authenticated"}


def test_who_has_signed_in_may_read_the_data_and_nothing_else(synthesised: Synthesised) -> None:
    role = only(synthesised, "AWS::Cognito::IdentityPoolRoleAttachment")["Roles"]["authenticated"]
    assert synthesised.permissions(role) == {("s3:GetObject", "<SnapshotsBucket.Arn>/data/*")}
    [trust] = synthesised.resources("AWS::IAM::Role")[role["Fn::GetAtt"][0]]["Properties"]["AssumeRolePolicyDocument"][
        "Statement"
    ]
    assert trust["Principal"] == {"Federated": "cognito-identity.amazonaws.com"}
    assert trust["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert json.loads(json.dumps(trust["Condition"])) == {
        "StringEquals": {"cognito-identity.amazonaws.com:aud": {"Ref": "SignInIdentities7C4431E1"}},
        "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"},
    }


def test_people_stay_where_data_does(dev: Synthesised, prod: Synthesised, store: Path) -> None:
    deleting = synthesise_foundations(config.named("dev").deleting_data(), store)
    kept = {}
    for name, each in (("dev", dev), ("prod", prod), ("deleting", deleting)):
        [pool] = each.resources("AWS::Cognito::UserPool").values()
        kept[name] = (pool["DeletionPolicy"], pool["Properties"]["DeletionProtection"])
    assert kept == {
        "dev": ("RetainExceptOnCreate", "INACTIVE"),
        "prod": ("RetainExceptOnCreate", "ACTIVE"),
        "deleting": ("Delete", "INACTIVE"),
    }


def test_without_a_dashboard_there_is_none_of_it(store: Path) -> None:
    found = synthesise(dataclasses.replace(config.named("local"), dashboard=False), store)
    assert "dashboard" not in found.templates
