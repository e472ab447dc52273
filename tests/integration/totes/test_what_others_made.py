"""What people have made of the warehouse outlives a rebuild, or is named before it begins; it hinders no upgrade."""

import dataclasses
import tempfile
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from tests.integration.totes.test_rebuild import changed, of_precision, priced_in_text, rebuilt
from tests.integration.totes.test_roles import Role, drop
from tests.integration.totes.test_verify import found, repaired
from tests.support.content import content_of
from tests.support.databases import QUICK, execute, rows, session, value
from tests.support.first_warehouse import make_first_warehouse
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from tests.support.versions import OPTION_OF_VIEWS, VERSION, server_in, since
from tests.support.waiting import until
from totes.errors import ConfigurationError, WarehouseUnavailable
from totes.lake import Bucket
from totes.roles import DASHBOARD, prepare_warehouse
from totes.star import READABLE, STAR_TABLES, replay
from totes.star_schema import text
from totes.warehouse import batch, ledger, load
from totes.warehouse.carried import Dependents, dependents_to_restore
from totes.warehouse.rebuild import Rebuild, steps, swap

ROLES = "DO $$ BEGIN CREATE ROLE ana; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"

MADE = """
    CREATE VIEW still_open AS SELECT * FROM etl.quarantine WHERE resolved_by IS NULL;
    CREATE VIEW freshness AS SELECT max(loaded_at) FROM etl.batch;
    CREATE INDEX mine ON etl.batch (captured_at);
    COMMENT ON INDEX etl.mine IS 'for the morning report';
    CREATE INDEX ours ON etl.quarantine (reason);
    GRANT SELECT ON fact_payment TO ana;
    CREATE FUNCTION payments() RETURNS SETOF fact_payment LANGUAGE sql AS 'SELECT * FROM fact_payment';
    CREATE FUNCTION said(p fact_payment, percent text DEFAULT '%') RETURNS text LANGUAGE sql
        AS $$SELECT p.payment_id || percent || '{}'$$;
    COMMENT ON FUNCTION said IS 'a row in words'; REVOKE ALL ON FUNCTION said FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION said TO ana;
    CREATE FUNCTION reports.paid() RETURNS bigint LANGUAGE sql
        BEGIN ATOMIC SELECT count(*) FROM current_payment WHERE paid; END;
    ALTER FUNCTION reports.paid OWNER TO ana;
    CREATE PROCEDURE nothing(p current_payment[]) LANGUAGE plpgsql AS 'BEGIN END';
    CREATE VIEW whole AS SELECT p.payment_id, p FROM fact_payment p;
    CREATE VIEW reports.counted AS SELECT reports.paid(), count(*) AS of FROM payments();
    ALTER VIEW reports.counted OWNER TO ana;
    CREATE VIEW by_staff AS SELECT staff_id, first_name FROM dim_staff GROUP BY dim_staff.staff_id;
    ALTER TABLE fact_payment SET (autovacuum_vacuum_scale_factor = 0.01, toast.autovacuum_enabled = false);
    ALTER TABLE fact_payment REPLICA IDENTITY FULL; ALTER TABLE etl.batch REPLICA IDENTITY USING INDEX batch_pkey;
    CREATE INDEX by_date ON fact_payment (payment_date); ALTER TABLE fact_payment CLUSTER ON by_date;
    ALTER TABLE fact_payment ENABLE ROW LEVEL SECURITY; ALTER TABLE dim_staff FORCE ROW LEVEL SECURITY;
    GRANT USAGE ON SEQUENCE fact_payment_payment_record_id_seq TO ana;
"""
MADE += f"ALTER VIEW current_payment SET ({OPTION_OF_VIEWS} = true)"

RELATIONS = """
    SELECT relnamespace::regnamespace::text, relname, relkind::text, relowner::regrole::text, relacl::text,
        reloptions, relreplident::text, relrowsecurity, relforcerowsecurity, obj_description(oid, 'pg_class'),
        CASE WHEN relkind = 'v' THEN pg_get_viewdef(oid) WHEN relkind = 'i' THEN pg_get_indexdef(oid) END,
        EXISTS (SELECT FROM pg_index WHERE indexrelid = oid AND indisclustered),
        (SELECT reloptions FROM pg_class AS toast WHERE toast.oid = pg_class.reltoastrelid)
    FROM pg_class WHERE relnamespace IN ('public'::regnamespace, 'etl'::regnamespace, to_regnamespace('reports'))
    ORDER BY 1, 2
"""

ROUTINES = """
    SELECT pg_get_functiondef(oid), proowner::regrole::text, obj_description(oid, 'pg_proc'),
        ARRAY(SELECT who::text FROM unnest(coalesce(proacl, acldefault('f', proowner))) AS who ORDER BY 1)
    FROM pg_proc WHERE pronamespace IN ('public'::regnamespace, to_regnamespace('reports')) ORDER BY 1
"""


@pytest.fixture
def loader(pipeline: Pipeline) -> Iterator[Role]:
    """The loader's own role, as totes makes it: it owns what it makes, and is no superuser."""
    role, dashboard = Role(f"loader_{uuid.uuid4().hex[:8]}", "b-password"), Role(DASHBOARD, "c-password")
    execute(pipeline.warehouse, ROLES)
    with session(pipeline.warehouse) as admin:
        prepare_warehouse(admin, role.login, dashboard.login, READABLE)
    yield role
    for each in (role, dashboard):
        drop(pipeline.warehouse, each)


@pytest.fixture
def by_role(pipeline: Pipeline, loader: Role) -> Pipeline:
    """The pipeline, with a load by the loader's own role."""
    return dataclasses.replace(pipeline, warehouse=loader.uri(pipeline.warehouse))


def test_views_functions_indexes_and_settings_of_others_outlive_a_rebuild(
    pipeline: Pipeline, by_role: Pipeline, loader: Role
) -> None:
    by_role.tick()
    execute(pipeline.warehouse, f"GRANT ana TO {loader.username}; CREATE SCHEMA reports AUTHORIZATION ana")
    execute(by_role.warehouse, MADE)
    asked = (RELATIONS, ROUTINES, "SELECT said(p) FROM fact_payment p ORDER BY 1", "SELECT * FROM reports.counted")
    before = [rows(pipeline.warehouse, question) for question in asked]
    assert len(before[1]) == 4
    rebuilt(by_role)
    rebuilt(by_role)
    assert [rows(pipeline.warehouse, question) for question in asked] == before


@pytest.mark.begun
def test_a_star_table_that_somebody_has_renamed_is_kept_and_made_again(pipeline: Pipeline) -> None:
    before = content_of(pipeline.warehouse)
    execute(
        pipeline.warehouse, "ALTER TABLE fact_payment RENAME TO payments_2026; ALTER TABLE dim_staff RENAME TO kept"
    )
    for _ in range(2):
        rebuilt(pipeline)
        assert content_of(pipeline.warehouse) == before
    assert value(pipeline.warehouse, "SELECT count(*) FROM payments_2026") == len(before["fact_payment"])
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid; UPDATE staff SET first_name = 'since'")
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    assert rows(pipeline.warehouse, "SELECT DISTINCT split_part(staff, ' ', 1) FROM report.sales_by_staff") == [
        ("since",)
    ]


@pytest.mark.begun
def test_a_current_view_that_somebody_has_dropped_is_there_again_with_the_next_load(pipeline: Pipeline) -> None:
    held = "SELECT count(*) FROM report.sales_orders"
    before = value(pipeline.warehouse, held)
    execute(pipeline.warehouse, "DROP VIEW current_sales_order CASCADE")
    pipeline.load()
    assert value(pipeline.warehouse, held) == before
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


LONG = "array_to_string(ARRAY(SELECT sha512(n::text::bytea) FROM generate_series(1, 400) AS n), '')"
WITH_SEEN = (
    "ALTER TABLE fact_payment ADD COLUMN seen boolean NOT NULL DEFAULT true; "
    "ALTER TABLE fact_payment ALTER COLUMN seen DROP DEFAULT"
)
REFUSING = {
    "an index that is too small": (
        "CREATE INDEX by_item ON fact_purchase_order (item_code)",
        f"UPDATE purchase_order SET item_code = {LONG} WHERE purchase_order_id = 2",
        "54000.*by the index",
    ),
    "a unique index": (
        "CREATE UNIQUE INDEX one_each ON dim_staff (email_address)",
        "UPDATE staff SET email_address = (SELECT email_address FROM staff WHERE staff_id = 1) WHERE staff_id = 2",
        "23505.*by the constraint or index one_each of dim_staff",
    ),
    "a check": (
        "ALTER TABLE dim_design ADD CONSTRAINT named CHECK (design_name <> 'x')",
        "UPDATE design SET design_name = 'x' WHERE design_id = 2",
        "23514.*by the constraint or index named of dim_design",
    ),
    "a column that must have a value": (
        WITH_SEEN,
        "UPDATE payment SET paid = NOT paid WHERE payment_id = 2",
        "23502.*by the column seen of fact_payment",
    ),
}


@pytest.mark.parametrize("what", REFUSING)
@pytest.mark.begun
def test_what_others_made_that_refuses_a_row_of_the_shop_is_named(pipeline: Pipeline, what: str) -> None:
    made, edit, said = REFUSING[what]
    execute(pipeline.warehouse, made)
    execute(pipeline.source, edit)
    with pytest.raises(
        ConfigurationError, match=f"batch 2 cannot be loaded: a row is refused .{said}, which totes did"
    ):
        pipeline.tick()


SWALLOWING = "CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} END $$;"

FAILING = {
    "a generated column": (
        "ALTER TABLE fact_sales_order ADD COLUMN each_ numeric GENERATED ALWAYS AS (unit_price / units_sold) STORED",
        "UPDATE sales_order SET units_sold = 0 WHERE sales_order_id = 3",
        "fact_sales_order .22012, DivisionByZero.: the column each_ of fact_sales_order; drop it",
    ),
    "a default": (
        "ALTER TABLE fact_sales_order ADD COLUMN later int; ALTER TABLE fact_sales_order ALTER later SET DEFAULT 1 / 0",
        "UPDATE sales_order SET units_sold = 7 WHERE sales_order_id = 3",
        "22012, DivisionByZero.: the column later of fact_sales_order; drop it",
    ),
    "an index of an expression, beside that of another table": (
        (
            "CREATE INDEX digits ON dim_location ((postal_code::int)) WHERE postal_code ~ '^[0-9]+$';"
            "CREATE INDEX lowered ON dim_design (lower(design_name))"
        ),
        "UPDATE address SET postal_code = '99999999999' WHERE address_id = 3",
        "dim_location .22003, NumericValueOutOfRange.: the index digits of dim_location; drop it",
    ),
    "an index of some rows": (
        "CREATE INDEX dear ON fact_sales_order (design_id) WHERE units_sold * design_id > 7",
        "UPDATE sales_order SET units_sold = 2000000000, design_id = 2 WHERE sales_order_id = 3",
        "22003, NumericValueOutOfRange.: the index dear of fact_sales_order; drop it",
    ),
    "a check that cannot be worked out": (
        "ALTER TABLE fact_sales_order ADD CONSTRAINT dear CHECK (unit_price / units_sold > 0) NOT VALID",
        "UPDATE sales_order SET units_sold = 0 WHERE sales_order_id = 3",
        "22012, DivisionByZero.: the constraint dear of fact_sales_order; drop it",
    ),
    "a trigger with a word of its own": (
        (
            "CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'secret %', NEW.units_sold; END $$;"
            "CREATE TRIGGER tt AFTER INSERT ON fact_sales_order FOR EACH ROW EXECUTE FUNCTION tf()"
        ),
        "UPDATE sales_order SET units_sold = 7 WHERE sales_order_id = 3",
        "P0001, RaiseException.: the trigger tt of fact_sales_order; drop it",
    ),
    "a trigger with a word of constraints, beside an index": (
        (
            "CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE check_violation USING MESSAGE = 'secret'; END $$;"
            "CREATE TRIGGER tt BEFORE UPDATE ON dim_design FOR EACH ROW EXECUTE FUNCTION tf();"
            "CREATE INDEX lowered ON dim_design (lower(design_name))"
        ),
        "UPDATE design SET design_name = 'x' WHERE design_id = 2",
        "23514, CheckViolation.: the index lowered of dim_design or the trigger tt of dim_design; drop it",
    ),
    "a trigger whose own table refuses": (
        (
            "CREATE TABLE seen (id int PRIMARY KEY); CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql "
            "SET search_path = public AS $$ BEGIN INSERT INTO seen VALUES (1), (1); RETURN NEW; END $$;"
            "CREATE TRIGGER tt BEFORE INSERT ON fact_sales_order FOR EACH ROW EXECUTE FUNCTION tf()"
        ),
        "UPDATE sales_order SET units_sold = 7 WHERE sales_order_id = 3",
        "23505, UniqueViolation.: the trigger tt of fact_sales_order; drop it",
    ),
    "a trigger whose own table is gone": (
        (
            "CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN INSERT INTO seen VALUES (1); RETURN NEW; END $$;"
            "CREATE TRIGGER tt BEFORE INSERT ON fact_sales_order FOR EACH ROW EXECUTE FUNCTION tf()"
        ),
        "UPDATE sales_order SET units_sold = 7 WHERE sales_order_id = 3",
        "42P01, UndefinedTable.: the trigger tt of fact_sales_order; drop it, .* ALTER FUNCTION ... SET search_path",
    ),
    "a trigger whose own server does not answer": (
        (
            "CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'could not connect: secret' USING ERRCODE = '08001'; END $$;"
            "CREATE TRIGGER tt AFTER INSERT ON fact_sales_order FOR EACH ROW EXECUTE FUNCTION tf()"
        ),
        "UPDATE sales_order SET units_sold = 7 WHERE sales_order_id = 3",
        "08001, SqlclientUnableToEstablishSqlconnection.: the trigger tt of fact_sales_order; drop it",
    ),
    **{
        f"a trigger with a word of class {code[:2]}": (
            (
                "CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION 'secret' USING ERRCODE = '{code}'; END $$;"
                "CREATE TRIGGER tt AFTER INSERT ON fact_sales_order FOR EACH ROW EXECUTE FUNCTION tf()"
            ),
            "UPDATE sales_order SET units_sold = 7 WHERE sales_order_id = 3",
            f"{code}, .*: the trigger tt of fact_sales_order; drop it",
        )
        for code in ("HV00N", "38000", "39P01", "55000")
    },
    "a rule": (
        "CREATE TABLE seen (id int); CREATE RULE ru AS ON UPDATE TO dim_design DO ALSO INSERT INTO seen VALUES (1)",
        "UPDATE design SET design_name = 'x' WHERE design_id = 2",
        "0A000, FeatureNotSupported.: the rule ru of dim_design; drop it",
    ),
    "a trigger on the quarantine": (
        (
            "CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'secret'; END $$;"
            "CREATE TRIGGER tt AFTER INSERT ON etl.quarantine FOR EACH ROW EXECUTE FUNCTION tf()"
        ),
        "UPDATE payment SET payment_date = 'no date' WHERE payment_id = 4",
        r"P0001, RaiseException.: the trigger tt of etl\.quarantine; drop it",
    ),
}


@pytest.mark.parametrize("what", FAILING)
@pytest.mark.begun
def test_what_others_made_that_fails_on_a_row_of_the_shop_is_named_without_its_values(
    pipeline: Pipeline, what: str
) -> None:
    made, edit, said = FAILING[what]
    execute(pipeline.warehouse, made)
    execute(pipeline.source, edit)
    with pytest.raises(ConfigurationError, match=f"batch 2 cannot be loaded: .*{said}") as refusal:
        pipeline.tick()
    assert not any(word in str(refusal.value) for word in ("secret", "99999999999", "no date"))
    assert value(pipeline.warehouse, "SELECT max(batch_id) FROM etl.batch") == 1


@pytest.mark.begun
def test_a_trigger_that_waits_for_a_lock_in_vain_is_not_to_be_dropped(pipeline: Pipeline) -> None:
    execute(
        pipeline.warehouse,
        SWALLOWING.format("RAISE lock_not_available;")
        + "CREATE TRIGGER tt AFTER INSERT ON fact_sales_order FOR EACH ROW EXECUTE FUNCTION tf()",
    )
    execute(pipeline.source, "UPDATE sales_order SET units_sold = 7 WHERE sales_order_id = 3")
    with pytest.raises(psycopg2.errors.LockNotAvailable):
        pipeline.tick()


@pytest.mark.begun
def test_an_error_with_which_nothing_of_others_has_to_do_is_named_as_it_is(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(pipeline.warehouse, "CREATE INDEX lowered ON dim_design (lower(design_name))")
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 4")

    def fails(cursor: Cursor, *_arguments: object) -> int:
        cursor.execute("SELECT 1 / 0")
        return 0

    monkeypatch.setattr(batch, "_append_versions", fails)
    with pytest.raises(psycopg2.errors.DivisionByZero):
        pipeline.tick()


SWALLOWED = {
    "a fact's versions": (
        SWALLOWING.format("RETURN NULL;")
        + "CREATE TRIGGER tt BEFORE INSERT ON fact_sales_order FOR EACH ROW EXECUTE FUNCTION tf()",
        "UPDATE sales_order SET units_sold = 7 WHERE sales_order_id IN (3, 4)",
        "2 of 2 rows of fact_sales_order .* by the trigger tt; drop it",
    ),
    "some of them, beside a trigger that takes its turn": (
        SWALLOWING.format("IF NEW.sales_order_id = 3 THEN RETURN NULL; END IF; RETURN NEW;")
        + "CREATE TRIGGER tt BEFORE INSERT OR UPDATE ON fact_sales_order FOR EACH ROW EXECUTE FUNCTION tf();"
        "CREATE TRIGGER zz BEFORE INSERT ON fact_sales_order FOR EACH ROW EXECUTE FUNCTION tf();"
        "CREATE TRIGGER off BEFORE INSERT ON fact_sales_order FOR EACH ROW EXECUTE FUNCTION tf();"
        "ALTER TABLE fact_sales_order DISABLE TRIGGER off;"
        "CREATE TRIGGER after AFTER INSERT ON fact_sales_order FOR EACH ROW EXECUTE FUNCTION tf()",
        "UPDATE sales_order SET units_sold = 7 WHERE sales_order_id IN (3, 4)",
        "1 of 2 rows of fact_sales_order .* by the trigger tt or the trigger zz; drop it",
    ),
    "a fact's closing versions": (
        SWALLOWING.format("RETURN NULL;")
        + "CREATE TRIGGER tt BEFORE INSERT ON fact_payment FOR EACH ROW EXECUTE FUNCTION tf()",
        "DELETE FROM payment WHERE payment_id = 4",
        "1 of 1 rows of fact_payment .* by the trigger tt; drop it",
    ),
    "a dimension's new rows and edits": (
        SWALLOWING.format("RETURN NULL;")
        + "CREATE TRIGGER tt BEFORE INSERT OR UPDATE ON dim_design FOR EACH ROW EXECUTE FUNCTION tf()",
        (
            "UPDATE design SET design_name = 'x' WHERE design_id = 2; INSERT INTO design "
            "SELECT (jsonb_populate_record(d, '{\"design_id\":999}')).* FROM design d WHERE design_id = 2"
        ),
        "2 of 2 rows of dim_design .* by the trigger tt; drop it",
    ),
    "a dimension's marks": (
        SWALLOWING.format("RETURN NULL;")
        + "CREATE TRIGGER tt BEFORE UPDATE ON dim_transaction FOR EACH ROW EXECUTE FUNCTION tf()",
        "DELETE FROM payment WHERE transaction_id = 4; DELETE FROM transaction WHERE transaction_id = 4",
        "1 of 1 rows of dim_transaction .* by the trigger tt; drop it",
    ),
}


@pytest.mark.parametrize("what", SWALLOWED)
@pytest.mark.begun
def test_a_trigger_that_swallows_rows_of_the_shop_is_named(pipeline: Pipeline, what: str) -> None:
    made, edit, said = SWALLOWED[what]
    execute(pipeline.warehouse, made)
    execute(pipeline.source, edit)
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=f"batch 2 cannot be loaded: {said}"):
            pipeline.tick()
    execute(pipeline.warehouse, "DROP FUNCTION tf CASCADE")
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_a_trigger_that_lets_every_row_pass_stops_no_load(pipeline: Pipeline) -> None:
    execute(
        pipeline.warehouse,
        "ALTER TABLE fact_sales_order ADD seen timestamptz; ALTER TABLE dim_design ADD seen timestamptz;"
        + SWALLOWING.format("NEW.seen = now(); RETURN NEW;")
        + "CREATE TRIGGER tt BEFORE INSERT ON fact_sales_order FOR EACH ROW EXECUTE FUNCTION tf();"
        "CREATE TRIGGER tt BEFORE INSERT OR UPDATE ON dim_design FOR EACH ROW EXECUTE FUNCTION tf()",
    )
    execute(
        pipeline.source,
        "UPDATE sales_order SET units_sold = 7 WHERE sales_order_id = 3; UPDATE design SET file_name = 'x'",
    )
    pipeline.tick()
    assert value(pipeline.warehouse, "SELECT count(*) FROM fact_sales_order WHERE seen IS NOT NULL") == 1
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_what_a_trigger_changes_is_found_by_verify_and_repaired_when_it_is_gone(pipeline: Pipeline) -> None:
    execute(
        pipeline.warehouse,
        SWALLOWING.format("NEW.units_sold = 1; RETURN NEW;")
        + "CREATE TRIGGER tt BEFORE INSERT ON fact_sales_order FOR EACH ROW EXECUTE FUNCTION tf()",
    )
    execute(pipeline.source, "UPDATE sales_order SET units_sold = 7 WHERE sales_order_id = 3")
    pipeline.tick()
    assert found(pipeline) == {"fact_sales_order": ([], [], [3])}
    execute(pipeline.warehouse, "DROP FUNCTION tf CASCADE")
    repaired(pipeline)
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
@pytest.mark.parametrize("on", ["INSERT TO fact_sales_order", "UPDATE TO dim_design", "INSERT TO etl.batch_table"])
def test_a_rule_that_puts_something_else_in_the_place_of_a_write_is_named(pipeline: Pipeline, on: str) -> None:
    execute(pipeline.warehouse, f"CREATE RULE ru AS ON {on} DO INSTEAD NOTHING")
    execute(pipeline.source, "UPDATE sales_order SET units_sold = 7 WHERE sales_order_id = 3")
    table = on.rsplit(maxsplit=1)[-1]
    remedy = rf"DROP RULE ru ON {table if '.' in table else f'public.{table}'}"
    with pytest.raises(ConfigurationError, match=rf"the rule ru of .*{table} .*; {remedy}"):
        pipeline.tick()
    execute(pipeline.warehouse, remedy)
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
@pytest.mark.parametrize("name", ["batch", "batch_table", "drift", "quarantine", "content"])
def test_a_trigger_that_may_swallow_rows_of_the_ledger_is_named(pipeline: Pipeline, name: str) -> None:
    made = f"BEFORE INSERT OR UPDATE ON etl.{name} FOR EACH ROW EXECUTE FUNCTION tf()"
    execute(pipeline.warehouse, SWALLOWING.format("RETURN NULL;") + f'CREATE TRIGGER "my one" {made}')
    execute(pipeline.source, "UPDATE payment SET payment_date = 'no date' WHERE payment_id = 4")
    remedy = f'DROP TRIGGER "my one" ON etl.{name}'
    with pytest.raises(ConfigurationError, match=rf'the trigger "my one" of etl\.{name} may .*; {remedy}, or'):
        pipeline.tick()
    execute(pipeline.warehouse, remedy)
    execute(
        pipeline.warehouse,
        f"CREATE TRIGGER off {made}; ALTER TABLE etl.{name} DISABLE TRIGGER off;"
        f"CREATE TRIGGER after {made.replace('BEFORE', 'AFTER')}",
    )
    assert pipeline.tick().tables["fact_payment"].quarantined == 1
    assert value(pipeline.warehouse, "SELECT count(*) FROM etl.quarantine") == 1


@since(16, "memberships that are not inherited")
def test_a_view_of_a_role_that_the_loader_may_only_become_outlives_a_rebuild(
    pipeline: Pipeline, by_role: Pipeline, loader: Role
) -> None:
    by_role.tick()
    execute(pipeline.warehouse, "CREATE SCHEMA reports AUTHORIZATION ana; GRANT SELECT ON fact_payment TO ana")
    execute(pipeline.warehouse, f"GRANT ana TO {loader.username} WITH INHERIT FALSE, SET TRUE")
    execute(pipeline.warehouse, "SET ROLE ana; CREATE VIEW reports.paid AS SELECT paid FROM fact_payment")
    assert rebuilt(by_role).rebuilding is None
    assert value(pipeline.warehouse, "SELECT relowner::regrole::text FROM pg_class WHERE relname = 'paid'") == "ana"


def test_a_rebuild_makes_tables_of_a_role_that_it_was_granted_the_loaders_again(
    pipeline: Pipeline, by_role: Pipeline, loader: Role
) -> None:
    by_role.tick()
    execute(pipeline.warehouse, f"GRANT ana TO {loader.username}; ALTER TABLE dim_design OWNER TO ana")
    rebuilt(by_role)
    owner = "SELECT relowner::regrole::text FROM pg_class WHERE oid = 'dim_design'::regclass"
    assert value(pipeline.warehouse, owner) == loader.username


@pytest.mark.begun
def test_what_others_change_of_totes_own_is_as_totes_makes_it_after_a_rebuild(pipeline: Pipeline) -> None:
    looks = """
        SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), obj_description(indexrelid, 'pg_class')
        FROM pg_index WHERE indrelid IN ('dim_staff'::regclass, 'fact_payment'::regclass)
        UNION ALL SELECT attname, attnotnull::text, '' FROM pg_attribute WHERE attrelid = 'dim_staff'::regclass
        UNION ALL SELECT sequencename, cache_size::text, '' FROM pg_sequences ORDER BY 1
    """
    before = rows(pipeline.warehouse, looks)
    execute(
        pipeline.warehouse,
        """
        ALTER TABLE dim_staff ALTER location SET NOT NULL;
        ALTER TABLE fact_payment ADD CONSTRAINT twice UNIQUE (payment_id, batch_id);
        ALTER TABLE dim_staff DROP CONSTRAINT dim_staff_pkey;
        ALTER TABLE dim_staff ADD PRIMARY KEY (staff_id) INCLUDE (first_name) WITH (fillfactor = 60);
        COMMENT ON INDEX dim_staff_pkey IS 'ours';
        ALTER SEQUENCE fact_payment_payment_record_id_seq CACHE 50
        """,
    )
    assert rows(pipeline.warehouse, looks) != before
    rebuilt(pipeline)
    assert rows(pipeline.warehouse, looks) == before


def test_a_temporary_function_is_for_its_session_to_end(pipeline: Pipeline) -> None:
    pipeline.tick()
    with session(pipeline.warehouse) as other:
        with other, other.cursor() as cursor:
            cursor.execute("CREATE FUNCTION pg_temp.staff() RETURNS SETOF dim_staff LANGUAGE sql AS 'TABLE dim_staff'")
        with pytest.raises(ConfigurationError, match=r"temporary function .* reads one of them; end that session"):
            rebuilt(pipeline)
    rebuilt(pipeline)


@pytest.mark.parametrize("table", ["dim_design", "fact_payment", "etl.drift"])
def test_a_table_of_a_role_whose_rights_the_loader_has_not_is_named_before_a_rebuild_begins(
    pipeline: Pipeline, by_role: Pipeline, loader: Role, table: str
) -> None:
    by_role.tick()
    execute(pipeline.warehouse, f"ALTER TABLE {table} OWNER TO ana; GRANT ALL ON {table} TO {loader.username}")
    remedy = f"ALTER TABLE {table} OWNER TO {loader.username}"
    with pytest.raises(ConfigurationError, match=f"cannot be replaced: {table} belongs to ana.*{remedy}"):
        rebuilt(by_role)
    assert value(pipeline.warehouse, "SELECT to_regclass('etl.rebuild') IS NULL")
    execute(pipeline.warehouse, remedy)
    assert rebuilt(by_role).rebuilding is None


LOST = {
    # what somebody makes: what the refusal names, and how it is taken back
    "CREATE TABLE notes (batch_id int REFERENCES etl.batch)": ("notes_batch_id_fkey", "DROP TABLE notes"),
    "CREATE TABLE bonus (staff_id int REFERENCES dim_staff)": ("bonus_staff_id_fkey", "DROP TABLE bonus"),
    "CREATE TABLE t (p fact_payment)": ("column p of table t", "DROP TABLE t"),
    "CREATE TABLE t (p current_payment[])": (r"column p of table t.*public\.current_payment", "DROP TABLE t"),
    "CREATE TABLE t (id int DEFAULT nextval('fact_payment_payment_record_id_seq'))": (
        "default value for column id of table t",
        "DROP TABLE t",
    ),
    "CREATE TABLE child () INHERITS (fact_payment)": ("table child", "DROP TABLE child"),
    "CREATE MATERIALIZED VIEW kept AS SELECT * FROM current_payment": (
        r"materialized view public\.kept",
        "DROP MATERIALIZED VIEW kept",
    ),
    "CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
    "CREATE TRIGGER tr INSTEAD OF INSERT ON current_payment FOR EACH ROW EXECUTE FUNCTION tf()": (
        "trigger tr on view current_payment",
        "DROP FUNCTION tf CASCADE",
    ),
    "CREATE RULE ru AS ON INSERT TO current_payment DO INSTEAD NOTHING": (
        "rule ru on view current_payment",
        "DROP RULE ru ON current_payment",
    ),
    "CREATE RULE ru AS ON DELETE TO fact_payment DO INSTEAD NOTHING": (
        "rule ru on table fact_payment",
        "DROP RULE ru ON fact_payment",
    ),
    "CREATE POLICY po ON fact_payment": ("policy po on table fact_payment", "DROP POLICY po ON fact_payment"),
    "CREATE STATISTICS st ON department_name, location FROM dim_staff": ("statistics object st", "DROP STATISTICS st"),
    "CREATE PUBLICATION pubx FOR TABLE fact_payment": ("publication pubx", "DROP PUBLICATION pubx"),
    "CREATE PUBLICATION puball FOR ALL TABLES": ("publication puball, which is of all", "DROP PUBLICATION puball"),
    "ALTER TABLE fact_payment ADD CONSTRAINT ch CHECK (payment_id > 0)": (
        "constraint ch on table fact_payment",
        "ALTER TABLE fact_payment DROP CONSTRAINT ch",
    ),
    "ALTER TABLE dim_staff ADD CONSTRAINT un UNIQUE (email_address)": (
        "constraint un on table dim_staff",
        "ALTER TABLE dim_staff DROP CONSTRAINT un",
    ),
    "ALTER TABLE dim_staff ALTER COLUMN location SET DEFAULT 'Leeds'": (
        "default value for column location",
        "ALTER TABLE dim_staff ALTER COLUMN location DROP DEFAULT",
    ),
    "ALTER TABLE dim_staff ALTER COLUMN is_deleted SET DEFAULT true": (
        "default value for column is_deleted of table dim_staff would be lost; set it back to false",
        "ALTER TABLE dim_staff ALTER COLUMN is_deleted SET DEFAULT false",
    ),
    "ALTER TABLE fact_payment ALTER COLUMN payment_record_id SET DEFAULT 7": (
        "default value for column payment_record_id of table fact_payment would be lost; set it back to nextval",
        (
            "ALTER TABLE fact_payment ALTER COLUMN payment_record_id "
            "SET DEFAULT nextval('fact_payment_payment_record_id_seq')"
        ),
    ),
    "ALTER TABLE fact_payment ADD COLUMN note text": (
        "column note of fact_payment",
        "ALTER TABLE fact_payment DROP COLUMN note",
    ),
    "ALTER TABLE etl.quarantine ADD COLUMN seen_by text": (
        r"column seen_by of etl\.quarantine",
        "ALTER TABLE etl.quarantine DROP COLUMN seen_by",
    ),
    "ALTER TABLE dim_design ALTER COLUMN file_name SET STATISTICS 500": (
        "set on the column file_name of dim_design",
        "ALTER TABLE dim_design ALTER COLUMN file_name SET STATISTICS -1",
    ),
    (
        "CREATE INDEX lowered ON dim_design (file_location, lower(file_name));"
        "ALTER INDEX lowered ALTER COLUMN 2 SET STATISTICS 500"
    ): (
        "STATISTICS of an expression of the index lowered of dim_design",
        "ALTER INDEX lowered ALTER COLUMN 2 SET STATISTICS -1",
    ),
    "ALTER TABLE dim_design SET UNLOGGED": ("UNLOGGED of dim_design", "ALTER TABLE dim_design SET LOGGED"),
    "CREATE VIEW of_ana AS SELECT payment_id FROM fact_payment; ALTER VIEW of_ana OWNER TO ana": (
        r"view public\.of_ana.*GRANT CREATE ON SCHEMA public TO ana",
        "DROP VIEW of_ana",
    ),
    "CREATE VIEW of_admin AS SELECT payment_id FROM fact_payment": (
        r"view public\.of_admin of \w+ reads one of them, and the loader may not make it again",
        "DROP VIEW of_admin",
    ),
}
if VERSION >= 15:
    LOST["CREATE PUBLICATION pubin FOR TABLES IN SCHEMA public"] = ("publication pubin", "DROP PUBLICATION pubin")


def test_what_a_rebuild_would_lose_is_named_before_it_begins(
    pipeline: Pipeline, by_role: Pipeline, loader: Role
) -> None:
    by_role.tick()
    # In PostgreSQL 14 everybody may create there, where nobody forbids it.
    execute(pipeline.warehouse, f"GRANT ana TO {loader.username}; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    before = content_of(pipeline.warehouse)
    for made, (named, back) in LOST.items():
        execute(pipeline.warehouse, made)
        with pytest.raises(ConfigurationError, match=f"cannot be replaced.*{named}"):
            rebuilt(by_role)
        assert value(pipeline.warehouse, "SELECT to_regclass('etl.rebuild') IS NULL"), made
        execute(pipeline.warehouse, back)
    assert content_of(pipeline.warehouse) == before
    assert rebuilt(by_role).rebuilding is None


@pytest.mark.parametrize(
    ("made", "named"),
    [
        ("CREATE VIEW where_ AS SELECT design_id, file_location FROM dim_design", r"view public\.where_"),
        ("CREATE VIEW where_ AS SELECT (d).file_location FROM dim_design d", r"view public\.where_"),
        ("CREATE INDEX where_ ON dim_design (lower(file_location))", "index where_"),
        (
            "CREATE FUNCTION where_() RETURNS text BEGIN ATOMIC SELECT max(file_location) FROM dim_design; END",
            r"function where_\(\)",
        ),
    ],
)
def test_what_reads_a_column_that_goes_is_named_before_a_rebuild_begins(
    pipeline: Pipeline, by_role: Pipeline, made: str, named: str
) -> None:
    by_role.tick()
    fewer = changed("dim_design", lambda columns: [each for each in columns if each.name != "file_location"])
    execute(by_role.warehouse, made)
    with pytest.raises(ConfigurationError, match=f"{named} reads the column file_location of dim_design"):
        rebuilt(by_role, fewer)
    assert value(pipeline.warehouse, "SELECT to_regclass('etl.rebuild') IS NULL")


def test_a_view_that_does_not_fit_a_retyped_column_is_named_and_nothing_is_changed(
    pipeline: Pipeline, by_role: Pipeline
) -> None:
    by_role.tick()
    execute(by_role.warehouse, "CREATE VIEW costly AS SELECT * FROM fact_sales_order WHERE unit_price > 3")
    before = content_of(pipeline.warehouse)
    with pytest.raises(ConfigurationError, match=r"view public\.costly cannot be made again.*operator does not exist"):
        rebuilt(by_role, priced_in_text())
    assert content_of(pipeline.warehouse) == before


UNLOCKED = since(16, "definitions of views that are told without a lock of the view: whoever drops one waits before")

NOW = "CREATE FUNCTION said(p fact_payment) RETURNS text LANGUAGE sql AS 'SELECT p.payment_id'"


@pytest.mark.parametrize(
    ("looks", "meanwhile", "asked"),
    [
        pytest.param(
            *(1, "CREATE OR REPLACE VIEW mine AS SELECT max(payment_id) AS id FROM fact_payment", "TABLE mine"),
            marks=UNLOCKED,
        ),
        pytest.param(1, "DROP VIEW mine", "SELECT to_regclass('mine') IS NULL", marks=UNLOCKED),
        (2, "DROP FUNCTION said", "SELECT to_regproc('said') IS NULL"),
        (1, "CREATE VIEW later AS TABLE mine", "TABLE later"),
    ],
)
def test_what_is_changed_at_the_moment_of_a_swap_stays_so(
    pipeline: Pipeline, by_role: Pipeline, monkeypatch: pytest.MonkeyPatch, looks: int, meanwhile: str, asked: str
) -> None:
    """A person changes it when the swap has looked at what is there, once or twice, and holds up nobody yet."""
    by_role.tick()
    execute(by_role.warehouse, "CREATE VIEW mine AS SELECT min(payment_id) AS id FROM fact_payment;" + NOW)
    expected: list[object] = []
    look, left = dependents_to_restore, iter(range(looks))

    def then_change(*given: Any) -> Dependents:
        dependents = look(*given)
        if next(left, None) == looks - 1:
            execute(by_role.warehouse, meanwhile)
            expected.extend(rows(pipeline.warehouse, asked))
        return dependents

    monkeypatch.setattr(swap, "dependents_to_restore", then_change)
    monkeypatch.setattr(steps, "_PAUSE", 0.0)
    assert rebuilt(by_role).rebuilding is None
    assert rows(pipeline.warehouse, asked) == expected


def test_a_rebuild_that_is_refused_holds_up_no_load(pipeline: Pipeline, by_role: Pipeline) -> None:
    by_role.tick()
    execute(pipeline.warehouse, "CREATE MATERIALIZED VIEW kept AS SELECT * FROM fact_payment")
    replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=1)
    for payment in (5, 6):
        execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = %s", [payment])
        with pytest.raises(ConfigurationError, match=r"materialized view public\.kept"):
            by_role.tick()
    assert value(pipeline.warehouse, "SELECT max(batch_id) FROM etl.batch") == 3


@pytest.fixture
def first(another_database: str, loader: Role) -> Iterator[str]:
    """The URI, as the loader's own role, of a database in which that has made nothing yet."""
    name = f"SELECT format('GRANT CREATE, CONNECT, TEMPORARY ON DATABASE %I TO {loader.username}', current_database())"
    execute(another_database, value(another_database, name))
    execute(another_database, f"GRANT CREATE ON SCHEMA public TO {loader.username}")
    yield loader.uri(another_database)
    execute(another_database, f"DROP OWNED BY {loader.username} CASCADE")


TYPES_OF_RECORD_IDS = """
    SELECT attrelid::regclass::text, atttypid::regtype::text FROM pg_attribute
    WHERE attname ~ '_record_id$' AND attrelid::regclass::text ~ '^fact_.*(order|payment)$' ORDER BY 1
"""


def test_an_upgrade_alters_a_table_whatever_others_have_made_of_it(
    pipeline: Pipeline, another_database: str, first: str
) -> None:
    pipeline.tick()
    strict = changed("dim_staff", lambda columns: [dataclasses.replace(each, nullable=False) for each in columns])
    make_first_warehouse(first, strict, pipeline.warehouse)
    execute(
        another_database,
        "CREATE MATERIALIZED VIEW kept AS SELECT staff_id, location FROM dim_staff;"
        "CREATE TABLE bonus (staff_id int REFERENCES dim_staff, batch_id int REFERENCES etl.batch);"
        "CREATE STATISTICS st (dependencies) ON department_name, location FROM dim_staff;"
        "CREATE PUBLICATION pub FOR TABLE dim_staff;"
        "CREATE TABLE t (p fact_purchase_order);"
        "CREATE MATERIALIZED VIEW records AS SELECT sales_record_id FROM fact_sales_order",
    )
    old = dataclasses.replace(pipeline, warehouse=first)
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    execute(pipeline.source, "UPDATE department SET location = NULL WHERE department_id = 1")
    assert old.tick().quarantined == 0
    kept = rows(another_database, "SELECT conname FROM pg_constraint WHERE contype = 'f' ORDER BY 1")
    assert kept == [("bonus_batch_id_fkey",), ("bonus_staff_id_fkey",)]
    assert rows(another_database, TYPES_OF_RECORD_IDS) == [
        ("fact_payment", "bigint"),
        ("fact_purchase_order", "integer"),
        ("fact_sales_order", "integer"),
    ]


def test_a_fact_of_a_role_whose_rights_the_loader_has_not_keeps_its_record_ids_and_is_loaded(
    pipeline: Pipeline, another_database: str, first: str, loader: Role, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline.tick()
    make_first_warehouse(first, STAR_TABLES, pipeline.warehouse)
    execute(
        another_database,
        "ALTER TABLE fact_payment OWNER TO ana;"
        f"GRANT ALL ON fact_payment, fact_payment_payment_record_id_seq TO {loader.username}",
    )
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    assert dataclasses.replace(pipeline, warehouse=first).tick().batches.count == 1
    assert "record ids of fact_payment stay integer" in caplog.text
    assert f"ALTER TABLE fact_payment OWNER TO {loader.username}" in caplog.text
    assert rows(another_database, TYPES_OF_RECORD_IDS) == [
        ("fact_payment", "integer"),
        ("fact_purchase_order", "bigint"),
        ("fact_sales_order", "bigint"),
    ]


def test_a_table_that_the_loader_may_not_alter_is_named_with_the_remedy(
    pipeline: Pipeline, by_role: Pipeline, loader: Role
) -> None:
    by_role.tick()
    execute(
        pipeline.warehouse, f"ALTER TABLE fact_payment OWNER TO ana; GRANT ALL ON fact_payment TO {loader.username}"
    )
    more = changed("fact_payment", lambda columns: (*columns, text("made", of="created_at", nullable=True)))
    remedy = f"ALTER TABLE fact_payment OWNER TO {loader.username}"
    with session(by_role.warehouse) as connection:
        with pytest.raises(ConfigurationError, match=f"fact_payment cannot be altered: .*belongs to ana.*{remedy}"):
            load(connection, pipeline.processed, more)
        execute(pipeline.warehouse, remedy + "; ALTER VIEW current_payment OWNER TO ana")
        with pytest.raises(
            ConfigurationError, match=r"fact_payment cannot be altered: .*owner of view current_payment; give that to"
        ):
            load(connection, pipeline.processed, more)
        execute(pipeline.warehouse, f"ALTER VIEW current_payment OWNER TO {loader.username}")
        load(connection, pipeline.processed, more)


@pytest.mark.begun
def test_a_column_is_added_and_another_widened_beside_what_others_have_made(pipeline: Pipeline) -> None:
    execute(
        pipeline.warehouse,
        "CREATE MATERIALIZED VIEW kept AS SELECT * FROM current_payment;"
        "CREATE RULE ru AS ON INSERT TO current_payment DO INSTEAD NOTHING;"
        "CREATE MATERIALIZED VIEW orders AS SELECT sales_order_id FROM fact_sales_order;"
        "CREATE VIEW priced AS SELECT unit_price FROM current_sales_order;"
        "CREATE INDEX by_price ON fact_sales_order (unit_price)",
    )
    more = changed("fact_payment", lambda columns: (*columns, text("made", of="created_at", nullable=True)))
    with session(pipeline.warehouse) as connection:
        load(connection, pipeline.processed, more)
    assert value(pipeline.warehouse, "SELECT count(made) FROM current_payment") == 0
    [wide] = [table for table in of_precision(12, 4) if table.name == "fact_sales_order"]
    wider = tuple(wide if table.name == wide.name else table for table in more)
    execute(pipeline.warehouse, "CREATE MATERIALIZED VIEW prices AS SELECT unit_price FROM fact_sales_order")
    with session(pipeline.warehouse) as connection:
        with pytest.raises(ConfigurationError, match=r"fact_sales_order cannot be altered.*public\.prices reads"):
            load(connection, pipeline.processed, wider)
        execute(pipeline.warehouse, "DROP MATERIALIZED VIEW prices")
        load(connection, pipeline.processed, wider)
    assert value(pipeline.warehouse, "SELECT scale(unit_price) FROM priced LIMIT 1") == 4


@pytest.mark.begun
def test_a_reader_of_a_warehouse_of_the_first_totes_delays_a_run_once(
    pipeline: Pipeline, another_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    make_first_warehouse(another_database, STAR_TABLES, pipeline.warehouse)
    old = dataclasses.replace(pipeline, warehouse=another_database)
    for payment in (5, 6, 7):
        execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = %s", [payment])
        pipeline.capture()
        pipeline.transform()
    with session(another_database) as reader, reader.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM fact_payment, fact_sales_order, fact_purchase_order")
        for batches in (3, 0):
            caplog.clear()
            assert old.load().batches.count == batches
            assert caplog.text.count("a table is in use") == 1
    old.load()
    assert value(another_database, "SELECT count(*) FROM pg_constraint WHERE contype = 'f'") == 0


@pytest.mark.begun
def test_a_deadlock_with_a_reader_delays_a_change_that_can_wait_and_no_load(
    pipeline: Pipeline, another_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    make_first_warehouse(another_database, STAR_TABLES, pipeline.warehouse)
    old = dataclasses.replace(pipeline, warehouse=another_database)
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    # The loader finds the deadlock, and not the reader: that waits longer, and began while the loader waited.
    name = value(another_database, "SELECT quote_ident(current_database())")
    execute(another_database, f"ALTER DATABASE {name} SET deadlock_timeout = '4s'")
    with session(another_database) as reader, reader.cursor() as cursor:
        cursor.execute("SET deadlock_timeout = '60s'")
        cursor.execute("LOCK TABLE etl.batch IN ACCESS SHARE MODE")
        crossing = threading.Thread(target=read_what_waits_for_me, args=(reader, another_database))
        crossing.start()
        assert old.tick().batches.count == 1
        crossing.join()
    assert "a table is in use; it is altered in a later run: deadlock detected" in caplog.text
    old.load()
    assert value(another_database, "SELECT count(*) FROM pg_constraint WHERE contype = 'f'") == 0


def read_what_waits_for_me(reader: Connection, uri: str) -> None:
    """Once somebody waits for the ledger, which the reader has read, read the table that they hold meanwhile."""
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'etl.batch'::regclass"
    until(lambda: value(uri, waits), "nobody waits", seconds=60)
    names = ", ".join([*(table.name for table in STAR_TABLES), "etl.batch_table", "etl.drift", "etl.quarantine"])
    with reader.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {names} IN ACCESS SHARE MODE")


@pytest.mark.begun
def test_a_loader_that_waits_for_another_does_not_take_it_for_a_reader(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "_LOCK_WAIT", "100ms")
    with session(pipeline.warehouse) as another, another.cursor() as cursor, session(pipeline.warehouse) as connection:
        cursor.execute("SELECT pg_advisory_lock(%s)", (ledger.LOCK,))
        rebuild = Rebuild(connection, pipeline.processed, STAR_TABLES)
        who = f"session {another.info.backend_pid} of role {another.info.user} held the loaders' lock for 100ms"
        with pytest.raises(WarehouseUnavailable, match=who):
            rebuild.step(None)


SLOW_VACUUM = """
    ALTER TABLE fact_payment SET (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1,
        autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0);
    UPDATE fact_payment SET paid = paid
"""


def test_an_autovacuum_gives_way_to_the_swap(source: str, lake: tuple[Bucket, Bucket]) -> None:
    at_once = {**QUICK, "autovacuum": "on", "autovacuum_naptime": "1s"}
    with tempfile.TemporaryDirectory(prefix="totes-", ignore_cleanup_errors=True) as folder:
        server = server_in(Path(folder), settings=at_once)
        server.start()
        try:
            server.create_database("warehouse")
            warehouse = server.uri("warehouse")
            pipeline = Pipeline(source=source, warehouse=warehouse, ingestion=lake[0], processed=lake[1])
            pipeline.tick()
            execute(warehouse, SLOW_VACUUM)
            begun = "SELECT count(*) FROM pg_stat_progress_vacuum WHERE relid::regclass::text ~ 'pay'"
            until(lambda: value(warehouse, begun), "no autovacuum has begun", seconds=60)
            assert rebuilt(pipeline).rebuilding is None
        finally:
            server.stop()
