"""What a shop of some size costs, and where each step breaks: from what was measured, and from the templates."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from costs import Break, Measured, Sized, TemplateResource, TemplateSet, breaks, sized
from costs.by_size import CAPTURE, LOAD, PUBLISH, TRANSFORM, VERIFY
from costs.measured import DEFAULT, READ_BYTES_A_ROW, Growth
from costs.prices import DATABASE_GIB
from costs.shop import ROWS_AN_ORDER, YEARS, Shop
from totes.errors import UserError

MEBIBYTE = 1024**2
GIBIBYTE = 1024**3
WHOLE = 1769
"""MB of memory with which a function has a whole processor."""

LAMBDA = "AWS::Lambda::Function"
NOTHING = Growth(0, 0)

MEASURED = Measured(
    began="2026-01-01T00:00:00+00:00",
    sizes=(1, 2),
    extract=NOTHING,
    transform=NOTHING,
    load=NOTHING,
    idle=NOTHING,
    changed_seconds=0,
    change_seconds=0,
    verify=NOTHING,
    ingestion_bytes=NOTHING,
    processed_bytes=NOTHING,
    warehouse_bytes=NOTHING,
    batch_bytes=0,
)
"""Nothing takes anything."""


def template_set(*others: TemplateResource, memory: int = WHOLE, timeout: int = 900) -> TemplateSet:
    """The functions that a shop's size presses on, a machine that calls them every five minutes, and others."""
    functions = [
        TemplateResource(
            f"Function{number}",
            LAMBDA,
            {
                "FunctionName": f"totes-dev-{name}",
                "MemorySize": memory,
                "Timeout": timeout,
                "Architectures": ["arm64"],
            },
        )
        for number, name in enumerate((CAPTURE, TRANSFORM, LOAD, PUBLISH, VERIFY))
    ]
    machine = TemplateResource(
        "Machine", "AWS::StepFunctions::StateMachine", {"DefinitionString": [each.logical_id for each in functions]}
    )
    schedule = TemplateResource(
        "Schedule",
        "AWS::Scheduler::Schedule",
        {"ScheduleExpression": "rate(5 minutes)", "Target": {"Arn": {"Ref": "Machine"}}},
    )
    return TemplateSet([*functions, machine, schedule, *others])


def database(**properties: Any) -> TemplateResource:
    given = {"Engine": "postgres", "StorageType": "gp3", "DBInstanceClass": "db.t4g.micro", "AllocatedStorage": "20"}
    return TemplateResource("Database", "AWS::RDS::DBInstance", {**given, **properties})


DASHBOARD = TemplateResource("Snapshots", "AWS::S3::Bucket", {"CorsConfiguration": {}})


def used(found: Sized, kind: str) -> Mapping[str, float]:
    """What a resource type uses, by unit."""
    return {line.charge.price.unit: float(line.charge.quantity) for line in found.cost.lines if line.kind == kind}


def at(found: Sequence[Break], step: str, limit: str) -> int | None:
    """Where a step breaks."""
    [wanted] = [each for each in found if each.step == step and limit in each.limit]
    return wanted.orders_a_year


def test_a_line_goes_through_the_two_largest_sizes() -> None:
    assert Growth.through({100: 2.0, 500: 77.0, 300: 37.0}) == Growth.through({300: 37.0, 500: 77.0})
    assert Growth.through({100: 200.0, 200: 300.0}) == Growth(fixed=100.0, each=1.0)


def test_what_falls_with_the_size_stays_as_it_was_at_the_largest() -> None:
    assert Growth.through({100: 3.0, 200: 2.0}) == Growth(fixed=2.0, each=0.0)


def test_what_grows_faster_than_its_size_goes_on_as_at_the_largest() -> None:
    assert Growth.through({100: 1.0, 200: 4.0}) == Growth(fixed=0.0, each=0.02)


def test_a_shop_has_its_years_of_orders_and_their_rows() -> None:
    shop = Shop(1_000_000, tick_minutes=5)
    assert shop.orders == YEARS * 1_000_000
    assert shop.rows == shop.orders * ROWS_AN_ORDER
    # Each order, purchase, transaction and payment; each payment once more; one edit in ten orders.
    assert shop.changes_a_year == pytest.approx(1_000_000 * (3 * 1.42 + 1.42 + 0.1))


def test_the_busiest_tick_of_a_shop_brings_a_days_payments() -> None:
    assert Shop(1_000_000, tick_minutes=5).busiest_changes == pytest.approx(1_420_000 / 260)
    # Ticks of a day leave no day's payments beyond what the day sells.
    assert Shop(1_000_000, tick_minutes=660).busiest_changes == pytest.approx(3 * 4_360_000 / 260)


def test_in_a_small_shop_most_ticks_bring_nothing_and_in_a_large_one_all_in_opening_hours_do() -> None:
    open_ticks = 260 * 11 * 12
    assert Shop(100, tick_minutes=5).changed_ticks_a_year == pytest.approx(142, rel=0.01)
    assert Shop(10**8, tick_minutes=5).changed_ticks_a_year == pytest.approx(open_ticks)


def test_no_first_load_is_too_long() -> None:
    slow = Growth(100, 1)
    found = breaks(template_set(timeout=900), replace(MEASURED, extract=slow, transform=slow, load=slow))
    assert not [each for each in found if "minutes of a function" in each.limit and each.orders_a_year is not None]


def test_a_fact_breaks_where_it_has_more_versions_than_a_rebuild_makes() -> None:
    found = at(breaks(template_set(), MEASURED), "first load and rebuild: the largest fact", "50 million versions")
    assert found == math.floor(50_000_000 / (2 * 1.42 * YEARS))


def test_a_function_with_half_a_processor_takes_twice_as_long() -> None:
    measured = replace(MEASURED, verify=Growth(0, 0.001))
    halves = breaks(template_set(memory=WHOLE // 2), measured)
    assert at(halves, "nightly comparison", "minutes") == pytest.approx(450_000 / YEARS, rel=0.01)
    # More memory than a processor's makes nothing faster: one processor was measured.
    doubled = breaks(template_set(memory=WHOLE * 2), measured)
    assert at(doubled, "nightly comparison", "minutes") == 900_000 // YEARS


def test_ticks_break_where_one_takes_longer_than_until_the_next() -> None:
    measured = replace(MEASURED, idle=Growth(0, 0.0001), change_seconds=0.01)
    found = breaks(template_set(), measured)
    assert at(found, "tick without changes", "5 minutes") == 3_000_000 // YEARS
    # 300 s = 0.0001 s for each order of the years + 0.01 s for each of a day's payments.
    assert at(found, "busiest tick", "5 minutes") == math.floor(300 / (YEARS * 0.0001 + 1.42 / 260 * 0.01))


def test_a_warehouse_breaks_where_its_storage_or_its_instance_is_too_small() -> None:
    measured = replace(MEASURED, warehouse_bytes=Growth(0, GIBIBYTE / 1_000_000))
    templates = template_set(database(MaxAllocatedStorage=100))
    found = breaks(templates, measured)
    storage, instance = at(found, "warehouse: storage", "100 GiB"), at(found, "warehouse: instance", "db.t4g.micro")
    assert storage is not None
    assert instance is not None
    gib = sized(templates, storage, measured).stored.warehouse / GIBIBYTE
    assert gib * 3 == pytest.approx(100, rel=1e-4)
    assert sized(templates, instance, measured).stored.warehouse / GIBIBYTE == pytest.approx(10, rel=1e-4)


def test_a_larger_shop_is_priced_with_the_instance_and_the_storage_that_it_needs() -> None:
    measured = replace(MEASURED, warehouse_bytes=Growth(0, GIBIBYTE / 1_000_000))
    templates = template_set(database())
    small, large = (sized(templates, orders, measured) for orders in (1000, 10_000_000))
    assert (small.instance, large.instance) == ("db.t4g.micro", "db.t4g.large")
    assert used(small, "AWS::RDS::DBInstance")["GB-months (gp3)"] == 20
    assert used(large, "AWS::RDS::DBInstance")["GB-months (gp3)"] == math.ceil(large.stored.warehouse / GIBIBYTE * 3)
    assert large.cost.usd > small.cost.usd


def test_an_instance_that_is_too_small_can_be_replaced_by_one_that_the_table_of_costs_has() -> None:
    measured = replace(MEASURED, warehouse_bytes=Growth(0, GIBIBYTE / 1_000_000))
    found = breaks(template_set(database()), measured)
    [instance] = [each for each in found if each.step == "warehouse: instance"]
    assert instance.remedy.startswith(f"a larger instance_type, up to {list(DATABASE_GIB)[-1]}: ")


def test_an_instance_that_is_large_enough_stays() -> None:
    templates = template_set(database(DBInstanceClass="db.t4g.medium"))
    assert sized(templates, 1000, MEASURED).instance == "db.t4g.medium"


def test_a_warehouse_that_no_instance_is_large_enough_for_is_not_known_and_not_free() -> None:
    measured = replace(MEASURED, warehouse_bytes=Growth(0, GIBIBYTE))
    found = sized(template_set(database()), 1_000_000, measured)
    assert [each.kind for each in found.cost.unknown] == ["AWS::RDS::DBInstance"]


def test_functions_are_charged_for_what_a_tick_takes_beyond_an_idle_one_of_the_smallest_shop() -> None:
    measured = replace(MEASURED, idle=Growth(0, 0.00001), sizes=(100_000, 1_000_000))
    small, large = (sized(template_set(), orders, measured) for orders in (10_000, 1_000_000))
    unit = "GB-seconds (arm64)"
    seconds = (used(large, LAMBDA)[unit] - used(small, LAMBDA)[unit]) / (WHOLE / 1024)
    assert seconds == pytest.approx(8760 * 0.00001 * (YEARS * 1_000_000 - 100_000), rel=1e-6)


def test_the_dashboard_breaks_first_where_nothing_else_takes_anything_and_is_then_taken_to_be_off() -> None:
    templates = template_set(DASHBOARD)
    found = breaks(templates, MEASURED)
    first = at(found, "dashboard: its first number", "10 seconds")
    assert first == found[0].orders_a_year
    assert first is not None
    shown, off = sized(templates, first, MEASURED), sized(templates, first + 1, MEASURED)
    assert shown.look_bytes > 0
    assert used(shown, "AWS::S3::Bucket")["GB-months"] > 0
    assert off.look_bytes == used(off, "AWS::S3::Bucket")["GB-months"] == 0


def test_a_larger_shop_asks_s3_for_its_changed_ticks_and_for_the_audit_of_its_batches() -> None:
    lake = [TemplateResource(name, "AWS::S3::Bucket", {}) for name in ("Ingestion", "Processed")]
    found = used(sized(template_set(*lake), 10**8, MEASURED), "AWS::S3::Bucket")
    changed = 260 * 11 * 12  # a year: every tick while it is open
    batches = changed * YEARS
    assert found["PUT and LIST requests"] == pytest.approx(8760 * 9 + changed / 12 * 20 + 730 / 24 * batches / 7 * 0.07)
    assert found["GET requests"] == pytest.approx(8760 * 4 + changed / 12 * 30 + 730 / 24 * batches / 7 * 2.3)


def test_what_is_published_is_asked_of_the_dashboards_bucket_until_it_is_off() -> None:
    shown, off = (sized(template_set(DASHBOARD), orders, MEASURED) for orders in (10_000, 10**8))
    assert used(off, "AWS::S3::Bucket")["PUT and LIST requests"] == 8760
    publications = Shop(10_000, tick_minutes=5).changed_ticks_a_year / 12
    assert used(shown, "AWS::S3::Bucket")["PUT and LIST requests"] == pytest.approx(8760 + 19 * publications)


def test_the_source_is_read_every_night_and_a_gateway_charges_for_it() -> None:
    gateway = TemplateResource("Nat", "AWS::EC2::NatGateway", {})
    small, large = (sized(template_set(gateway), orders, MEASURED) for orders in (1000, 1_000_000))
    assert large.night_bytes == pytest.approx(1_000_000 * YEARS * ROWS_AN_ORDER * READ_BYTES_A_ROW)
    more = (large.night_bytes - small.night_bytes) / GIBIBYTE * 730 / 24
    through = [used(each, "AWS::EC2::NatGateway")["GB processed"] for each in (small, large)]
    assert through[1] - through[0] == pytest.approx(more)


def test_what_has_no_dashboard_has_none_that_breaks() -> None:
    assert not any(each.step.startswith("dashboard") for each in breaks(template_set(), MEASURED))


def test_a_lake_holds_rows_and_batches() -> None:
    of_batches = replace(MEASURED, batch_bytes=1000)
    shop = Shop(1_000_000, tick_minutes=5)
    found = sized(template_set(), 1_000_000, of_batches).stored
    assert found.ingestion == pytest.approx(shop.changed_ticks_a_year * YEARS * 1000)
    of_rows = sized(template_set(), 1_000_000, replace(MEASURED, processed_bytes=Growth(0, 10))).stored
    assert of_rows.processed == pytest.approx(YEARS * 10_000_000 * 5.78 / 4.26)


def test_what_there_is_no_function_for_is_said() -> None:
    with pytest.raises(UserError, match="there is no function raw_data_to_ingestion_bucket in the templates"):
        breaks(TemplateSet(template_set().resources[5:]), MEASURED)


def test_a_schedule_that_is_off_or_missing_is_said() -> None:
    *others, schedule = template_set().resources
    off = replace(schedule, properties={**schedule.properties, "State": "DISABLED"})
    with pytest.raises(UserError, match="no schedule is enabled"):
        TemplateSet([*others, off])
    with pytest.raises(UserError, match="nothing in the templates is seen to start it"):
        TemplateSet(others)


def series(subject: str, of: str, number: int, seconds: float) -> Mapping[str, Any]:
    """A subject that the processors have worked for so long for, a quarter of it PostgreSQL's, on a busy machine."""
    sample = {"seconds": 7 * seconds, "cpu": 0.75 * seconds, "server_cpu": 0.25 * seconds, "peak": seconds * MEBIBYTE}
    return {"subject": subject, "of": of, "number": number, "samples": [sample], "missing": ""}


def document() -> dict[str, Any]:
    """A result of `make bench` as it would write it."""
    subjects = {
        "extract": 10,
        "transform": 2,
        "load": 20,
        "tick, no change": 1,
        "tick, 100 changes": 1.5,
        "tick, 10,000 changes": 3.48,
        "verify": 30,
    }
    return {
        "format": 1,
        "began": "2026-01-01T00:00:00+00:00",
        "series": [
            *(series(name, "orders", 100, seconds) for name, seconds in subjects.items()),
            *(series(name, "orders", 200, seconds * 1.5) for name, seconds in subjects.items()),
            series("first load", "batches", 10, 1),
        ],
        "stored": {
            "100 orders": {"ingestion": 1000, "processed": 500, "warehouse": 9000},
            "200 orders": {"ingestion": 2000, "processed": 1000, "warehouse": 10_000},
            "10 batches": {"ingestion": 300, "processed": 200},
        },
    }


def written(folder: Path, content: object) -> Path:
    file = folder / "result.json"
    file.write_text(json.dumps(content))
    return file


def test_a_result_of_make_bench_is_read(tmp_path: Path) -> None:
    found = Measured.read(written(tmp_path, document()))
    assert found.sizes == [100, 200]
    assert found.extract == Growth(fixed=5, each=0.05)
    assert found.warehouse_bytes == Growth(fixed=8000, each=10)
    assert found.batch_bytes == 50
    # At the larger size a tick takes 1.5 s, 2.25 s with 100 changes, and 5.22 s with 10,000.
    assert found.change_seconds == pytest.approx(0.0003)
    assert found.tick_seconds(200, 100) == pytest.approx(2.25)
    assert found.tick_seconds(200, 10_000) == pytest.approx(5.22)
    assert found.tick_seconds(200, 0) == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("taken_out", "said"),
    [
        (lambda found: found["series"].pop(6), '"verify" at two sizes'),
        (lambda found: found["series"].pop(), "any old lake"),
        (lambda found: found["stored"].pop("200 orders"), "what 200 orders take"),
        (lambda found: found.pop("stored"), "what 100 orders take"),
    ],
)
def test_a_result_that_lacks_something_is_refused_with_how_it_is_measured(
    taken_out: Any, said: str, tmp_path: Path
) -> None:
    content = document()
    taken_out(content)
    with pytest.raises(UserError, match=f"{said}.*make bench ORDERS=100000,1000000") as refused:
        Measured.read(written(tmp_path, content))
    assert str(tmp_path) in str(refused.value)


@pytest.mark.parametrize("content", [{"format": 2}, [], 7])
def test_what_is_no_result_is_refused(content: object, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"result\.json is no result of make bench"):
        Measured.read(written(tmp_path, content))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.json is no result of make bench"):
        Measured.read(tmp_path / "nowhere.json")


def test_the_result_that_is_checked_in_has_all_that_is_read() -> None:
    found = Measured.read(DEFAULT)
    assert len(found.sizes) >= 2
    assert all(step.each > 0 for step in (found.extract, found.transform, found.load))
    assert found.change_seconds > 0
