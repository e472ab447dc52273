"""Processes that tests start and kill.

They are forks of one that has imported what they need and done nothing yet: Polars' threads do not outlive a fork, and
to import the library again takes a second each time.
"""

import multiprocessing
from multiprocessing import forkserver

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [
        "tests.support.garbage",
        *("aws_lambda_powertools", "boto3", "moto", "polars", "psycopg2"),
        *("totes.capture", "totes.databases", "totes.star", "totes.verify", "totes.warehouse", "totes_runtime.rows"),
        *("command_line.commands", "local_cloud.daemon", "local_cloud.endpoint"),
        *("tests.faults.worker", "tests.support.aws_models"),
        # A fork imports the main module too; these are what takes time in that of a soak.
        *("numpy", "rich.console", "tests.faults.random_faults"),
        "tests.support.warm",
    ]
)


def start() -> None:
    """Start the process that forks, which keeps the environment variables of this moment."""
    forkserver.ensure_running()
