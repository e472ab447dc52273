"""The star for Athena: tables over the processed bucket's own files, and views that put the star together from them."""

import base64
import json
from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_glue as glue
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.environment import Environment
from totes.athena import FOLDER, Field, Kept, View, kept_of, views_of
from totes.star import STAR_TABLES

_SYMLINKS = "org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat"
_NO_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"


def athena_database(environment: Environment) -> str:
    """The name of the database in which Athena shows an environment's star."""
    return f"totes_{environment.name.replace('-', '_')}"


class StarForAthena(Construct):
    """A Glue database that has tables for the files of each star table, and views for its content."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's word
        *,
        environment: Environment,
        processed: s3.IBucket,
    ) -> None:
        super().__init__(scope, id)
        self._name = athena_database(environment)
        self._database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=cdk.Aws.ACCOUNT_ID,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=self._name, description=f"totes {environment.name}: the star, from the processed bucket"
            ),
        )
        for table in STAR_TABLES:
            for kept in kept_of(table):
                self._table(kept.name, _files(kept, processed))
            for view in views_of(table):
                self._table(view.name, self._view(view))

    def _table(self, name: str, properties: dict[str, Any]) -> None:
        table = glue.CfnTable(
            self,
            "".join(word.capitalize() for word in name.split("_")),
            catalog_id=cdk.Aws.ACCOUNT_ID,
            database_name=self._name,
            table_input=glue.CfnTable.TableInputProperty(name=name, **properties),
        )
        table.add_dependency(self._database)

    def _view(self, view: View) -> dict[str, Any]:
        said = {
            "originalSql": view.sql,
            "catalog": "awsdatacatalog",
            "schema": self._name,
            "columns": [{"name": each.name, "type": each.sql_type} for each in view.fields],
        }
        encoded = base64.b64encode(json.dumps(said).encode()).decode()
        return {
            "description": view.meaning,
            "table_type": "VIRTUAL_VIEW",
            "parameters": {"presto_view": "true"},
            "view_original_text": f"/* Presto View: {encoded} */",
            "view_expanded_text": "/* Presto View */",
            "storage_descriptor": glue.CfnTable.StorageDescriptorProperty(
                columns=_columns(view.fields), serde_info=glue.CfnTable.SerdeInfoProperty()
            ),
        }


def _files(kept: Kept, bucket: s3.IBucket) -> dict[str, Any]:
    return {
        "description": kept.meaning,
        "table_type": "EXTERNAL_TABLE",
        "parameters": {"EXTERNAL": "TRUE"},
        "storage_descriptor": glue.CfnTable.StorageDescriptorProperty(
            columns=_columns(kept.fields),
            location=bucket.s3_url_for_object(f"{FOLDER}/{kept.folder}/"),
            input_format=_SYMLINKS,
            output_format=_NO_OUTPUT,
            serde_info=glue.CfnTable.SerdeInfoProperty(serialization_library=_PARQUET),
        ),
    }


def _columns(fields: Sequence[Field]) -> list[glue.CfnTable.ColumnProperty]:
    return [
        glue.CfnTable.ColumnProperty(name=each.name, type=each.type, comment=each.meaning or None) for each in fields
    ]
