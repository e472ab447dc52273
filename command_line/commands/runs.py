"""totes run, status, verify, rebuild and replay: what a deployment's runs do, and what they have come to."""

import json
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from command_line import rebuilding, verification
from command_line.commands import display, run_view, status_view, verification_view
from command_line.commands.target import Environment, Json, Local, State, deployment_of
from command_line.deployment import Deployment
from command_line.execution import run as run_execution
from command_line.following import following
from command_line.rebuilding import Rebuilt
from command_line.refusals import refusal
from command_line.status import status_of
from command_line.verification import Verification
from totes import payloads
from totes.capture import SOURCE_TABLES
from totes.errors import RetryableError, UserError

_SECONDS_BETWEEN_LOOKS = 5.0


def run(
    is_local: Local = False,
    state: State = None,
    environment: Environment = None,
    as_json: Json = False,
    accept_deletes: Annotated[
        list[str] | None,
        typer.Option(metavar="TABLE", help="Source table whose deletes are meant, however many; may be repeated."),
    ] = None,
) -> None:
    """Start one run and follow it, state by state; exit 0 only if it succeeded."""
    if unknown := sorted({*(accept_deletes or ())} - {table.name for table in SOURCE_TABLES}):
        raise UserError(
            f"there is no source table {unknown[0]!r}; name one of {', '.join(table.name for table in SOURCE_TABLES)}"
        )
    asked = {payloads.ACCEPT_DELETES: accept_deletes} if accept_deletes else {}
    run_and_follow(deployment_of(is_local, state, environment), asked, as_json=as_json)


def run_and_follow(deployment: Deployment, asked: Mapping[str, Any], *, as_json: bool) -> None:
    """Start one run, follow it and show what it came to; exit 1 unless it succeeded.

    Args:
        deployment: whose run.
        asked: the run's input.
        as_json: whether to print a document for programs, and no states.
    """
    with following() as request:
        result = run_execution(deployment, run_view.silent if as_json else run_view.state, asked, request=request)
    if as_json:
        print(result.to_json())
    else:
        run_view.result(result)
    if not result.succeeded:
        sys.exit(1)


def status(
    is_local: Local = False,
    state: State = None,
    environment: Environment = None,
    as_json: Json = False,
    watch: Annotated[bool, typer.Option("--watch", help="Show it again every few seconds, until Ctrl-C.")] = False,
    max_lag: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0.0, help="Exit 1 if the warehouse is further behind.")
    ] = None,
) -> None:
    """Show how fresh the warehouse is, and what waits.

    Exit 1 if the last run failed or had no login, or the warehouse does not answer.
    """
    deployment = deployment_of(is_local, state, environment)
    if watch:
        if as_json:
            raise UserError("--watch is for a screen; leave it out, and call totes status --json again and again")
        _watch(deployment)
        return
    found = status_of(deployment)
    if as_json:
        print(found.to_json())
    else:
        status_view.show(found)
        if deployment.scheduled:
            display.step("the local cloud's schedules start runs by themselves")
    wrong = (found.failure, found.awaited_login, found.no_answer)
    if any(each is not None for each in wrong) or found.is_later_than(max_lag):
        sys.exit(1)


def _watch(deployment: Deployment) -> None:
    with suppress(KeyboardInterrupt), status_view.watching() as show:
        found = status_of(deployment)  # what can never be asked is refused at once
        show(found, None)
        while True:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
            try:
                found = status_of(deployment)
            except (BotoCoreError, ClientError, RetryableError) as error:
                show(found, str(error) if isinstance(error, RetryableError) else refusal(error))
            else:
                show(found, None)


def verify(
    is_local: Local = False,
    state: State = None,
    environment: Environment = None,
    as_json: Json = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Repair what differs by runs that capture it again.")
    ] = False,
) -> None:
    """Compare the whole warehouse with the source; exit 0 only if it is equal.

    What is on its way, or in quarantine, is no difference.
    """
    deployment = deployment_of(is_local, state, environment)
    verdict = _verdict(deployment, to_repair=repair, as_json=as_json)
    if verdict.differences and repair:
        if not as_json:
            verification_view.verdict(verdict)
        with following() as request:
            verification.repair(deployment, verdict, run_view.silent if as_json else run_view.state, request)
        verdict = _verdict(deployment, as_json=as_json)
    if as_json:
        print(json.dumps(verdict.document, indent=2))
    else:
        verification_view.verdict(verdict)
    if verdict.differences:
        sys.exit(1)


def _verdict(deployment: Deployment, *, to_repair: bool = False, as_json: bool) -> Verification:
    with display.waiting("Comparing", shown=not as_json):
        return verification.verdict_on(deployment, to_repair=to_repair)


def rebuild(
    is_local: Local = False, state: State = None, environment: Environment = None, as_json: Json = False
) -> None:
    """Rebuild the warehouse from the lake, by runs that are followed until it is done; needs no source."""
    deployment = deployment_of(is_local, state, environment)
    with following(many_runs=True) as request, run_view.follow_rebuilding(shown=not as_json) as (follow, progress):
        rebuilt = rebuilding.rebuild(deployment, follow, progress, request)
    _show_rebuilt(rebuilt, as_json=as_json)


def replay(
    first: Annotated[int, typer.Option("--from", metavar="BATCH", help="The first batch to transform again.")],
    is_local: Local = False,
    state: State = None,
    environment: Environment = None,
    as_json: Json = False,
) -> None:
    """Transform batches again, after a mistake in a star table was fixed, and load the warehouse again."""
    deployment = deployment_of(is_local, state, environment)
    with following(many_runs=True) as request, run_view.follow_rebuilding(shown=not as_json) as (follow, progress):
        rebuilt = rebuilding.replay(deployment, first, follow, progress, request)
    _show_rebuilt(rebuilt, as_json=as_json)


def _show_rebuilt(rebuilt: Rebuilt, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({**asdict(rebuilt), "seconds": round(rebuilt.seconds, 3)}, indent=2))
    else:
        run_view.rebuilt(rebuilt)
