"""What every tier may ask for."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# No test may reach a real account, whatever the machine's own settings are.
os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_DEFAULT_REGION="eu-west-2",
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    AWS_EC2_METADATA_DISABLED="true",
)
for variable in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
    os.environ.pop(variable, None)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder for clouds and servers, which pytest does not close to PostgreSQL's user when another session starts."""
    with tempfile.TemporaryDirectory(prefix="totes-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the quick tiers first: a broken rule is named before a whole cloud is deployed."""
    tiers = ["unit", "infrastructure", "integration", "end_to_end"]
    items.sort(key=lambda item: next((rank for rank, tier in enumerate(tiers) if tier in item.path.parts), 0))
