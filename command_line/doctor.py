"""Finds what would make a run fail, before a run does, and whether anybody would hear of it; nothing is changed."""

import shutil
from collections.abc import Iterator

from command_line.alarms import AlarmTest
from command_line.deployment import Deployment
from command_line.functions import ask
from local_cloud import LocalCloud
from totes import payloads
from totes.answers import Finding
from totes.answers.fitness import check
from totes.errors import ConfigurationError, UserError

_LEAST_FREE = 2**30
"""Bytes."""


def examine(deployment: Deployment, cloud: LocalCloud | None) -> Iterator[Finding]:
    """Look at source and warehouse, from where the functions are, at lake, alarms and disk, one after the other.

    Args:
        deployment: what is looked at.
        cloud: the local cloud that it is in; None: it is in an AWS account.

    Raises:
        UserError: the function that looks at the databases failed, or is not there.
    """
    said = ask(deployment, "AnswerFunction", {payloads.QUESTION: "fitness"})
    yield from (Finding(**each) for each in said[payloads.FINDINGS])
    yield check("lake", lambda: _lake(deployment))
    yield _alarms(deployment)
    if cloud is not None:
        yield check("disk", lambda: _disk(cloud))


def _lake(deployment: Deployment) -> str:
    newest = deployment.ingestion.newest()
    return f"its newest batch is {newest:,}" if newest else "it holds no batch yet"


def _alarms(deployment: Deployment) -> Finding:
    try:
        return Finding("alarms", good=True, sentence=AlarmTest(deployment).told())
    except UserError as error:
        return Finding("alarms", good=False, sentence=str(error))


def _disk(cloud: LocalCloud) -> str:
    free = shutil.disk_usage(cloud.state).free
    if free < _LEAST_FREE:
        raise ConfigurationError(f"{free / 2**20:,.0f} MB are left on the disk of {cloud.state}; make room")
    return f"{free / 2**30:,.0f} GB are left for {cloud.state}"
