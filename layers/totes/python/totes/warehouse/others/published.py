"""A table that others publish and that cannot be updated for that: the publications are named, and the remedy.

A subscriber finds the row of an update by the table's replica identity. Without one, or with one that the publication
leaves out, PostgreSQL refuses the update.
"""

import psycopg2
from psycopg2.extensions import cursor as Cursor

from totes.errors import ConfigurationError
from totes.star_schema import StarTable
from totes.warehouse.definitions import LEDGER
from totes.warehouse.places import LIVE

_NO_IDENTITY = "CheckCmdReplicaIdentity"
"""The function of the server's that refuses an update for this; its words have the table's name, in any language."""

# Only a publication that names tables has columns and conditions; another one hinders only where there is no identity.
_PUBLICATIONS = """
    WITH published AS (
        SELECT CASE relnamespace
                WHEN 'public'::regnamespace THEN format('%%I', relname)
                ELSE format('%%s.%%I', relnamespace::regnamespace, relname)
            END AS shown, format('%%I', pubname) AS publication, relreplident = 'n'
            OR relreplident <> 'f' AND NOT EXISTS (
                SELECT FROM pg_index
                WHERE indrelid = part AND CASE relreplident WHEN 'd' THEN indisprimary ELSE indisreplident END
            ) AS unidentified,
            EXISTS (SELECT FROM pg_publication_rel WHERE prpubid = pg_publication.oid) AS names_tables
        FROM unnest(%(names)s::text[]) AS given (named)
        CROSS JOIN LATERAL (
            SELECT named::regclass UNION SELECT relid FROM pg_partition_tree(named::regclass)
        ) AS tree (part)
        JOIN pg_class ON pg_class.oid = part
        JOIN pg_publication_tables ON (to_regnamespace(quote_ident(schemaname)), tablename) = (relnamespace, relname)
        JOIN pg_publication USING (pubname)
        WHERE strpos(%(said)s, relname) > 0 AND (pubupdate OR pubdelete)
    )
    SELECT shown, unidentified, string_agg(DISTINCT publication, ', ') FROM published
    WHERE unidentified OR names_tables GROUP BY 1, 2 ORDER BY 1
"""


def refused_for_publications(
    cursor: Cursor, error: psycopg2.Error, table: StarTable, batch: int
) -> ConfigurationError | None:
    """Return the error to raise if a batch is not loaded because a table is published.

    Args:
        cursor: the warehouse, in a transaction that has not failed.
        error: the error that the load of the batch ended with.
        table: the star table that was loaded.
        batch: the batch.

    Returns:
        The error, which names the publications; None if something else refuses the batch.

    Raises:
        psycopg2.Error: the connection to the warehouse was lost.
    """
    if error.diag.source_function != _NO_IDENTITY:
        return None
    names = [LIVE.star(table.name), *(LIVE.ledger(name) for name in LEDGER)]
    cursor.execute(
        _PUBLICATIONS, {"names": [name.as_string(cursor) for name in names], "said": error.diag.message_primary}
    )
    hinders = [
        f"{shown} is published by {publications} and "
        + (
            f"has no replica identity; ALTER TABLE {shown} REPLICA IDENTITY DEFAULT"
            if unidentified
            else "its key is not; put the key into the column list, and nothing but the key into a WHERE"
        )
        for shown, unidentified, publications in cursor.fetchall()
    ]
    return ConfigurationError(f"batch {batch} cannot be loaded: {'; '.join(hinders)}") if hinders else None
