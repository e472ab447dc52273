"""A deployment's warehouse held against its source, and mended."""

from collections.abc import Callable

from totes.capture import SOURCE_TABLES
from totes.star import STAR_TABLES
from totes.verify import Verdict, repair, verify
from workbench.deployment import Deployment


def verdict_on(deployment: Deployment, progress: Callable[[int, int], None]) -> Verdict:
    """Compare; see `totes.verify.verify`.

    Raises:
        TotesError: a database or the lake cannot be reached or read, or the warehouse holds nothing yet.
    """
    with deployment.source() as source, deployment.warehouse() as warehouse:
        return verify(source, warehouse, deployment.ingestion.bucket, SOURCE_TABLES, STAR_TABLES, progress)


def commit_repair(deployment: Deployment, verdict: Verdict) -> None:
    """Commit a batch of what differs, which the next run loads; see `totes.verify.repair`.

    Raises:
        TotesError: a database or the lake cannot be reached, read or written.
    """
    with deployment.source() as source, deployment.warehouse() as warehouse:
        repair(source, warehouse, deployment.ingestion.bucket, SOURCE_TABLES, STAR_TABLES, verdict)
