"""What a deployment holds and how fresh it is, asked of its lake, its state machine and its warehouse."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError

from command_line.deployment import Deployment
from command_line.functions import ask
from command_line.refusals import refusal
from command_line.run_history import FailedRun, RunHistory
from totes import payloads
from totes.answers import BatchState, Drift, OpenRow, State, TableState
from totes.errors import UserError
from totes.lake import Journal
from totes.star import STAR_TABLES, Replayed, how_far


@dataclass(frozen=True, kw_only=True)
class Status:
    """The state of a deployment.

    Attributes:
        fresh_as_of: the warehouse holds all that the source had committed by then. This is when a run began that found
            nothing which the warehouse does not hold, or when its newest batch was captured, whichever is later.
        lag_seconds: how long ago that is.
        last_success: when the newest run began that brought all that the source had. The warehouse may hold less now:
            somebody may have put it back.
        failure: the last run that failed, if none has succeeded since; None: all is well.
        awaited_login: the login that the newest run has found not to be filled in yet: source or warehouse.
        under_way: when the oldest run began that is under way; one that hangs stays here while others step back.
        no_answer: why the warehouse does not answer, or the function that asks it; None: it does. Where it does not,
            `batches`, `tables`, `quarantine` and `drift` are empty: the warehouse alone knows them.
        pending: batches that are captured and not yet loaded; where the warehouse does not answer, by what the last
            good run has loaded.
        replaying: how far a replay has come that the next run goes on with, or a totes that knows its columns, if this
            command's does not; None where none is under way.
        rebuilding: how many batches a rebuild has staged that the next run goes on with, and of how many.
        batches: the last few that were loaded, newest first.
        tables: each star table.
        quarantine: the last few rows that are in quarantine still, newest first.
        drift: the last few changes of the source's shape, newest first.
    """

    fresh_as_of: datetime | None
    lag_seconds: float | None
    last_success: datetime | None
    failure: FailedRun | None
    awaited_login: str | None
    under_way: datetime | None
    no_answer: str | None
    pending: Sequence[int]
    replaying: Replayed | None
    rebuilding: Mapping[str, int] | None
    batches: Sequence[BatchState]
    tables: Mapping[str, TableState]
    quarantine: Sequence[OpenRow]
    drift: Sequence[Drift]

    def is_later_than(self, seconds: float | None) -> bool:
        """Whether the warehouse is further behind than so many seconds; never where none are given."""
        return seconds is not None and (self.lag_seconds is None or self.lag_seconds > seconds)

    def to_json(self) -> str:
        """The status as a JSON document."""
        return json.dumps(asdict(self), default=datetime.isoformat, indent=2)


def status_of(deployment: Deployment) -> Status:
    """Ask a deployment for its state.

    A warehouse that does not answer is part of the state, and so is a function that cannot ask it: Step Functions and
    the lake say the rest.

    Raises:
        NotDeployedError: there is no such deployment.
        LakeUnavailable, ConfigurationError: the lake cannot be read.
    """
    runs = RunHistory(deployment)
    ingestion = deployment.ingestion
    load = runs.last_load()
    held, no_answer = _held(deployment, State(newest=load.get(payloads.NEWEST, 0), tables={}))
    # AWS forgets a run after ninety days, a local cloud when it goes down; the ledger forgets no batch.
    captured_at = next((each.captured_at for each in held.batches), None)
    fresh_as_of = runs.last_look(held.newest, since=captured_at) or captured_at
    return Status(
        fresh_as_of=fresh_as_of,
        lag_seconds=(datetime.now(UTC) - fresh_as_of).total_seconds() if fresh_as_of else None,
        last_success=runs.last_success(),
        failure=runs.last_failure(),
        awaited_login=runs.awaited_login(),
        under_way=runs.under_way(),
        no_answer=no_answer,
        pending=[*range(held.newest + 1, Journal(ingestion).newest() + 1)],
        replaying=how_far(ingestion, deployment.processed, STAR_TABLES),
        rebuilding=load.get(payloads.REBUILDING),
        batches=held.batches,
        tables=held.tables,
        quarantine=held.quarantine,
        drift=held.drift,
    )


def _held(deployment: Deployment, otherwise: State) -> tuple[State, str | None]:
    """What the warehouse says that it holds; or, where it does not answer, the given state and the reason."""
    try:
        return State.from_dict(ask(deployment, "AnswerFunction", {payloads.QUESTION: payloads.QUESTION_STATE})), None
    except UserError as error:
        return otherwise, str(error)
    except (BotoCoreError, ClientError) as error:
        return otherwise, f"the function that asks it was not reached. {refusal(error)}"
