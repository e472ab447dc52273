"""Functions and operators that somebody has put in schema public, and that fit calls of totes' better than its own.

In PostgreSQL 14 every login may do so, and a cluster that was upgraded from it keeps that.
"""

import re
from pathlib import Path

from tests.support.databases import own_session

_LIBRARY = Path(__file__).parents[2] / "layers" / "totes" / "python" / "totes"

_TYPES = ["text", "name", "varchar", "oid", "int4", "int8", '"char"', "text[]", "pg_node_tree", "timestamptz", "bool"]
_COMPARED = [*_TYPES, "int2", "numeric", "date", "pg_lsn", "regnamespace"]
_OPERATORS = ["=", "<>", "<", ">", "<=", ">=", "||", "+", "-", "~", "^@"]

_PLANT_FUNCTIONS = """
    DO $do$
    DECLARE planted record;
    BEGIN
        FOR planted IN
            SELECT DISTINCT proname, concat_ws(', ', first, second) AS types
            FROM pg_proc CROSS JOIN unnest(%(types)s) AS first
            LEFT JOIN unnest(%(types)s) AS second ON pronargs <> 1
            WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = ANY(%(names)s)
                AND (pronargs IN (1, 2) OR provariadic <> 0)
        LOOP
            EXECUTE format(
                'CREATE FUNCTION public.%%I(%%s) RETURNS text LANGUAGE plpgsql AS '
                '$f$ BEGIN RAISE ''the planted function %%s was called''; END $f$',
                planted.proname, planted.types, planted.proname
            );
        END LOOP;
    END $do$
"""
_PLANT_OPERATORS = """
    DO $do$
    DECLARE planted record;
    BEGIN
        FOR planted IN SELECT first, second FROM unnest(%(types)s) AS first, unnest(%(types)s) AS second LOOP
            EXECUTE format(
                'CREATE FUNCTION public.compared(%%s, %%s) RETURNS boolean LANGUAGE plpgsql AS '
                '$f$ BEGIN RAISE ''a planted operator was called''; END $f$',
                planted.first, planted.second
            );
        END LOOP;
        FOR planted IN
            SELECT operator, first, second
            FROM unnest(%(operators)s) AS operator, unnest(%(types)s) AS first, unnest(%(types)s) AS second
        LOOP
            EXECUTE format(
                'CREATE OPERATOR public.%%s (FUNCTION = public.compared, LEFTARG = %%s, RIGHTARG = %%s)',
                planted.operator, planted.first, planted.second
            );
        END LOOP;
    END $do$
"""

_USED = """
    SELECT DISTINCT pg_describe_object(pg_depend.classid, pg_depend.objid, 0)
    FROM pg_depend
    LEFT JOIN pg_proc ON refclassid = 'pg_proc'::regclass AND pg_proc.oid = refobjid
    LEFT JOIN pg_operator ON refclassid = 'pg_operator'::regclass AND pg_operator.oid = refobjid
    WHERE coalesce(pronamespace, oprnamespace) = 'public'::regnamespace
    AND classid IN ('pg_rewrite'::regclass, 'pg_constraint'::regclass, 'pg_attrdef'::regclass)
"""


def plant(uri: str) -> None:
    """Let everybody make things in schema public, and plant overloads of all that totes may call, which only fail."""
    names = sorted({name for file in _sources() for name in re.findall(r"\b([a-z_]\w*)\(", file.read_text())})
    with own_session(uri, "planter") as connection, connection, connection.cursor() as cursor:
        cursor.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
        cursor.execute(_PLANT_FUNCTIONS, {"names": names, "types": _TYPES})
        cursor.execute(_PLANT_OPERATORS, {"operators": _OPERATORS, "types": _COMPARED})


def built_on_what_is_planted(uri: str) -> list[str]:
    """Views, constraints and defaults that call a function or an operator of schema public."""
    with own_session(uri, "planter") as connection, connection.cursor() as cursor:
        cursor.execute(_USED)
        return [name for (name,) in cursor.fetchall()]


def _sources() -> list[Path]:
    return [file for kind in ("*.py", "*.sql") for file in _LIBRARY.rglob(kind)]
