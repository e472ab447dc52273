"""What all handlers have in common: logs and metrics that say whose they are.

A line of a log is one JSON object with the execution and, where it is about one, the batch; the library's lines too. A
metric is a line of the log as well (CloudWatch's embedded metric format). No line has the row that a database's error
is about: a log is kept for a year, and is read by more people than the database.
"""

import logging
from collections.abc import Callable

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers
from aws_lambda_powertools.utilities.typing import LambdaContext

from totes.redaction import redact
from totes.telemetry import NAMESPACE


class _Formatter(LambdaPowertoolsFormatter):
    """Errors are written without details wherever a line has them: in its words, or in the traceback beneath."""

    def format(self, record: logging.LogRecord) -> str:
        words = record.args if isinstance(record.args, tuple) else ()
        beneath = record.exc_info[1] if record.exc_info else None
        for each in (record.msg, *words, beneath):
            if isinstance(each, BaseException):
                redact(each)
        return super().format(record)


logger = Logger(logger_formatter=_Formatter())
metrics = Metrics(namespace=NAMESPACE)
logging.getLogger("totes")  # it is registered by this: handlers import the library only after this module
copy_config_to_registered_loggers(source_logger=logger, include={"totes"})

_LAST_MILLISECONDS = 120_000


def time_is_up(context: LambdaContext) -> Callable[[], bool]:
    """Return what says whether a function should begin nothing more: after a third of its time.

    What it has begun then has the other two thirds to end in, and the schedule's next run brings what has changed
    meanwhile.
    """
    begun_by = context.get_remaining_time_in_millis() * 2 / 3
    return lambda: context.get_remaining_time_in_millis() < begun_by


def is_nearly_over(context: LambdaContext) -> Callable[[], bool]:
    """Return what says that a function whose next call is hours away begins nothing more: in its last two minutes."""
    return lambda: context.get_remaining_time_in_millis() < _LAST_MILLISECONDS
