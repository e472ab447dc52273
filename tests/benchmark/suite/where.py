"""What an act is given: where its rows come from and where they go."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Where:
    """Places, as text, so that a process of its own can be told of them.

    Attributes:
        source: the shop's database.
        target: the database that is filled.
        lake: the folder that is the lake.
        files: the folder for files: the star's rows for psql to copy, and what extracts are written to.
        binaries: the folder of PostgreSQL's programs.
        tables: the source's tables, the largest first.
        stars: the star tables.
    """

    source: str
    target: str
    lake: str
    files: str
    binaries: str
    tables: list[str]
    stars: list[str]
