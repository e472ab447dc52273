"""The audit log: every row that the source's writers ever wrote, kept by trigger; a truth that the pipeline never sees.

It lies in a schema of its own and commits with what it tells of. Of one key its entries are in the order in which they
were written, for a row is locked until its writer is done.
"""

from psycopg2 import sql

from tests.support.databases import rows, session, value
from totes.capture import SOURCE_TABLES

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
            VALUES (TG_TABLE_NAME, (to_jsonb(OLD) ->> TG_ARGV[0])::bigint, true, to_jsonb(OLD));
        END IF;
        IF TG_OP <> 'DELETE' THEN
            INSERT INTO audit.log (table_name, key, is_deleted, row)
            VALUES (TG_TABLE_NAME, (to_jsonb(NEW) ->> TG_ARGV[0])::bigint, false, to_jsonb(NEW));
        END IF;
        RETURN NULL;
    END $$;
"""


def keep_audit_log(source: str) -> None:
    """Begin the log with what the source has, and keep it from now on."""
    with session(source) as connection, connection, connection.cursor() as cursor:
        cursor.execute(_LOG)
        for table in SOURCE_TABLES:
            names = {"table": sql.Identifier(table.name), "key": sql.Identifier(table.key)}
            cursor.execute(
                sql.SQL(
                    "INSERT INTO audit.log (table_name, key, is_deleted, row) "
                    "SELECT %s, {key}, false, to_jsonb(t) FROM public.{table} AS t"
                ).format(**names),
                [table.name],
            )
            cursor.execute(
                sql.SQL(
                    "CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON public.{table} "
                    "FOR EACH ROW EXECUTE FUNCTION audit.keep({argument})"
                ).format(**names, argument=sql.Literal(table.key))
            )


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
    keys = {table.name: table.key for table in SOURCE_TABLES}
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
                ).format(table=sql.Identifier(table), key=sql.Identifier(keys[table])),
                [table, key, key],
            )
