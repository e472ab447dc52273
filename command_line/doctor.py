"""Finds what would make a run fail, before a run does, and whether anybody would hear of it; nothing is changed."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from command_line.alarms import AlarmTest, NoAddressError
from command_line.deployment import Deployment, NotDeployedError
from command_line.functions import ask
from command_line.refusals import refusal
from local_cloud import LocalCloud
from totes import payloads
from totes.answers import Finding
from totes.answers.fitness import check
from totes.errors import ConfigurationError, UserError
from totes.lake import Journal, StarJournal
from totes.star.lineage import LineageCheck
from totes.warehouse.same_lake import put_back

_UNREACHABLE = (NotDeployedError, NoCredentialsError, NoRegionError)
"""What leaves nothing to look at: it is said alone."""

_REFUSALS = (UserError, BotoCoreError, ClientError)

_LEAST_FREE = 2**30
"""Bytes."""


@dataclass(frozen=True)
class Doubtful(Finding):
    """A finding of which only a person knows whether it is meant to be so; it makes nothing fail."""


def examine(deployment: Deployment, cloud: LocalCloud | None) -> Iterator[Finding]:
    """Look at source and warehouse, from where the functions are, at lake, alarms and disk, one after the other.

    A look that fails is a finding too, and the others follow.

    Args:
        deployment: what is looked at.
        cloud: the local cloud that it is in; None: it is in an AWS account.

    Raises:
        NotDeployedError: the data's or the pipeline's stack is not there.
    """
    # The warehouse before the lake: a run that ends meanwhile would else have loaded more than there was in the lake.
    databases, loaded = _databases(deployment)
    yield from databases
    yield _lake(deployment, loaded)
    yield _alarms(deployment)
    if cloud is not None:
        yield check("disk", lambda: _disk(cloud))


def _failed(subject: str, error: UserError | BotoCoreError | ClientError) -> Finding:
    sentence = str(error) if isinstance(error, UserError) else refusal(error)
    return Finding(subject, good=False, sentence=sentence)


def _databases(deployment: Deployment) -> tuple[Sequence[Finding], int]:
    """What is found in the databases, and the newest batch of the warehouse; 0: it has none, or does not answer."""
    try:
        said = ask(deployment, "AnswerFunction", {payloads.QUESTION: payloads.QUESTION_FITNESS})
    except _UNREACHABLE:
        raise
    except _REFUSALS as error:
        return [_failed("databases", error)], 0
    # An earlier totes, which may be deployed, does not answer the second.
    return [Finding(**each) for each in said[payloads.FINDINGS]], said.get(payloads.NEWEST, 0)


def _lake(deployment: Deployment, loaded: int) -> Finding:
    try:
        return check("lake", lambda: _newest(deployment, loaded))
    except _REFUSALS as error:
        return _failed("lake", error)


def _newest(deployment: Deployment, loaded: int) -> str:
    """Say which batch is the newest, and see that the two buckets tell of the same batches, as each run does first.

    So it sees that the warehouse holds no batch that the lake does not have, as each load does.
    """
    # The processed bucket first: a run that ends meanwhile would else have come further there than was asked here.
    stars = StarJournal(deployment.processed)
    done = stars.newest()
    captured = Journal(deployment.ingestion)
    newest = captured.newest()
    LineageCheck(captured, stars, done=done, newest=newest)
    if newest < loaded:
        raise put_back(deployment.processed.name, newest, loaded)
    return f"its newest batch is {newest:,}" if newest else "it holds no batch yet"


def _alarms(deployment: Deployment) -> Finding:
    try:
        return Finding("alarms", good=True, sentence=AlarmTest(deployment).told())
    except NoAddressError as error:
        return Doubtful("alarms", good=True, sentence=str(error))
    except _REFUSALS as error:
        return _failed("alarms", error)


def _disk(cloud: LocalCloud) -> str:
    free = shutil.disk_usage(cloud.state).free
    if free < _LEAST_FREE:
        raise ConfigurationError(f"{free / 2**20:,.0f} MB are left on the disk of {cloud.state}; make room")
    return f"{free / 2**30:,.0f} GB are left for {cloud.state}"
