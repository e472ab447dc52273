"""Who signs in to the dashboard reads its data, and nothing else; who does not, nothing.

The stack is dev's, as its snapshot says. AWS's words:
https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flow.html
https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-managing-errors.html
"""

import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud.account import ACCOUNT, MAIL
from local_cloud.policies import Asker, decide
from tests.integration.local_cloud.conftest import Hosted
from tests.integration.local_cloud.test_endpoint import Stack
from tests.support.browser_requests import Page, Reader, Refused, send

Clients = Callable[[str], Any]

SNAPSHOTS = Path(__file__).parents[2] / "infrastructure" / "snapshots"
OWN = "Correct-Horse-9-Staple"

_numbers = itertools.count(1)


def template(environment: str = "dev") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SNAPSHOTS / environment / "dashboard.json").read_text())
    return {word: found[word] for word in ("Resources", "Outputs")}


@pytest.fixture(scope="module")
def outputs(client: Clients) -> Iterator[dict[str, str]]:
    """The deployed stack's outputs; its bucket holds an object of each folder."""
    stack, said = Stack(client("cloudformation")), template()
    told = stack.deploy(said["Resources"], Outputs=said["Outputs"])
    for key in ("data/latest.json", "site/index.html"):
        client("s3").put_object(Bucket=told["DashboardBucket"], Key=key, Body=key.encode())
    yield told
    stack.delete()


@pytest.fixture(scope="module")
def page(hosted: Hosted, outputs: dict[str, str]) -> Page:
    return Page(
        endpoint=hosted.cloud.endpoint,
        pool=outputs["UserPool"],
        client=outputs["UserPoolClient"],
        identities=outputs["IdentityPool"],
    )


class Person:
    """Somebody who has been invited."""

    def __init__(self, client: Clients, pool: str) -> None:
        self.email = f"reader-{next(_numbers)}@shop.example"
        self._cognito, self._logs, self._pool = client("cognito-idp"), client("logs"), pool
        self.invite()

    def invite(self, **more: Any) -> None:
        self._cognito.admin_create_user(
            UserPoolId=self._pool,
            Username=self.email,
            UserAttributes=[{"Name": "email", "Value": self.email}],
            DesiredDeliveryMediums=["EMAIL"],
            **more,
        )

    @property
    def mails(self) -> list[str]:
        events = self._logs.filter_log_events(logGroupName=MAIL)["events"]
        mails = [json.loads(event["message"]) for event in events]
        return [mail["text"] for mail in mails if mail["to"] == self.email]

    @property
    def mailed(self) -> str:
        """The password in the newest mail."""
        [password] = re.findall(r"with the password (\S+) and", self.mails[-1])
        return str(password)

    def leave(self) -> None:
        self._cognito.admin_delete_user(UserPoolId=self._pool, Username=self.email)


@pytest.fixture
def person(client: Clients, page: Page) -> Person:
    return Person(client, page.pool)


@pytest.fixture(scope="module")
def reader(client: Clients, page: Page) -> Reader:
    """Somebody who has signed in."""
    somebody = Person(client, page.pool)
    token = page.sign_in(somebody.email, somebody.mailed, OWN)["IdToken"]
    return Reader(page.endpoint, page.credentials(token))


def refused(call: Callable[[], Any]) -> Refused:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value


def test_who_is_invited_gets_a_mail_with_the_address_and_chooses_a_password(
    page: Page, person: Person, outputs: dict[str, str]
) -> None:
    [mail] = person.mails
    assert outputs["DashboardAddress"] in mail
    assert f"Sign in as {person.email}" in mail
    for weak in ("short-9-A", "all-small-letters-9"):
        chosen = partial(page.sign_in, person.email, person.mailed, weak)
        assert refused(chosen).kind == "InvalidPasswordException"
    as_an_alias = partial(page.sign_in, person.email, person.mailed, OWN, person.email)
    assert refused(as_an_alias).kind == "NotAuthorizedException"
    assert str(page.sign_in(person.email, person.mailed, OWN)["ExpiresIn"]) == "900"
    assert refused(lambda: page.sign_in(person.email, person.mailed)).kind == "NotAuthorizedException"
    tokens = page.sign_in(person.email, OWN)
    again = page.ask(
        "cognito-idp",
        "InitiateAuth",
        ClientId=page.client,
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": tokens["RefreshToken"]},
    )
    assert page.credentials(again["AuthenticationResult"]["IdToken"])["AccessKeyId"]


def test_an_invitation_is_sent_again_with_another_password_until_the_first_sign_in(page: Page, person: Person) -> None:
    first = person.mailed
    person.invite(MessageAction="RESEND")
    assert person.mailed != first
    assert refused(lambda: page.sign_in(person.email, first, OWN)).kind == "NotAuthorizedException"
    page.sign_in(person.email, person.mailed, OWN)
    with pytest.raises(ClientError, match="UnsupportedUserState"):
        person.invite(MessageAction="RESEND")


def test_who_has_signed_in_reads_the_data(reader: Reader, outputs: dict[str, str]) -> None:
    assert reader.call("get_object", Bucket=outputs["DashboardBucket"], Key="data/latest.json") == "data/latest.json"


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ("get_object", {"Key": "site/index.html"}),
        ("get_object", {"Key": "data/not-there.json"}),
        ("list_objects_v2", {}),
        ("list_objects_v2", {"Prefix": "data/"}),
        ("put_object", {"Key": "data/latest.json", "Body": b"x"}),
        ("delete_object", {"Key": "data/latest.json"}),
        ("get_bucket_policy", {}),
    ],
)
def test_and_nothing_else_of_the_bucket(
    reader: Reader, outputs: dict[str, str], operation: str, said: dict[str, Any]
) -> None:
    assert reader.call(operation, Bucket=outputs["DashboardBucket"], **said) in {"AccessDenied", "403"}


def test_nor_of_any_other_bucket(reader: Reader, client: Clients) -> None:
    client("s3").create_bucket(Bucket="not-theirs", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    client("s3").put_object(Bucket="not-theirs", Key="data/latest.json", Body=b"x")
    assert reader.call("get_object", Bucket="not-theirs", Key="data/latest.json") == "AccessDenied"
    assert reader.call("list_buckets") == "AccessDenied"


def test_without_credentials_the_bucket_is_closed(page: Page, outputs: dict[str, str]) -> None:
    for key in ("data/latest.json", "site/index.html", "data/not-there.json", ""):
        status, _ = send(page.endpoint, "GET", f"/{outputs['DashboardBucket']}/{key}")
        assert status == 403, key


def test_without_a_token_there_is_no_identity_and_no_other_way_to_one(page: Page, person: Person) -> None:
    def identity(**said: Any) -> Refused:
        return refused(lambda: page.ask("cognito-identity", "GetId", IdentityPoolId=page.identities, **said))

    tokens = page.sign_in(person.email, person.mailed, OWN)
    assert identity().message == "Unauthenticated access is not supported for this identity pool."
    assert identity(Logins=page.logins("made.up.token")).kind == "NotAuthorizedException"
    assert identity(Logins=page.logins(tokens["AccessToken"])).kind == "NotAuthorizedException"
    assert identity(Logins={"accounts.google.com": tokens["IdToken"]}).kind == "NotAuthorizedException"
    theirs = page.ask(
        "cognito-identity", "GetId", IdentityPoolId=page.identities, Logins=page.logins(tokens["IdToken"])
    )["IdentityId"]
    assert refused(lambda: page.ask("cognito-identity", "GetOpenIdToken", IdentityId=theirs)).message.startswith(
        "Basic (classic) flow is not enabled"
    )
    assert refused(lambda: page.ask("cognito-identity", "GetCredentialsForIdentity", IdentityId=theirs)).kind == (
        "NotAuthorizedException"
    )


def test_an_identity_is_of_one_person_alone_and_stays_theirs(client: Clients, page: Page) -> None:
    logins = []
    for _ in range(2):
        somebody = Person(client, page.pool)
        logins.append(page.logins(page.sign_in(somebody.email, somebody.mailed, OWN)["IdToken"]))
    ids = [
        page.ask("cognito-identity", "GetId", IdentityPoolId=page.identities, Logins=each)["IdentityId"]
        for each in (*logins, logins[0])
    ]
    assert ids[0] == ids[2] != ids[1]
    crossed = refused(
        lambda: page.ask("cognito-identity", "GetCredentialsForIdentity", IdentityId=ids[0], Logins=logins[1])
    )
    assert crossed.message == f"Access to Identity '{ids[0]}' is forbidden."


def test_a_token_of_another_pool_is_none(client: Clients, page: Page) -> None:
    cognito = client("cognito-idp")
    other = cognito.create_user_pool(PoolName="another")["UserPool"]["Id"]
    app = cognito.create_user_pool_client(
        UserPoolId=other, ClientName="any", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]
    cognito.admin_create_user(UserPoolId=other, Username="mallory", TemporaryPassword="Temporary-1")
    token = replace(page, pool=other, client=app).sign_in("mallory", "Temporary-1", OWN)["IdToken"]
    assert refused(lambda: page.credentials(token)).kind == "NotAuthorizedException"
    cognito.delete_user_pool(UserPoolId=other)


def test_who_is_removed_gets_no_more_credentials(page: Page, person: Person) -> None:
    token = page.sign_in(person.email, person.mailed, OWN)["IdToken"]
    person.leave()
    assert refused(lambda: page.credentials(token)).kind == "NotAuthorizedException"
    assert refused(lambda: page.sign_in(person.email, OWN)).kind == "NotAuthorizedException"


def test_nobody_learns_who_has_an_account(page: Page, person: Person) -> None:
    unknown = refused(lambda: page.sign_in("nobody@shop.example", OWN))
    wrong = refused(lambda: page.sign_in(person.email, OWN))
    assert (unknown.kind, unknown.message) == (wrong.kind, wrong.message)
    assert wrong.message == "Incorrect username or password."


def test_a_client_signs_in_in_no_way_but_its_own(page: Page, person: Person) -> None:
    told = {"ClientId": page.client, "AuthParameters": {"USERNAME": person.email, "SRP_A": "1"}}
    answer = refused(lambda: page.ask("cognito-idp", "InitiateAuth", AuthFlow="USER_SRP_AUTH", **told))
    assert answer.message == "USER_SRP_AUTH flow not enabled for this client"


@pytest.mark.parametrize("operation", ["ListUsers", "AdminCreateUser", "AdminGetUser", "DescribeUserPool"])
def test_what_an_administrator_does_is_signed(page: Page, person: Person, operation: str) -> None:
    asked = refused(lambda: page.ask("cognito-idp", operation, UserPoolId=page.pool, Username=person.email))
    assert asked.kind == "MissingAuthenticationTokenException"


def test_a_role_is_given_only_where_it_trusts_the_pool(client: Clients, page: Page, person: Person) -> None:
    identity, iam = client("cognito-identity"), client("iam")
    roles = identity.get_identity_pool_roles(IdentityPoolId=page.identities)["Roles"]
    name = roles["authenticated"].rpartition("/")[2]
    trusted = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    token = page.sign_in(person.email, person.mailed, OWN)["IdToken"]
    other = json.dumps(trusted).replace(page.identities, "eu-west-2:00000000-0000-0000-0000-000000000000")
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=other)
    try:
        assert refused(lambda: page.credentials(token)).kind == "InvalidIdentityPoolConfigurationException"
    finally:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trusted))
    assert page.credentials(token)["SessionToken"]


def test_the_bucket_lets_its_own_distribution_fetch_the_page_alone(client: Clients, outputs: dict[str, str]) -> None:
    bucket = outputs["DashboardBucket"]
    policy = client("s3").get_bucket_policy(Bucket=bucket)["Policy"]
    [arn] = set(re.findall(rf"arn:aws:cloudfront::{ACCOUNT}:distribution/\w+", policy))
    tls = {"aws:SecureTransport": "true"}
    own = Asker("cloudfront.amazonaws.com", {"AWS:SourceArn": arn, **tls})
    other = Asker("cloudfront.amazonaws.com", {"AWS:SourceArn": f"{arn}X", **tls})

    # A condition that the local cloud does not know, on s3:TlsVersion, is one that denies.
    known = [each for each in json.loads(policy)["Statement"] if "NumericLessThan" not in each["Condition"]]

    def fetches(asker: Asker, key: str) -> bool:
        arn_of_object = f"arn:aws:s3:::{bucket}/{key}"
        return decide([json.dumps({"Statement": known})], "s3:GetObject", arn_of_object, asker).allowed

    assert fetches(own, "site/index.html")
    assert not fetches(own, "data/latest.json")
    assert not fetches(other, "site/index.html")


def test_a_name_of_cloudfronts_is_taken_once_in_an_account(client: Clients, outputs: dict[str, str]) -> None:
    second, said = Stack(client("cloudformation")), template()
    assert outputs
    with pytest.raises(ClientError, match="already exists"):
        second.deploy(said["Resources"], Outputs=said["Outputs"])
    second.delete()


def test_a_dashboard_that_was_taken_away_is_deployed_again_beside_what_stays_of_it(client: Clients) -> None:
    said = template("prod")
    first, second = Stack(client("cloudformation")), Stack(client("cloudformation"))
    before = first.deploy(said["Resources"], Outputs=said["Outputs"])
    first.delete()
    now = second.deploy(said["Resources"], Outputs=said["Outputs"])
    second.delete()
    pools = {each["Id"] for each in client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]}
    buckets = {each["Name"] for each in client("s3").list_buckets()["Buckets"]}
    assert {before["UserPool"], now["UserPool"]} <= pools
    assert {before["DashboardBucket"], now["DashboardBucket"]} <= buckets
    assert before["UserPool"] != now["UserPool"]


def test_a_protected_pool_is_not_deleted(client: Clients) -> None:
    cognito = client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="protected", DeletionProtection="ACTIVE")["UserPool"]["Id"]
    with pytest.raises(ClientError, match="deletion protection is activated"):
        cognito.delete_user_pool(UserPoolId=pool)
    cognito.update_user_pool(UserPoolId=pool, DeletionProtection="INACTIVE")
    cognito.delete_user_pool(UserPoolId=pool)
