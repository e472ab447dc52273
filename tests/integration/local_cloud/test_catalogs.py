"""Databases and tables of Glue are made, changed and deleted by CloudFormation."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.local_cloud.test_endpoint import Stack

Clients = Callable[[str], Any]


@pytest.fixture
def stack(client: Clients) -> Iterator[Stack]:
    stack = Stack(client("cloudformation"))
    yield stack
    stack.delete()


def template(database: str, comment: str) -> dict[str, Any]:
    """A database with a table in it."""
    storage = {"Location": "s3://lake/athena/", "Columns": [{"Name": "key", "Type": "bigint", "Comment": comment}]}
    return {
        "Database": {
            "Type": "AWS::Glue::Database",
            "Properties": {
                "CatalogId": {"Ref": "AWS::AccountId"},
                "DatabaseInput": {"Name": database, "Description": comment},
            },
        },
        "Table": {
            "Type": "AWS::Glue::Table",
            "DependsOn": "Database",
            "Properties": {
                "CatalogId": {"Ref": "AWS::AccountId"},
                "DatabaseName": database,
                "TableInput": {"Name": "keys", "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage},
            },
        },
    }


def test_a_table_is_made_changed_and_deleted(client: Clients, stack: Stack) -> None:
    glue, name = client("glue"), stack.name.replace("-", "_")
    stack.deploy(template(name, "first"))
    columns = glue.get_table(DatabaseName=name, Name="keys")["Table"]["StorageDescriptor"]["Columns"]
    assert columns == [{"Name": "key", "Type": "bigint", "Comment": "first"}]
    stack.deploy(template(name, "second"))
    columns = glue.get_table(DatabaseName=name, Name="keys")["Table"]["StorageDescriptor"]["Columns"]
    assert columns[0]["Comment"] == "second"
    assert glue.get_database(Name=name)["Database"]["Description"] == "second"
    stack.delete()
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_database(Name=name)
