"""Generations: what is made again under another name, because CloudFormation does not make a lost resource again."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Lake:
    """Which buckets the lake is in.

    Attributes:
        ingestion, processed: the generation of each bucket. A higher number makes another bucket, empty, that replaces
            the old one; the old one stays where it is, if it still exists (docs/disasters.md).
    """

    ingestion: int = 1
    processed: int = 1


def generation_of(name: str, number: int, between: str = "") -> str:
    """The name of a generation of something: the first has the name itself, a later one its number behind it."""
    return name if number == 1 else f"{name}{between}{number}"
