"""Where Athena is to show the star, Glue is told of it; nobody gets a right by that, and else nothing changes."""

import base64
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from costs import estimate, read_resources
from stacks import config
from tests.support.templates import Synthesised, synthesise
from totes.star import STAR_TABLES
from totes.star_schema import Calendar, Dimension, Fact

TRANSFORM = "ingestion_to_processed_bucket"


@pytest.fixture(scope="module")
def on(store: Path) -> Synthesised:
    """dev, with Athena."""
    return synthesise(dataclasses.replace(config.named("dev"), athena=True), store)


def tables(synthesised: Synthesised) -> dict[str, Any]:
    """What Glue is told of each table, by its name."""
    found = [each["Properties"] for each in synthesised.resources("AWS::Glue::Table").values()]
    return {each["TableInput"]["Name"]: each["TableInput"] for each in found}


def test_no_environment_has_it_unless_that_is_said(synthesised: Synthesised) -> None:
    assert synthesised.resources("AWS::Glue::Database") == synthesised.resources("AWS::Glue::Table") == {}
    assert "ATHENA_DATABASE" not in synthesised.function(TRANSFORM)["Environment"]["Variables"]


def test_each_star_table_has_its_files_and_what_they_come_to(on: Synthesised) -> None:
    views = {name for name, table in tables(on).items() if table["TableType"] == "VIRTUAL_VIEW"}
    facts = [table for table in STAR_TABLES if isinstance(table, Fact)]
    dimensions = [table for table in STAR_TABLES if isinstance(table, Dimension)]
    assert views == (
        {table.name for table in STAR_TABLES}
        | {table.current_view for table in facts}
        | {f"{table.name}_versions" for table in dimensions}
    )
    assert set(tables(on)) - views == {
        f"{table.name}_{kind}"
        for table in STAR_TABLES
        for kind in (("stars",) if isinstance(table, Calendar) else ("stars", "deletes"))
    }


def test_files_are_those_of_the_lists(on: Synthesised) -> None:
    files = tables(on)["fact_payment_stars"]
    storage = files["StorageDescriptor"]
    assert files["TableType"] == "EXTERNAL_TABLE"
    assert on.said(storage["Location"]).endswith("/athena/fact_payment/stars/")
    assert storage["InputFormat"] == "org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat"
    assert storage["SerdeInfo"]["SerializationLibrary"].endswith("ParquetHiveSerDe")
    types = {column["Name"]: column["Type"] for column in storage["Columns"]}
    assert (types["payment_amount"], types["created_time"], types["paid"]) == ("decimal(10,2)", "bigint", "boolean")


def test_a_view_is_said_in_the_words_of_athena(on: Synthesised) -> None:
    view = tables(on)["current_payment"]
    [_, encoded] = view["ViewOriginalText"].removesuffix(" */").split("/* Presto View: ")
    said = json.loads(base64.b64decode(encoded))
    assert (said["catalog"], said["schema"]) == ("awsdatacatalog", "totes_dev")
    assert "FROM fact_payment_stars" in said["originalSql"]
    types = {column["name"]: column["type"] for column in said["columns"]}
    assert (types["payment_id"], types["is_deleted"]) == ("integer", "boolean")
    shown = [column["Name"] for column in view["StorageDescriptor"]["Columns"]]
    assert list(types) == shown
    assert (view["ViewExpandedText"], view["Parameters"]) == ("/* Presto View */", {"presto_view": "true"})


def test_tables_come_after_their_database_which_has_the_environments_name(on: Synthesised, store: Path) -> None:
    [(logical_id, database)] = on.resources("AWS::Glue::Database").items()
    assert database["Properties"]["DatabaseInput"]["Name"] == "totes_dev"
    assert all(each["DependsOn"] == [logical_id] for each in on.resources("AWS::Glue::Table").values())
    suffixed = dataclasses.replace(config.named("dev").suffixed("alice"), athena=True)
    [other] = synthesise(suffixed, store).resources("AWS::Glue::Database").values()
    assert other["Properties"]["DatabaseInput"]["Name"] == "totes_dev_alice"


def test_it_changes_nothing_but_a_variable_of_the_function_that_writes_the_lists(
    on: Synthesised, dev: Synthesised
) -> None:
    added = {
        (part, logical_id)
        for part, template in on.templates.items()
        for logical_id in template["Resources"].keys() - dev.templates[part]["Resources"].keys()
    }
    assert {on.templates[part]["Resources"][each]["Type"] for part, each in added} == {
        "AWS::Glue::Database",
        "AWS::Glue::Table",
    }
    changed = {
        resource["Properties"].get("FunctionName")
        for part, template in dev.templates.items()
        for logical_id, resource in template["Resources"].items()
        if on.templates[part]["Resources"][logical_id] != resource
    }
    assert changed == {f"totes-dev-{TRANSFORM}"}
    variables = on.function(TRANSFORM)["Environment"]["Variables"]
    assert variables["ATHENA_DATABASE"] == "totes_dev"


def test_nothing_of_it_is_paid_for_by_the_month(on: Synthesised, dev: Synthesised) -> None:
    with_it, without = (estimate(read_resources(each.folder)) for each in (on, dev))
    assert with_it.usd == without.usd
    assert with_it.unknown == []
