"""An endpoint in a daemon of its own, without stacks."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from local_cloud import LocalCloud
from local_cloud.folder import ENDPOINT, StateFolder
from local_cloud.launch import Daemon
from tests.support.daemons import forks


@dataclass(frozen=True)
class Hosted:
    """A daemon and its endpoint."""

    folder: StateFolder
    daemon: Daemon
    cloud: LocalCloud

    def client(self, service: str) -> Any:
        return self.cloud.client(service)


@pytest.fixture(scope="package")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """An endpoint that the tests of this folder share."""
    folder = StateFolder(tmp_path_factory.mktemp("hosted"))
    lock = folder.claim()
    with forks():
        daemon = Daemon(folder, lock, [])
    os.close(lock)
    endpoint = daemon.await_document(ENDPOINT)["endpoint"]
    yield Hosted(
        folder,
        daemon,
        LocalCloud(
            state=folder.path, endpoint=endpoint, source_uri="unused", warehouse_uri="unused", environment="local"
        ),
    )
    folder.remove()


@pytest.fixture(scope="package")
def client(hosted: Hosted) -> Callable[[str], Any]:
    """Makes a client of the shared endpoint."""
    return hosted.client


@pytest.fixture(scope="package")
def store(client: Callable[[str], Any]) -> str:
    """A bucket for code."""
    client("s3").create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    return "code"
