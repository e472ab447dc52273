"""The lists of tables are complete, and what the star is made of is in the contract with the source."""

import re
from pathlib import Path

import pytest

import totes.capture.tables
import totes.star.tables
from tests.support.oracle import ACTUAL, EXPECTED
from totes.capture import SOURCE_TABLES
from totes.capture.source_schema import Family
from totes.star import STAR_TABLES
from totes.star_schema import Calendar, Dimension, Fact, StarTable

STAMPED = "created_date created_time last_updated_date last_updated_time"

BRIEF = {
    "dim_counterparty": (
        "counterparty_id counterparty_legal_name counterparty_legal_address_line_1 counterparty_legal_address_line_2 "
        "counterparty_legal_district counterparty_legal_city counterparty_legal_postal_code "
        "counterparty_legal_country counterparty_legal_phone_number"
    ),
    "dim_currency": "currency_id currency_code currency_name",
    "dim_date": "date_id year month day day_of_week day_name month_name quarter",
    "dim_design": "design_id design_name file_location file_name",
    "dim_location": "location_id address_line_1 address_line_2 district city postal_code country phone",
    "dim_payment_type": "payment_type_id payment_type_name",
    "dim_staff": "staff_id first_name last_name department_name location email_address",
    "dim_transaction": "transaction_id transaction_type sales_order_id purchase_order_id",
    "fact_payment": (
        f"payment_id {STAMPED} transaction_id counterparty_id payment_amount currency_id payment_type_id paid "
        "payment_date"
    ),
    "fact_purchase_order": (
        f"purchase_order_id {STAMPED} staff_id counterparty_id item_code item_quantity item_unit_price currency_id "
        "agreed_delivery_date agreed_payment_date agreed_delivery_location_id"
    ),
    "fact_sales_order": (
        f"sales_order_id {STAMPED} sales_staff_id counterparty_id units_sold unit_price currency_id design_id "
        "agreed_payment_date agreed_delivery_date agreed_delivery_location_id"
    ),
}

CAPTURE = "layers/totes/python/totes/capture/tables"
STAR = "layers/totes/python/totes/star/tables"


@pytest.mark.parametrize(
    ("package", "names"),
    [
        (totes.capture.tables, [table.name for table in SOURCE_TABLES]),
        (totes.star.tables, [table.name for table in STAR_TABLES]),
    ],
)
def test_a_table_is_one_file_and_one_line_in_a_list(package: object, names: list[str]) -> None:
    folder = Path(str(getattr(package, "__file__"))).parent  # noqa: B009 - a module, which mypy knows no file of
    files = sorted(file.stem for file in folder.glob("*.py") if file.stem != "__init__")
    which = ", ".join(sorted({*names} ^ {*files}))
    assert sorted(names) == files, f"{folder}/__init__.py lists each file beside it, and nothing else: {which}"


def test_the_star_has_the_briefs_tables_and_columns_and_what_is_added_comes_behind() -> None:
    columns = {table.name: [column.name for column in table.columns] for table in STAR_TABLES}
    for name, briefs in BRIEF.items():
        assert columns[name][: len(briefs.split())] == briefs.split(), (
            f"{STAR}/{name}.py begins with the brief's columns"
        )


@pytest.mark.parametrize("star", [star for star in STAR_TABLES if not isinstance(star, Calendar)], ids=lambda s: s.name)
def test_every_column_is_made_of_one_that_the_contract_asks_for(star: Fact | Dimension) -> None:
    contract = {table.name: table for table in SOURCE_TABLES}
    joined = {join.table: join for join in star.joins}
    for column in star.columns:
        table, _, name = column.of.rpartition(".")
        source = table or star.source
        assert source in contract, f"{STAR}/{star.name}.py reads {source}: {CAPTURE} has no file for it"
        assert name in contract[source].columns, f"{star.name}.{column.name}: {CAPTURE}/{source}.py lacks {name}"
        assert not table or table in joined, f"{STAR}/{star.name}.py has no Join of {table}"


@pytest.mark.parametrize("star", [star for star in STAR_TABLES if not isinstance(star, Calendar)], ids=lambda s: s.name)
def test_no_amount_is_made_of_an_integer_which_does_not_say_whether_it_is_in_pence(star: Fact | Dimension) -> None:
    contract = {table.name: table for table in SOURCE_TABLES}
    for column in (column for column in star.columns if column.scale):
        table, _, name = column.of.rpartition(".")
        assert contract[table or star.source].columns[name] is not Family.INTEGER, (
            f"{CAPTURE}/{table or star.source}.py: {name} is an integer, and {star.name}.{column.name} has decimals. "
            "Nothing says how many of its digits they are, so every row would be in quarantine: have the source keep a "
            "numeric, which may be generated of the integer"
        )


@pytest.mark.parametrize("star", STAR_TABLES, ids=lambda star: star.name)
def test_a_tables_key_is_one_of_its_columns_and_never_null(star: StarTable) -> None:
    [key] = [column for column in star.columns if column.name == star.key]
    assert not key.nullable


def test_a_join_is_captured_together_with_what_it_completes() -> None:
    completed = {table.name: dict(table.completed_by) for table in SOURCE_TABLES}
    joins = {
        star.source: {join.on: join.table for join in star.joins}
        for star in STAR_TABLES
        if isinstance(star, Dimension) and star.joins
    }
    said = {name: references for name, references in completed.items() if references}
    assert joins == said, f"completed_by in {CAPTURE} says which joins there are in {STAR}"


@pytest.mark.parametrize("star", [star for star in STAR_TABLES if not isinstance(star, Calendar)], ids=lambda s: s.name)
def test_the_oracle_compares_every_column_of_the_star(star: Fact | Dimension) -> None:
    assert star.name in EXPECTED, f"tests/support/oracle.py: EXPECTED lacks {star.name}, so nothing would compare it"
    assert star.name in ACTUAL, f"tests/support/oracle.py: ACTUAL lacks {star.name}, so nothing would compare it"
    compared = selected(ACTUAL[star.name])
    assert compared == [column.name for column in star.columns], f"tests/support/oracle.py: ACTUAL of {star.name}"
    assert len(selected(EXPECTED[star.name])) == len(compared), f"tests/support/oracle.py: EXPECTED of {star.name}"


def selected(query: str) -> list[str]:
    """What a query selects; a comma within parentheses parts nothing."""
    [columns] = re.findall(r"SELECT\s+(.*?)\s+FROM ", query, flags=re.DOTALL)
    return [each.strip() for each in re.sub(r"\([^)]*\)", "", columns).split(",")]
