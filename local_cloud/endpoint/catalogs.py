"""What Athena is told of files: databases and tables of Glue, by CloudFormation."""

from contextlib import suppress
from typing import Any

from local_cloud.endpoint.resources import Properties, Resource


class Database(Resource):
    """A database of Glue."""

    cloudformation = "AWS::Glue::Database"
    service = "glue"

    def make(self) -> None:
        """Make it."""
        self.client.create_database(**self.typed("CreateDatabase", ("DatabaseInput",)))
        self.physical_resource_id = self.properties["DatabaseInput"]["Name"]

    def change(self, properties: Properties) -> None:
        """Change what it says; for another name CloudFormation makes another one."""
        self.client.update_database(
            Name=self.physical_resource_id,
            **self.said("UpdateDatabase", {"DatabaseInput": properties["DatabaseInput"]}),
        )

    def remove(self) -> None:
        """Delete it, with the tables that are in it."""
        self.client.delete_database(Name=self.physical_resource_id)


class Table(Resource):
    """A table or a view of Glue."""

    cloudformation = "AWS::Glue::Table"
    service = "glue"

    def make(self) -> None:
        """Make it."""
        self.client.create_table(**self.said("CreateTable", self._place(self.properties)))
        self.physical_resource_id = self.properties["TableInput"]["Name"]

    def change(self, properties: Properties) -> None:
        """Change it; for another name CloudFormation makes another one."""
        self.client.update_table(**self.said("UpdateTable", self._place(properties)))

    def remove(self) -> None:
        """Delete it, unless it went with its database."""
        with suppress(self.client.exceptions.EntityNotFoundException):
            self.client.delete_table(
                DatabaseName=self.properties["DatabaseName"], Name=self.properties["TableInput"]["Name"]
            )

    @staticmethod
    def _place(properties: Properties) -> dict[str, Any]:
        return {word: properties[word] for word in ("DatabaseName", "TableInput")}


MODELS: tuple[type[Resource], ...] = (Database, Table)
