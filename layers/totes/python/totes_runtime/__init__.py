"""What all handlers have in common: logs and metrics that say whose they are.

A line of a log is one JSON object with the execution and, where it is about one, the batch; the library's lines too. A
metric is a line of the log as well (CloudWatch's embedded metric format).
"""

import logging
from collections.abc import Callable

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers
from aws_lambda_powertools.utilities.typing import LambdaContext

from totes.telemetry import NAMESPACE

logger = Logger()
metrics = Metrics(namespace=NAMESPACE)
logging.getLogger("totes")  # it is registered by this: handlers import the library only after this module
copy_config_to_registered_loggers(source_logger=logger, include={"totes"})


def time_is_up(context: LambdaContext) -> Callable[[], bool]:
    """Return what says whether a function should begin nothing more: after a third of its time.

    What it has begun then has the other two thirds to end in, and the schedule's next run brings what has changed
    meanwhile.
    """
    begun_by = context.get_remaining_time_in_millis() * 2 / 3
    return lambda: context.get_remaining_time_in_millis() < begun_by
