"""The audit log: every row that the source's writers ever wrote, kept by trigger; a truth that the pipeline never sees.

It lies in a schema of its own and commits with what it records. Of one key its entries are in the order in which they
were written, for a row is locked until its writer is done.
"""

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from tests.support.databases import rows, session, value
from totes.capture import SOURCE_TABLES

_KEYS = {table.name: table.key for table in SOURCE_TABLES}

_LOG = """
    CREATE SCHEMA audit;
    CREATE TABLE audit.log (
        entry bigserial PRIMARY KEY, xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
        table_name text NOT NULL, key bigint NOT NULL, is_deleted boolean NOT NULL, row jsonb NOT NULL
    );
    CREATE FUNCTION audit.keep() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND (to_jsonb(OLD) -> TG_ARGV[0]) <> (to_jsonb(NEW) -> TG_ARGV[0]) THEN
            INSERT INTO audit.log (table_name, key, is_deleted, row)
            VALUES (TG_ARGV[1], (to_jsonb(OLD) ->> TG_ARGV[0])::bigint, true, to_jsonb(OLD));
        END IF;
        IF TG_OP <> 'DELETE' THEN
            INSERT INTO audit.log (table_name, key, is_deleted, row)
            VALUES (TG_ARGV[1], (to_jsonb(NEW) ->> TG_ARGV[0])::bigint, false, to_jsonb(NEW));
        END IF;
        RETURN NULL;
    END $$;
    CREATE FUNCTION audit.notice(name text, key_column text) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        EXECUTE format(
            'INSERT INTO audit.log (table_name, key, is_deleted, row) '
            'SELECT %1$L, coalesce(t.%2$I, told.key), t.%2$I IS NULL, coalesce(to_jsonb(t), told.row) '
            'FROM public.%1$I AS t FULL JOIN '
            '(SELECT DISTINCT ON (key) * FROM audit.log WHERE table_name = %1$L ORDER BY key, entry DESC) AS told '
            'ON told.key = t.%2$I WHERE CASE WHEN t.%2$I IS NULL THEN NOT told.is_deleted '
            'ELSE told.key IS NULL OR told.is_deleted OR told.row IS DISTINCT FROM to_jsonb(t) END', name, key_column
        );
    END $$;
"""

_KEEP = "CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON public.{table} FOR EACH ROW "
"""A partition's trigger knows the partition's name only, so the table's is an argument."""


def keep_audit_log(source: str) -> None:
    """Begin the log with what the source has, and keep it from now on."""
    with session(source) as connection, connection, connection.cursor() as cursor:
        cursor.execute(_LOG)
        for table in SOURCE_TABLES:
            cursor.execute("SELECT audit.notice(%s, %s)", [table.name, table.key])
            watch(cursor, table.name)


def watch(cursor: Cursor, table: str) -> None:
    """Keep the log of a table that has no trigger yet, such as one that has taken another's place."""
    cursor.execute(
        sql.SQL(_KEEP + "EXECUTE FUNCTION audit.keep({key}, {name})").format(
            table=sql.Identifier(table), key=sql.Literal(_KEYS[table]), name=sql.Literal(table)
        )
    )


def notice(cursor: Cursor, table: str) -> None:
    """Log what differs from the log's newest entries: changes that no trigger sees, in the transaction that made them.

    A table that took another's place, an enum's new label, a default, a TRUNCATE: no row is written one by one.
    """
    cursor.execute("SELECT audit.notice(%s, %s)", [table, _KEYS[table]])


def remember_what_was_lost(lost: str, restored: str) -> None:
    """Add to the log of a restored source what was written to the lost one meanwhile, and that it was taken back.

    Both databases are of one server, so their transaction ids go on from each other.
    """
    since = value(restored, "SELECT max(entry) FROM audit.log")
    entries = rows(
        lost,
        "SELECT xid::text, table_name, key, is_deleted, row::text FROM audit.log WHERE entry > %s ORDER BY entry",
        [since],
    )
    with session(restored) as connection, connection, connection.cursor() as cursor:
        for entry in entries:
            cursor.execute(
                "INSERT INTO audit.log (xid, table_name, key, is_deleted, row) VALUES (%s, %s, %s, %s, %s)", entry
            )
        for table, key in sorted({(table, key) for _, table, key, _, _ in entries}):
            cursor.execute(
                sql.SQL(
                    "INSERT INTO audit.log (table_name, key, is_deleted, row) "
                    "SELECT %s, %s, t.{key} IS NULL, coalesce(to_jsonb(t), '{{}}') "
                    "FROM (VALUES (1)) AS one LEFT JOIN public.{table} AS t ON t.{key} = %s"
                ).format(table=sql.Identifier(table), key=sql.Identifier(_KEYS[table])),
                [table, key, key],
            )
