"""Route tables that go with their stack: moto's CloudFormation leaves them, and so the VPC too."""

from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.route_tables import RouteTable


def install() -> None:
    """Mend moto's route tables."""
    RouteTable.delete = _delete


def _delete(table: Any, account_id: str, region_name: str) -> None:
    ec2_backends[account_id][region_name].route_tables.pop(table.id, None)
