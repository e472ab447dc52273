"""ingestion_to_processed_bucket: every batch that waits in the lake becomes star rows."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from totes_runtime.handlers import time_is_up, watched
from totes import payloads
from totes.lake import Bucket
from totes.settings import StarSettings
from totes.star import STAR_TABLES, replay, transform, transform_piece
from totes_runtime.answers import failed_pieces, transform_answer
from totes_runtime.athena import list_parts


@watched
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Transform the piece that is asked for; or what waits, and go on with a replay.

    `waiting` says whether the next run has to go on; `untransformed`, which pieces many functions have to transform
    first. A person asks for a replay by `replay_from`, its first batch, in the event's `asked`.
    """
    settings, is_up = StarSettings.from_environment(), time_is_up(context)
    ingestion, processed = Bucket(settings.ingestion_bucket), Bucket(settings.processed_bucket)
    where = ingestion, processed, STAR_TABLES
    if payloads.PIECE in event:
        return {payloads.DONE: transform_piece(*where, event[payloads.BATCH], event[payloads.PIECE])}
    failed, most = failed_pieces(event.get(payloads.TRANSFORMED, []), payloads.BATCH), settings.rows_in_one_function
    transformed = transform(*where, rows_in_one_function=most, failed=failed, time_is_up=is_up)
    first, run = event.get(payloads.ASKED, {}).get(payloads.REPLAY_FROM), event.get(payloads.EXECUTION)
    replayed = replay(*where, first=first, asked_by=run, time_is_up=is_up)
    listed = {} if settings.athena_database is None else {payloads.LISTED: list_parts(processed, is_up)}
    return {
        **transform_answer(transformed),
        **listed,
        payloads.WAITING: transformed.waiting or (replayed is not None and not replayed.published),
        payloads.REPLAYED: asdict(replayed) if replayed else None,
    }
