"""Policies are read as IAM reads them."""

import json
from typing import Any

import pytest

from local_cloud.policies import Asker, decide

BUCKET = "arn:aws:s3:::lake"


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "s3:GetObject", "Resource": f"{BUCKET}/*", **elements}


def allowed(*documents: str, action: str = "s3:GetObject", resource: str = f"{BUCKET}/a/b") -> bool:
    return decide(documents, action, resource).allowed


def test_what_nothing_allows_is_refused() -> None:
    assert not allowed()
    assert not allowed(policy(statement()), action="s3:PutObject")
    assert not allowed(policy(statement()), resource=BUCKET)
    assert not allowed(policy(statement()), resource="arn:aws:s3:::lake-of-others/a")


@pytest.mark.parametrize(
    "elements",
    [
        {},
        {"Action": "S3:getobject"},
        {"Action": ["s3:ListBucket", "s3:Get*"]},
        {"Action": "*", "Resource": "*"},
        {"Resource": [BUCKET, f"{BUCKET}/?/b"]},
    ],
)
def test_lists_wildcards_and_the_case_of_an_action(elements: dict[str, Any]) -> None:
    assert allowed(policy(statement(**elements)))


def test_a_resource_has_case_and_its_dots_are_dots() -> None:
    assert not allowed(policy(statement(Resource="arn:aws:s3:::LAKE/*")))
    assert not allowed(policy(statement(Resource="arn:aws:s3:::lake/a.b")), resource=f"{BUCKET}/aXb")


def test_one_statement_alone_need_not_be_in_a_list() -> None:
    assert allowed(json.dumps({"Statement": statement()}))


def test_any_of_several_policies_and_statements_allows() -> None:
    other = statement(Action="s3:PutObject")
    assert allowed(policy(other), policy(other, statement()))


@pytest.mark.parametrize("order", [1, -1])
def test_a_deny_outweighs_every_allow(order: int) -> None:
    deny = policy(statement("Deny", Action="s3:*", Resource=f"{BUCKET}/a/*"))
    documents = [policy(statement()), deny][::order]
    assert not allowed(*documents)
    assert decide(documents, "s3:GetObject", f"{BUCKET}/a/b").by == f"{BUCKET}/a/*"
    assert allowed(*documents, resource=f"{BUCKET}/b")


def test_what_a_statement_is_not_about() -> None:
    but_secrets = {"Effect": "Allow", "NotAction": "secretsmanager:*", "NotResource": [f"{BUCKET}/x/*"]}
    assert allowed(policy(but_secrets))
    assert not allowed(policy(but_secrets), action="secretsmanager:GetSecretValue")
    assert not allowed(policy(but_secrets), resource=f"{BUCKET}/x/1")


def test_a_condition_never_makes_more_allowed() -> None:
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    assert not allowed(policy(statement(Condition=condition)))
    assert not allowed(policy(statement(), statement("Deny", Condition=condition)))


MINE = {"aws:ResourceTag/env": "dev", "aws:RequestTag/aws:rds:db": "arn:aws:rds:::db:totes-dev-1"}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"StringEquals": {"aws:ResourceTag/env": "dev"}}, True),
        ({"StringEquals": {"aws:ResourceTag/env": "prod"}}, False),
        ({"StringEquals": {"aws:ResourceTag/other": "dev"}}, False),
        ({"StringLike": {"aws:RequestTag/aws:rds:db": "arn:*:db:totes-dev-*"}}, True),
        ({"StringLike": {"aws:RequestTag/aws:rds:db": "arn:*:db:totes-prod-*"}}, False),
        ({"StringNotLike": {"aws:ResourceTag/env": "d*"}}, False),
        ({"StringNotLike": {"aws:ResourceTag/env": "p*"}}, True),
        ({"StringNotLike": {"aws:ResourceTag/other": "d*"}}, True),
        ({"StringEqualsIfExists": {"aws:ResourceTag/env": "dev"}}, True),
        ({"StringEqualsIfExists": {"aws:ResourceTag/env": "prod"}}, False),
        ({"StringEqualsIfExists": {"aws:ResourceTag/other": "prod"}}, True),
        ({"StringEqualsIfExists": {"aws:ResourceTag/env": "dev", "aws:RequestTag/env": "prod"}}, True),
    ],
)
def test_a_condition_on_tags_is_held_against_those_that_are_known(condition: dict[str, Any], *, holds: bool) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html."""
    said, denied = policy(statement(Condition=condition)), policy(statement(), statement("Deny", Condition=condition))
    assert decide([said], "s3:GetObject", f"{BUCKET}/a", tags=MINE).allowed is holds
    assert decide([denied], "s3:GetObject", f"{BUCKET}/a", tags=MINE).allowed is not holds
    assert not allowed(said), "where tags are not known, nothing is allowed by them"
    assert not allowed(denied)


def test_of_a_condition_on_tags_and_what_is_not_known_nothing_more_is_allowed() -> None:
    condition = {"StringEquals": {"aws:ResourceTag/env": "dev"}, "BoolIfExists": {"aws:SecureTransport": "true"}}
    for document in (statement(Condition=condition), statement("Deny", Condition=condition)):
        assert not decide([policy(document)], "s3:GetObject", f"{BUCKET}/a", tags=MINE).allowed


# A resource's own policy: who asks, and in what circumstances


ALARMS = Asker(service="cloudwatch.amazonaws.com", context={"aws:SourceAccount": "1", "aws:SecureTransport": "true"})


def published(*statements: dict[str, Any], asker: Asker = ALARMS) -> bool:
    return decide([policy(*statements)], "sns:Publish", "arn:aws:sns:::topic", asker).allowed


def publish(effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    service = {"Service": "cloudwatch.amazonaws.com"}
    return {"Effect": effect, "Action": "SNS:Publish", "Resource": "*", "Principal": service, **elements}


@pytest.mark.parametrize(
    "principal",
    ["*", {"AWS": "*"}, {"Service": "cloudwatch.amazonaws.com"}, {"Service": ["events.amazonaws.com", ALARMS.service]}],
)
def test_a_service_may_do_what_a_resource_lets_it_or_everybody_do(principal: Any) -> None:
    assert published(publish(Principal=principal))


@pytest.mark.parametrize("principal", [{"Service": "events.amazonaws.com"}, {"AWS": "arn:aws:iam::1:root"}])
def test_what_a_resource_lets_others_do_it_does_not_let_a_service_do(principal: Any) -> None:
    assert not published(publish(Principal=principal))
    assert published(publish(), publish("Deny", Principal=principal))


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"StringEquals": {"aws:SourceAccount": "1"}}, True),
        ({"StringEquals": {"AWS:SOURCEACCOUNT": ["2", "1"]}}, True),
        ({"StringEquals": {"aws:SourceAccount": "2"}}, False),
        ({"StringEquals": {"aws:SourceAccount": "1", "aws:SourceOwner": "1"}}, False),
        ({"StringEquals": {"aws:SourceAccount": "1"}, "Bool": {"aws:SecureTransport": "false"}}, False),
        ({"StringLike": {"aws:SourceAccount": "?"}}, True),
        ({"ArnLike": {"aws:SourceArn": "*"}}, False),
        ({"Bool": {"aws:SecureTransport": "true"}}, True),
    ],
)
def test_a_condition_is_held_against_the_circumstances(condition: dict[str, Any], *, holds: bool) -> None:
    assert published(publish(Condition=condition)) is holds
    assert published(publish(), publish("Deny", Principal="*", Condition=condition)) is not holds


def test_a_condition_of_an_unknown_kind_never_makes_more_allowed() -> None:
    condition = {"NumericLessThan": {"s3:TlsVersion": "1.2"}}
    assert not published(publish(Condition=condition))
    assert not published(publish(), publish("Deny", Condition=condition))
