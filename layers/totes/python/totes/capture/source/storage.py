"""How the source keeps a table: in how many blocks its rows lie, and whether a crash takes them away."""

from collections.abc import Mapping
from dataclasses import dataclass

from totes.capture.source.snapshot import Snapshot
from totes.errors import ContractError
from totes.lake import TableIdentity

_STORAGE = """
    SELECT oid::text, coalesce(pg_relation_size(oid), 0) / current_setting('block_size')::integer, relpersistence = 'u'
    FROM pg_class WHERE oid = ANY (%s::oid[])
"""


@dataclass(frozen=True, kw_only=True)
class Storage:
    """How a table is kept.

    Attributes:
        blocks: how many blocks its largest part had when it was asked for; rows lie in them by their ctid.
        is_unlogged: whether a crash takes rows away, under no transaction's id.
    """

    blocks: int
    is_unlogged: bool


def storages_of(snapshot: Snapshot, identities: Mapping[str, TableIdentity]) -> dict[str, Storage]:
    """Return how each table is kept.

    Args:
        snapshot: a state of the source.
        identities: what each table is there, by its name.

    Raises:
        ContractError: a standby does not have the rows of a table, because it is unlogged.
        psycopg2.Error: the connection to the source was lost.
    """
    with snapshot.connection.cursor() as cursor:
        cursor.execute(_STORAGE, ([oid for identity in identities.values() for oid in identity.members],))
        parts = {oid: (int(blocks), bool(is_unlogged)) for oid, blocks, is_unlogged in cursor.fetchall()}
    found = {name: [parts[oid] for oid in identity.members if oid in parts] for name, identity in identities.items()}
    storages = {
        name: Storage(
            blocks=max((blocks for blocks, _ in of_table), default=0),
            is_unlogged=any(is_unlogged for _, is_unlogged in of_table),
        )
        for name, of_table in found.items()
    }
    unlogged = ", ".join(name for name, storage in storages.items() if storage.is_unlogged)
    if unlogged and snapshot.source.in_recovery:
        raise ContractError(
            f"the source is a standby, which has no rows of unlogged tables: {unlogged}; ALTER TABLE ... SET LOGGED at "
            "its primary, or name the primary as the source"
        )
    return storages
