"""A deployment's warehouse made anew from its lake; the source is not asked."""

from collections.abc import Callable

from totes.star import STAR_TABLES, replay, transform
from totes.warehouse import Loaded, load
from workbench.deployment import Deployment

Progress = Callable[[int, int], None]


def transform_waiting(deployment: Deployment) -> None:
    """Transform what waits, which is everything where the processed bucket was lost.

    Raises:
        TotesError: the lake cannot be reached, read or written.
    """
    transform(deployment.ingestion.bucket, deployment.processed, STAR_TABLES)


def transform_again(deployment: Deployment, first: int, progress: Progress) -> None:
    """Transform a batch and all that follow again, with this version of totes.

    Raises:
        TotesError: there is no such batch, or the lake cannot be reached, read or written.
    """
    replay(deployment.ingestion.bucket, deployment.processed, STAR_TABLES, first=first, progress=progress)


def load_again(deployment: Deployment, progress: Progress) -> Loaded:
    """Load everything that the lake holds into the warehouse again.

    Raises:
        TotesError: the lake or the warehouse cannot be reached, read or written.
    """
    with deployment.warehouse() as warehouse:
        return load(warehouse, deployment.processed, STAR_TABLES, rebuild=True, progress=progress)
