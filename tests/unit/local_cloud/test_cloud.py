"""What a person's machine says of AWS, or of localhost, is nothing that a local cloud goes by."""

import socket
from pathlib import Path

import pytest

import local_cloud
from local_cloud.account import REGION
from local_cloud.cloud import _session
from local_cloud.empty_account import open_account
from totes.errors import UserError


@pytest.mark.parametrize(
    "name", ["AWS_DEFAULTS_MODE", "AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS", "AWS_REQUEST_CHECKSUM_CALCULATION"]
)
def test_a_variable_for_aws_says_nothing_of_a_local_cloud(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "none that botocore takes")
    client = _session().client("sts", endpoint_url="http://localhost:9")
    assert client.meta.region_name == REGION


def test_a_machine_whose_localhost_is_another_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def only_version_six(host: str, *_: object) -> None:
        raise socket.gaierror(host)

    monkeypatch.setattr(socket, "getaddrinfo", only_version_six)
    with pytest.raises(UserError, match=r"localhost is not 127\.0\.0\.1 on this machine; add the line"):
        local_cloud.up(tmp_path / "cloud", source=None, warehouse=None, say=lambda _: None)
    with pytest.raises(UserError, match=r"localhost is not 127\.0\.0\.1 on this machine; add the line"):
        open_account(tmp_path / "cloud", environment="dev")
    assert not (tmp_path / "cloud").exists()
