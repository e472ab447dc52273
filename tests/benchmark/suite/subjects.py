"""What is measured, and what it is held against."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum


class Target(Enum):
    """The database that an act fills."""

    NONE = "none"
    WAREHOUSE = "the warehouse of this repeat"
    SAME_TABLES = "the warehouse's tables, empty, with their keys"
    BARE_TABLES = "the source's tables, empty, without keys"
    KEYED_TABLES = "the source's tables, empty, with their keys"
    EMPTY = "an empty database"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One thing that is measured.

    Attributes:
        name: its name in results.
        group: what it belongs to; `ONLY` chooses groups.
        says: what it is, in the table.
        act: module and function in `acts`; "": the sum of `after`.
        target: what it fills.
        after: subjects that must have been before it in the same repeat.
        against: subjects whose time its own is held against, in the table.
        change: statements that the source runs first.
        in_baselines: whether it runs in the environment that has pandas and dlt.
        most_orders: it is not measured with more; None: always.
    """

    name: str
    group: str
    says: str
    act: str = ""
    target: Target = Target.NONE
    after: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    change: str = ""
    in_baselines: bool = False
    most_orders: int | None = None

    @property
    def is_totes(self) -> bool:
        """Whether it is totes that is measured."""
        return self.act.startswith("pipeline.") or not self.act


_ONE_MILLION = 1_000_000
"""Orders with which what keeps all rows of a table in memory, or sends them one by one, is measured at most."""

_PAY = """
    UPDATE payment SET paid = NOT paid WHERE payment_id IN (
        SELECT payment_id FROM (
            SELECT payment_id, row_number() OVER (ORDER BY payment_id) AS place, count(*) OVER () AS payments
            FROM payment
        ) AS placed
        WHERE place * {changes} / payments <> (place - 1) * {changes} / payments
    )
"""
"""Changes that lie as far from each other as they can."""

_LOADED = ("extract", "transform", "load")

SUBJECTS = (
    Subject(
        name="extract", group="extract", says="totes, to parquet", act="pipeline.extract", against=("copy out, csv",)
    ),
    Subject(name="copy out, csv", group="extract", says="psql \\copy, csv", act="programs.copy_out_csv"),
    Subject(name="copy out, binary", group="extract", says="psql \\copy, binary", act="programs.copy_out_binary"),
    Subject(name="cursor", group="extract", says="a server-side cursor, to csv", act="plain.cursor_of_the_server"),
    Subject(name="fetchall", group="extract", says="fetchall, to csv", act="plain.fetchall", most_orders=_ONE_MILLION),
    Subject(
        name="pandas",
        group="extract",
        says="fetchall and pandas, to parquet",
        act="frames.parquet",
        in_baselines=True,
        most_orders=_ONE_MILLION,
    ),
    Subject(
        name="transform",
        group="transform",
        says="totes",
        act="pipeline.transform",
        after=("extract",),
        against=("extract",),
    ),
    Subject(
        name="load",
        group="load",
        says="totes",
        act="pipeline.load",
        target=Target.WAREHOUSE,
        after=("transform",),
        against=("copy in, binary",),
    ),
    Subject(
        name="copy in, csv",
        group="load",
        says="psql \\copy, csv, the same rows and keys",
        act="programs.copy_in_csv",
        target=Target.SAME_TABLES,
        after=("load",),
    ),
    Subject(
        name="copy in, binary",
        group="load",
        says="psql \\copy, binary, the same rows and keys",
        act="programs.copy_in_binary",
        target=Target.SAME_TABLES,
        after=("load",),
    ),
    Subject(
        name="initial load",
        group="whole",
        says="totes: extract, transform, load",
        after=_LOADED,
        against=("reload",),
    ),
    Subject(
        name="reload",
        group="whole",
        says="reload: psql, binary, two connections, no keys",
        act="programs.reload",
        target=Target.BARE_TABLES,
    ),
    Subject(
        name="reload with keys",
        group="whole",
        says="the same into tables with their keys",
        act="programs.reload",
        target=Target.KEYED_TABLES,
    ),
    Subject(
        name="dlt",
        group="others",
        says="dlt, arrow to csv",
        act="by_dlt.replace",
        target=Target.EMPTY,
        in_baselines=True,
    ),
    Subject(
        name="executemany",
        group="others",
        says="fetchall and executemany",
        act="plain.executemany",
        target=Target.BARE_TABLES,
        most_orders=_ONE_MILLION,
    ),
    Subject(
        name="pandas and executemany",
        group="others",
        says="fetchall, pandas and executemany",
        act="frames.executemany",
        target=Target.BARE_TABLES,
        in_baselines=True,
        most_orders=_ONE_MILLION,
    ),
    *(
        Subject(
            name=f"tick, {what}",
            group="ticks",
            says=f"totes: {what}",
            act="pipeline.tick",
            target=Target.WAREHOUSE,
            after=("load",),
            against=("reload",),
            change=change,
        )
        for what, change in {
            "no change": "",
            "10,000 changes": _PAY.format(changes="10000"),
            "100 changes": _PAY.format(changes="100"),
            "a delete": "DELETE FROM payment WHERE payment_id = 7",
        }.items()
    ),
    Subject(
        name="verify",
        group="verify",
        says="totes: the warehouse compared with the source",
        act="pipeline.verify",
        target=Target.WAREHOUSE,
        after=("load",),
        against=("reload",),
    ),
    Subject(
        name="rebuild",
        group="rebuild",
        says="totes, beside the live tables",
        act="pipeline.rebuild",
        target=Target.WAREHOUSE,
        after=("load",),
        against=("copy in, binary",),
    ),
)
"""What is measured of a shop, in this order in each repeat."""

BATCHES = (
    Subject(
        name="first load",
        group="batches",
        says="totes: the first load",
        act="pipeline.load",
        target=Target.WAREHOUSE,
    ),
    Subject(
        name="tick on old lake",
        group="batches",
        says="totes: a tick without changes",
        act="pipeline.tick",
        target=Target.WAREHOUSE,
        after=("first load",),
    ),
    Subject(
        name="rebuild of batches",
        group="batches",
        says="totes: rebuild",
        act="pipeline.rebuild",
        target=Target.WAREHOUSE,
        after=("first load",),
    ),
)
"""What is measured of a lake of many small batches."""

GROUPS = tuple(dict.fromkeys(subject.group for subject in (*SUBJECTS, *BATCHES)))


def chosen(subjects: Sequence[Subject], groups: Collection[str]) -> list[Subject]:
    """Return the subjects of some groups, with those that they need and are held against, in their order."""
    of_groups = [subject for subject in subjects if subject.group in groups]
    wanted = {name for subject in of_groups for name in (subject.name, *subject.against)}
    for subject in reversed(subjects):  # what a subject needs comes before it
        if subject.name in wanted:
            wanted.update(subject.after)
    return [subject for subject in subjects if subject.name in wanted]
