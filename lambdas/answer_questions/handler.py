"""answer_questions: what a person asks of the databases, who does not reach them; nothing is changed."""

from dataclasses import asdict
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from totes_runtime.handlers import watched
from totes import payloads
from totes.answers import fitness, newest_loaded, quarantine, state_of
from totes.capture import SOURCE_TABLES
from totes.databases import connected
from totes.errors import SourceUnavailable, WarehouseUnavailable
from totes.settings import AnswerSettings
from totes.star import STAR_TABLES


@watched
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Answer the event's `question`: state, quarantine (a page of it, `about` which rows) or fitness."""
    settings = AnswerSettings.from_environment()
    source = partial(connected, settings.source_secret, login_name="source", unavailable=SourceUnavailable)
    warehouse = partial(connected, settings.warehouse_secret, login_name="warehouse", unavailable=WarehouseUnavailable)
    match event[payloads.QUESTION]:
        case payloads.QUESTION_STATE:
            with warehouse() as connection:
                return state_of(connection, STAR_TABLES).to_dict()
        case payloads.QUESTION_QUARANTINE:
            with warehouse() as connection:
                return quarantine(connection, **event.get(payloads.ABOUT, {})).to_dict()
        case payloads.QUESTION_FITNESS:
            findings = fitness(source, warehouse, SOURCE_TABLES, STAR_TABLES)
            found = [asdict(each) for each in findings]
            return {payloads.FINDINGS: found, payloads.NEWEST: newest_loaded(warehouse)}
        case unknown:
            raise ValueError(f"there is no question {unknown!r}; there are state, quarantine and fitness")
