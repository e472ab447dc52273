"""The endpoint, which has real passwords where a person names a database, answers this machine alone."""

import http.client
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.integration.local_cloud.conftest import Hosted


def answer(hosted: Hosted, method: str, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    place = urlsplit(hosted.cloud.endpoint)
    connection = http.client.HTTPConnection("127.0.0.1", place.port or 0)
    try:
        connection.request(method, path, headers={"Host": place.netloc, **headers})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "null"},
        {"Host": "rebind.evil.example:4000"},
        {"Host": ""},
        {"Host": "[::1"},
    ],
)
def test_a_page_of_somebody_elses_is_refused(hosted: Hosted, headers: dict[str, str]) -> None:
    status, said = answer(hosted, "GET", "/", headers)
    assert (status, said) == (403, b"this endpoint answers programs and pages of this machine alone\n")


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8000", "http://localhost:8000"])
def test_a_page_that_this_machine_serves_is_answered(hosted: Hosted, origin: str) -> None:
    def add(request: Any, **_: Any) -> None:
        request.headers["Origin"] = origin

    client = hosted.client("s3")
    client.meta.events.register("before-send.s3", add)
    try:
        assert client.list_buckets()["ResponseMetadata"]["HTTPStatusCode"] == 200
    finally:
        client.meta.events.unregister("before-send.s3", add)  # the client is others' too


def test_motos_own_api_shows_nothing_and_forgets_nothing(hosted: Hosted) -> None:
    hosted.client("secretsmanager").create_secret(Name="kept", SecretString="hunter2")
    try:
        for method, path in (("GET", "/moto-api/data.json"), ("POST", "/moto-api/reset"), ("GET", "/moto-api")):
            status, said = answer(hosted, method, path, {})
            assert (status, said) == (404, b"moto's own API is not served here\n")
        assert hosted.client("secretsmanager").get_secret_value(SecretId="kept")["SecretString"] == "hunter2"
    finally:
        hosted.client("secretsmanager").delete_secret(SecretId="kept", ForceDeleteWithoutRecovery=True)
