"""How the source keeps a table: in how many blocks its rows lie, and whether a crash takes them away."""

from collections.abc import Mapping
from dataclasses import dataclass

from totes.capture.source.snapshot import Snapshot
from totes.errors import ContractError
from totes.lake import TableIdentity

_STORAGE = """
    SELECT oid::text, oid::regclass::text, greatest(relpages, 0), relpersistence = 'u'
    FROM pg_class WHERE oid = ANY (%s::oid[])
"""


@dataclass(frozen=True, kw_only=True)
class Storage:
    """How a table is kept.

    Attributes:
        blocks: how many blocks its largest member had at the last VACUUM or ANALYZE; rows lie in them by their ctid.
        unlogged: the names of members of which a crash takes all rows away, under no transaction's id.
    """

    blocks: int
    unlogged: tuple[str, ...]


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
        members = {oid: (name, int(blocks), bool(is_unlogged)) for oid, name, blocks, is_unlogged in cursor.fetchall()}
    storages = {}
    for table, identity in identities.items():
        of_table = [members[oid] for oid in identity.members]
        storages[table] = Storage(
            blocks=max(blocks for _, blocks, _ in of_table),
            unlogged=tuple(name for name, _, is_unlogged in of_table if is_unlogged),
        )
    unlogged = ", ".join(name for storage in storages.values() for name in storage.unlogged)
    if unlogged and snapshot.source.in_recovery:
        raise ContractError(
            f"the source is a standby, which has no rows of unlogged tables, and {unlogged} is unlogged: name the "
            "primary as the source, or make it a logged table there (ALTER TABLE ... SET LOGGED; a partitioned table "
            "itself has to be made again)"
        )
    return storages
