"""What an environment costs where the shop is larger: its templates, used as a shop of that size would use them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from costs import assumptions, prices
from costs.assumptions import A_SMALL_SHOP, Use
from costs.estimate import Estimate, estimate
from costs.measured import (
    FIRST_NUMBER,
    PUBLICATION,
    READ_BYTES_A_ROW,
    SNAPSHOT_BYTES_AN_ORDER,
    TICK_BYTES_A_MONTHS_ORDER,
    Measured,
)
from costs.shop import ROWS_AN_ORDER, VERSIONS_AN_ORDER, YEARS, Shop
from costs.templates import Runs, TemplateResource, Unpriceable
from totes.errors import UserError

GIB = 1024**3
_MIB = 1024**2
_WHOLE_PROCESSOR_MB = 1769

MEMORY_SHARE = 10
STORAGE_SHARE = 3
"""A rebuild needs 2.7 times the live warehouse as it builds its largest table, and the server's log has to grow too."""
FIRST_NUMBER_SECONDS = 10

CAPTURE, TRANSFORM, LOAD = (
    "raw_data_to_ingestion_bucket",
    "ingestion_to_processed_bucket",
    "processed_bucket_to_warehouse",
)
PUBLISH, VERIFY = "publish_snapshot", "verify_warehouse"
_DATABASE = "AWS::RDS::DBInstance"

ASSUMED = (
    "everything grows along the straight line through the two largest shops that were measured",
    "a function's memory does not grow with the shop: what it holds at once is bounded",
    (
        "no first load is too long: a large one is captured and transformed in pieces, by many functions, whose "
        "seconds are added up here, and what a load has no time for the next run goes on with"
    ),
    "a step takes as long as the function's and PostgreSQL's processors together, as if they took turns",
    (
        "a processor of Lambda is as fast as the one that was measured, and a function of less than "
        f"{_WHOLE_PROCESSOR_MB:,} MB has its share of one"
    ),
    "PostgreSQL has the shop's tables in memory; from a disk a tick takes longer. What S3 takes to answer is not in it",
    (
        f"every night all of the source is read, some {READ_BYTES_A_ROW} bytes a row: its owner may pay for that as "
        "data out, and what the network takes is in no time here"
    ),
    "a merge of sorted runs writes each row of the lake as often as the lake can double, and nothing there is deleted",
    (
        f"the warehouse's instance has a {MEMORY_SHARE}th of its data in memory, and {STORAGE_SHARE} times its "
        "storage, for a rebuild makes it again beside the live one; an instance is priced by its memory, a GiB as in "
        "the smallest"
    ),
    f"the dashboard is taken to be switched off where its first number comes after {FIRST_NUMBER_SECONDS} seconds",
    "the year's work is spread evenly over its months, and the first load is not in a month's price",
)
"""What is assumed of totes and AWS, a sentence each."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """What a template gives a function.

    Attributes:
        seconds: how long it may take.
        slower: how many times longer it takes than was measured, for it has less than a processor.
    """

    seconds: float
    slower: float


class TemplateSet:
    """An environment's templates, as far as a shop's size presses on them."""

    def __init__(self, resources: Sequence[TemplateResource]) -> None:
        self.resources = resources
        self.tick_minutes = _tick_minutes(resources)
        self.databases = [each for each in resources if each.kind == _DATABASE]
        self.has_dashboard = any("CorsConfiguration" in each.properties for each in resources)

    def shop(self, orders_a_year: int) -> Shop:
        """A shop that this looks at."""
        return Shop(orders_a_year, self.tick_minutes)

    def function(self, name: str) -> Function:
        """A function by its own name.

        Raises:
            UserError: the templates have none of that name.
        """
        for each in self.resources:
            if each.kind == "AWS::Lambda::Function" and str(each.properties.get("FunctionName")).endswith(f"-{name}"):
                memory = float(each.number("MemorySize", default=128))
                return Function(
                    seconds=float(each.number("Timeout", default=3)),
                    slower=max(1.0, _WHOLE_PROCESSOR_MB / memory),
                )
        raise UserError(f"there is no function {name} in the templates, so nothing is known of what a shop asks of it")


@dataclass(frozen=True)
class Stored:
    """What a shop keeps, in bytes.

    Attributes:
        ingestion, processed: the lake's buckets.
        warehouse: the warehouse, with every version.
        snapshots: the dashboard's bucket.
    """

    ingestion: float
    processed: float
    warehouse: float
    snapshots: float

    @classmethod
    def of(cls, shop: Shop, measured: Measured) -> "Stored":
        """What a shop keeps after its years."""
        versions = VERSIONS_AN_ORDER / ROWS_AN_ORDER
        batches = shop.changed_ticks_a_year * YEARS
        merges = math.log2(max(2.0, shop.rows / max(1.0, shop.usual_changes)))
        return cls(
            ingestion=measured.ingestion_bytes.at(shop.orders) * versions * merges + batches * measured.batch_bytes,
            processed=measured.processed_bytes.at(shop.orders) * versions,
            warehouse=measured.warehouse_bytes.at(shop.orders) * versions,
            snapshots=shop.orders * SNAPSHOT_BYTES_AN_ORDER + batches * _rewritten(shop),
        )


@dataclass(frozen=True)
class Sized:
    """An environment and a shop of some size.

    Attributes:
        shop: the shop.
        stored: what it keeps.
        first_load: seconds of capture, transform and load.
        idle_tick, usual_tick, busiest_tick: seconds of the three together.
        night_bytes: what the nightly comparison reads of the source.
        look_bytes: what a browser reads each time that somebody opens the dashboard.
        instance: the class of the warehouse's instance; "": it is in no template.
        cost: a month's.
    """

    shop: Shop
    stored: Stored
    first_load: tuple[float, float, float]
    idle_tick: float
    usual_tick: float
    busiest_tick: float
    night_bytes: float
    look_bytes: float
    instance: str
    cost: Estimate


def sized(templates: TemplateSet, orders_a_year: int, measured: Measured) -> Sized:
    """What an environment costs a month whose shop sells so many orders a year, as if no step broke."""
    shop = templates.shop(orders_a_year)
    stored = Stored.of(shop, measured)
    capture, transform, load = (templates.function(name).slower for name in (CAPTURE, TRANSFORM, LOAD))
    resources = _with_room(templates, stored.warehouse)
    instances = [str(each.properties["DBInstanceClass"]) for each in resources if each.kind == _DATABASE]
    use = _use(templates, shop, stored, measured)
    return Sized(
        shop=shop,
        stored=stored,
        first_load=(
            measured.extract.at(shop.orders) * capture,
            measured.transform.at(shop.orders) * transform,
            measured.load.at(shop.orders) * load,
        ),
        idle_tick=measured.tick_seconds(shop.orders, 0) * capture,
        usual_tick=measured.tick_seconds(shop.orders, shop.usual_changes) * capture,
        busiest_tick=measured.tick_seconds(shop.orders, shop.busiest_changes) * capture,
        night_bytes=float(use.gb_a_night) * GIB,
        look_bytes=float(use.mb_a_look) * _MIB,
        instance=instances[0] if instances else "",
        cost=estimate(resources, use),
    )


def _use(templates: TemplateSet, shop: Shop, stored: Stored, measured: Measured) -> Use:
    """What a small shop uses, and what this one uses beyond it."""
    changed = shop.changed_ticks_a_year / shop.ticks_a_year
    small = measured.tick_seconds(measured.sizes[0], 0)
    mean = measured.idle.at(shop.orders)
    mean += changed * measured.changed_seconds
    mean += shop.changes_a_year / shop.ticks_a_year * measured.change_seconds
    beyond = max(0.0, mean - small) * templates.function(CAPTURE).slower / 3
    seconds = dict(A_SMALL_SHOP.seconds_a_run)
    for name in (CAPTURE, TRANSFORM, LOAD):
        seconds[name] += Decimal(beyond)
    seconds[VERIFY] = Decimal(measured.verify.at(shop.orders) * templates.function(VERIFY).slower)
    shown = templates.has_dashboard and FIRST_NUMBER.at(shop.orders) <= FIRST_NUMBER_SECONDS
    if shown:
        of_all = PUBLICATION.each / SNAPSHOT_BYTES_AN_ORDER
        seconds[PUBLISH] += Decimal(changed * _rewritten(shop) * of_all)
    return replace(
        A_SMALL_SHOP,
        seconds_a_run=seconds,
        gb_a_bucket=Decimal((stored.ingestion + stored.processed) / 2 / GIB),
        gb_of_snapshots=Decimal(stored.snapshots / GIB) if shown else Decimal(0),
        mb_a_look=Decimal(_look_bytes(shop) / _MIB) if shown else Decimal(0),
        changed=Decimal(changed),
        published=Decimal(changed) if shown else Decimal(0),
        batches=Decimal(shop.changed_ticks_a_year * YEARS),
        gb_a_night=Decimal(shop.rows * READ_BYTES_A_ROW / GIB),
    )


def _rewritten(shop: Shop) -> float:
    """Bytes of the snapshot that a tick writes again."""
    return shop.orders_a_year / 12 * TICK_BYTES_A_MONTHS_ORDER


def _look_bytes(shop: Shop) -> float:
    """The files that were written since the last look, and all of them once a month for each reader."""
    return _rewritten(shop) + shop.orders * SNAPSHOT_BYTES_AN_ORDER * assumptions.READERS / assumptions.LOOKS


def _with_room(templates: TemplateSet, warehouse_bytes: float) -> Sequence[TemplateResource]:
    """The resources with a database that the warehouse has room in; never a smaller one than the templates say."""
    wanted = warehouse_bytes / GIB
    return [
        replace(each, properties={**each.properties, **_room(each, wanted)}) if each.kind == _DATABASE else each
        for each in templates.resources
    ]


def _room(database: TemplateResource, wanted: float) -> dict[str, object]:
    classes = list(prices.DATABASE_GIB)
    given = str(database.properties.get("DBInstanceClass"))
    enough = [name for name in classes if prices.DATABASE_GIB[name] * MEMORY_SHARE >= wanted]
    small = given in classes and (not enough or classes.index(given) < classes.index(enough[0]))
    return {
        "DBInstanceClass": (enough[0] if enough else "an instance larger than these") if small else given,
        "AllocatedStorage": max(float(database.number("AllocatedStorage")), math.ceil(wanted * STORAGE_SHARE)),
    }


def _tick_minutes(resources: Sequence[TemplateResource]) -> float:
    try:
        ticks = Runs(resources).ticks
    except Unpriceable as reason:
        raise UserError(f"how often the shop is looked at does not follow from these templates: {reason}") from reason
    if not ticks:
        raise UserError("no schedule is enabled in these templates, so nobody looks at the shop: name another --env")
    return float(assumptions.HOURS_A_MONTH * 60 / ticks)
