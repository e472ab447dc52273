"""Somebody is invited to the dashboard, signs in, reads, and is removed, by commands."""

import re
from functools import partial

import pytest

from command_line.deployment import Deployment
from tests.end_to_end.conftest import Deployed
from tests.support.browser_requests import Page, Reader, Refused

ADA = "ada@shop.example"
OWN = "Correct-Horse-9-Staple"


@pytest.fixture(scope="module")
def page(deployed: Deployed) -> Page:
    outputs = Deployment.local(deployed.state).dashboard_outputs
    return Page(
        endpoint=deployed.cloud.endpoint,
        pool=outputs["UserPool"],
        client=outputs["UserPoolClient"],
        identities=outputs["IdentityPool"],
    )


def test_who_is_invited_signs_in_and_reads_until_they_are_removed(deployed: Deployed, page: Page) -> None:
    assert deployed.totes("dashboard", "users").out == "✓ nobody has been invited yet\n"
    invited = deployed.totes("dashboard", "invite", ADA)
    assert invited.code == 0, invited.err
    assert " ".join(invited.out.split()) == (
        f"✓ {ADA} is invited; a mail says where the dashboard is and how to sign in "
        f"(totes local mail --state {deployed.state} shows it)"
    )
    assert f"{ADA} is invited once more, with another password" in deployed.totes("dashboard", "invite", ADA).out
    first, second = [mail["text"] for mail in deployed.totes("local", "mail", "--json").json() if mail["to"] == ADA]
    [password] = re.findall(r"with the password (\S+) and", second)
    assert password not in first

    token = page.sign_in(ADA, password, OWN)["IdToken"]
    bucket = Deployment.local(deployed.state).dashboard_outputs["DashboardBucket"]
    deployed.cloud.client("s3").put_object(Bucket=bucket, Key="data/latest.json", Body=b"{}")
    reader = Reader(page.endpoint, page.credentials(token))
    assert reader.call("get_object", Bucket=bucket, Key="data/latest.json") == "{}"
    lake = Deployment.local(deployed.state).outputs["IngestionBucket"]
    assert reader.call("list_objects_v2", Bucket=lake) == "AccessDenied"

    [user] = deployed.totes("dashboard", "users", "--json").json()
    assert (user["email"], user["state"]) == (ADA, "active")
    again = deployed.totes("dashboard", "invite", ADA)
    assert again.code == 1
    assert "has an account already and has signed in with it" in again.err

    asked = deployed.totes("dashboard", "remove", ADA)
    assert asked.code == 1
    assert "add --yes to go on" in asked.err
    assert deployed.totes("dashboard", "remove", ADA, "--yes").code == 0
    with pytest.raises(Refused):
        page.credentials(token)
    with pytest.raises(Refused):
        page.sign_in(ADA, OWN)
    assert deployed.totes("dashboard", "users", "--json").json() == []


def test_what_cannot_be_done_is_said(deployed: Deployed) -> None:
    command = partial(deployed.totes, "dashboard")
    assert "'ada' is no e-mail address" in command("invite", "ada").err
    assert f"nobody with the address {ADA} has been invited" in command("remove", ADA, "--yes").err
    assert f"totes dashboard --state {deployed.state} does" in command("address").err
