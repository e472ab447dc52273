"""Names that a read of rows takes from the catalog as it is at that moment, and not as its snapshot has it.

A table is found by its schema's name, and the value of an enum or of a composite type is written by its labels or its
fields, of this very moment. Neither `ALTER SCHEMA ... RENAME` nor `ALTER TYPE ... RENAME VALUE` waits for whoever reads
the tables. So what was read is of the snapshot only if no such name has changed meanwhile. One that has changed, and
has changed back, counts too, which is why versions (xmin) are compared and not names.
"""

from collections.abc import Mapping

from psycopg2.extensions import connection as Connection

from totes.errors import SourceUnavailable

# Of all types, whether or not a table has them: to find out which are used would take each tick ten times as long.
_VERSIONS = """
    SELECT 'schema public', xmin::text FROM pg_namespace WHERE nspname = 'public'
    UNION ALL
    SELECT format('label %s of %s', oid, enumtypid), xmin::text FROM pg_enum
    UNION ALL
    SELECT format('field %s of %s', field.attnum, class.oid), field.xmin::text
    FROM pg_class AS class JOIN pg_attribute AS field ON field.attrelid = class.oid
    WHERE class.relkind = 'c' AND field.attnum > 0
"""


def versions_of_names(connection: Connection) -> Mapping[str, str]:
    """Return the version of each name that a read of the source depends on, as the connection's transaction sees it.

    Raises:
        psycopg2.Error: the connection to the source was lost.
    """
    with connection.cursor() as cursor:
        cursor.execute(_VERSIONS)
        return dict(cursor.fetchall())


def must_be_as_before(before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Compare the versions of a snapshot with those after it; what is new since was in no row.

    Raises:
        SourceUnavailable: a name has changed.
    """
    changed = sorted(name for name, version in before.items() if now.get(name) != version)
    if changed:
        raise SourceUnavailable(
            f"the source's catalog was changed while its tables were read, so the rows may be of two states: "
            f"{', '.join(changed)}"
        )
