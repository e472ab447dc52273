"""Each role may do in its database what totes does with it, and nothing else."""

import re
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import sql
from psycopg2.extensions import make_dsn

from local_cloud.postgres import EmbeddedPostgres
from tests.support.databases import execute, own_session, rows, session, value
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from tests.support.servers import run_alone
from tests.support.versions import since
from totes.capture import SOURCE_TABLES
from totes.errors import ConfigurationError
from totes.names import RATES_TABLE
from totes.outcomes import Span
from totes.roles import DASHBOARD, MARK, prepare_source, prepare_warehouse, role_of
from totes.star import READABLE, STAR_TABLES
from totes.warehouse import load

TABLES = [table.name for table in SOURCE_TABLES]


@dataclass(frozen=True)
class Role:
    username: str
    password: str

    @property
    def login(self) -> dict[str, str]:
        return {"username": self.username, "password": self.password}

    def uri(self, uri: str) -> str:
        return make_dsn(uri, user=self.username, password=self.password)


@pytest.fixture
def reader(pipeline: Pipeline) -> Iterator[Role]:
    role = Role(f"reader_{uuid.uuid4().hex[:8]}", "a-password")
    with session(pipeline.source) as admin:
        prepare_source(admin, role.login, TABLES)
    yield role
    drop(pipeline.source, role)


@pytest.fixture
def loader(pipeline: Pipeline) -> Iterator[Role]:
    role, dashboard = Role(f"loader_{uuid.uuid4().hex[:8]}", "b-password"), Role(DASHBOARD, "c-password")
    with session(pipeline.warehouse) as admin:
        prepare_warehouse(admin, role.login, dashboard.login, READABLE)
    yield role
    for each in (role, dashboard):
        drop(pipeline.warehouse, each)


def named(role: Role) -> sql.Identifier:
    return sql.Identifier(role.username)


def drop(uri: str, role: Role) -> None:
    name = named(role)
    with session(uri) as connection, connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(name))
        cursor.execute(sql.SQL("DROP ROLE {}").format(name))


def refused(uri: str, statement: str) -> bool:
    try:
        execute(uri, statement)
    except psycopg2.errors.InsufficientPrivilege:
        return True
    return False


def test_the_pipeline_runs_by_roles_that_may_no_more_than_they_need(
    pipeline: Pipeline, reader: Role, loader: Role
) -> None:
    by_roles = replace(pipeline, source=reader.uri(pipeline.source), warehouse=loader.uri(pipeline.warehouse))
    by_roles.tick()
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 3")
    assert by_roles.tick().batches == Span(first=2, last=2, count=1)
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.parametrize("name", ["Totes", "user@example.com", 'the "loader"', "50 %"])
def test_roles_of_any_name_run_and_rebuild(pipeline: Pipeline, name: str) -> None:
    """Also where another role has the same name in small letters."""
    suffix = uuid.uuid4().hex[:8]
    reader, loader, other = (Role(each, "a-password") for each in (f"{name}R{suffix}", f"{name}L{suffix}", DASHBOARD))
    namesake = sql.Identifier(loader.username.lower())
    with session(pipeline.source) as admin, session(pipeline.warehouse) as of_warehouse:
        prepare_source(admin, reader.login, TABLES)
        prepare_warehouse(of_warehouse, loader.login, other.login, READABLE)
        with admin, admin.cursor() as cursor:
            cursor.execute(sql.SQL("CREATE ROLE {}").format(namesake))
    by_roles = replace(pipeline, source=reader.uri(pipeline.source), warehouse=loader.uri(pipeline.warehouse))
    by_roles.tick()
    execute(pipeline.warehouse, "CREATE VIEW paid AS SELECT paid FROM fact_payment")
    with session(pipeline.warehouse) as admin, admin, admin.cursor() as cursor:
        cursor.execute(sql.SQL("ALTER VIEW paid OWNER TO {}").format(sql.Identifier(loader.username)))
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 3")
    assert by_roles.tick().batches == Span(first=2, last=2, count=1)
    with own_session(by_roles.warehouse, "warehouse") as warehouse:
        load(warehouse, pipeline.processed, STAR_TABLES, rebuild=True)
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    assert not refused(loader.uri(pipeline.warehouse), "TABLE paid")
    drop(pipeline.source, reader)
    for each in (loader, other, Role(loader.username.lower(), "")):
        drop(pipeline.warehouse, each)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE payment SET paid = true",
        "DELETE FROM design",
        "INSERT INTO currency (currency_code) VALUES ('XXX')",
        "TRUNCATE staff",
        "ALTER TABLE staff ADD COLUMN mine int",
        "CREATE ROLE another",
        "CREATE SCHEMA mine",
    ],
)
def test_the_sources_role_only_reads(pipeline: Pipeline, reader: Role, statement: str) -> None:
    assert refused(reader.uri(pipeline.source), statement)


def test_the_sources_role_reads_nothing_but_its_tables(pipeline: Pipeline, reader: Role) -> None:
    execute(pipeline.source, "CREATE TABLE salaries (staff_id int, salary int)")
    assert refused(reader.uri(pipeline.source), "SELECT * FROM salaries")
    for table in TABLES:
        assert not refused(reader.uri(pipeline.source), f"SELECT * FROM {table}")


def test_nobody_but_the_loader_makes_temporary_tables_not_even_who_once_might(
    pipeline: Pipeline, reader: Role, loader: Role
) -> None:
    """PostgreSQL lets everybody; where the server is not totes' own, it is for others to say whether it may."""
    shows = Role(DASHBOARD, "c-password")
    for uri, once in ((pipeline.source, reader), (pipeline.warehouse, shows)):
        execute(uri, f"GRANT TEMPORARY ON DATABASE {uri.rpartition('/')[2]} TO {once.username}")
    execute(pipeline.source, f"REVOKE TEMPORARY ON DATABASE {pipeline.source.rpartition('/')[2]} FROM PUBLIC")
    execute(pipeline.source, f"COMMENT ON ROLE {reader.username} IS NULL")
    made = "CREATE TEMPORARY TABLE mine (id int)"
    with session(pipeline.source) as admin:
        prepare_source(admin, reader.login, TABLES)
        assert not refused(reader.uri(pipeline.source), made), "until now it was somebody's own, who granted it that"
        prepare_source(admin, reader.login, TABLES)
    with session(pipeline.warehouse) as admin:
        prepare_warehouse(admin, loader.login, shows.login, READABLE)
        assert not refused(shows.uri(pipeline.warehouse), made), "what the server lets everybody, all may"
        prepare_warehouse(admin, loader.login, shows.login, READABLE, own=True)
    assert refused(reader.uri(pipeline.source), made)
    assert refused(shows.uri(pipeline.warehouse), made)
    assert not refused(loader.uri(pipeline.warehouse), made)
    replace(pipeline, source=reader.uri(pipeline.source), warehouse=loader.uri(pipeline.warehouse)).tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


def test_the_loaders_role_makes_its_tables_and_no_role_or_schema(pipeline: Pipeline, loader: Role) -> None:
    for statement in ("CREATE ROLE another", "CREATE SCHEMA mine", "CREATE DATABASE mine"):
        with pytest.raises((psycopg2.errors.InsufficientPrivilege, psycopg2.errors.ActiveSqlTransaction)):
            execute(loader.uri(pipeline.warehouse), statement)


def assert_it_reads_the_star_and_nothing_else(pipeline: Pipeline) -> None:
    dashboard = Role(DASHBOARD, "c-password").uri(pipeline.warehouse)
    relations = rows(
        pipeline.warehouse,
        "SELECT nspname, relname, relkind = 'v' FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
        "WHERE nspname IN ('public', 'etl') AND relkind IN ('r', 'v')",
    )
    read = {f"{schema}.{name}" for schema, name, _ in relations if not refused(dashboard, f"TABLE {schema}.{name}")}
    ledger = {"etl.batch", "etl.batch_table"}
    assert read == {f"public.{name}" for name in (*READABLE, RATES_TABLE)} | ledger
    for schema, name, is_view in relations:
        if not is_view:
            assert refused(dashboard, f"DELETE FROM {schema}.{name}"), name
    unread = (
        "SELECT sequencename FROM pg_sequences "
        "WHERE schemaname = 'public' AND NOT has_sequence_privilege(format('public.%I', sequencename), 'SELECT')"
    )
    assert rows(dashboard, unread) == [], "pg_dump reads them with their tables"


def test_the_reader_reads_the_whole_star_and_the_ledger_and_writes_nothing(pipeline: Pipeline, loader: Role) -> None:
    replace(pipeline, warehouse=loader.uri(pipeline.warehouse)).tick()
    assert_it_reads_the_star_and_nothing_else(pipeline)
    dashboard = Role(DASHBOARD, "c-password").uri(pipeline.warehouse)
    assert rows(dashboard, "SELECT count(*) FROM fact_sales_order JOIN etl.batch USING (batch_id)")[0][0] > 0
    # As docs/readers.md says for PostgreSQL 14, in which every login has this.
    execute(pipeline.warehouse, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    assert refused(dashboard, "CREATE TABLE public.mine (id int)")


def test_the_reader_dumps_the_star(pipeline: Pipeline, loader: Role, postgres_binaries: Path, tmp_path: Path) -> None:
    replace(pipeline, warehouse=loader.uri(pipeline.warehouse)).tick()
    dashboard = Role(DASHBOARD, "c-password").uri(pipeline.warehouse)
    dump = tmp_path / "dump.sql"
    subprocess.run([postgres_binaries / "pg_dump", "-n", "public", "--file", dump, "--dbname", dashboard], check=True)
    assert "COPY public.fact_payment (payment_record_id, " in dump.read_text()


def test_the_reader_reads_nothing_of_somebodys_own_schema_of_reports(pipeline: Pipeline, loader: Role) -> None:
    execute(
        pipeline.warehouse, "DROP SCHEMA report CASCADE; CREATE SCHEMA report; CREATE TABLE report.salary (who text)"
    )
    dashboard = Role(DASHBOARD, "c-password")
    with session(pipeline.warehouse) as admin:
        prepare_warehouse(admin, loader.login, dashboard.login, READABLE)
    assert refused(dashboard.uri(pipeline.warehouse), "TABLE report.salary")


def test_the_reader_reads_what_a_rebuild_has_made_and_what_comes_later(pipeline: Pipeline, loader: Role) -> None:
    by_role = replace(pipeline, warehouse=loader.uri(pipeline.warehouse))
    by_role.tick()
    with session(by_role.warehouse) as connection:
        load(connection, pipeline.processed, STAR_TABLES, rebuild=True)
    assert_it_reads_the_star_and_nothing_else(pipeline)
    execute(pipeline.warehouse, "DROP TABLE dim_design, fact_payment CASCADE")
    by_role.tick()
    assert_it_reads_the_star_and_nothing_else(pipeline)


def test_a_reader_that_is_made_after_the_star_reads_it_too(pipeline: Pipeline, loader: Role) -> None:
    replace(pipeline, warehouse=loader.uri(pipeline.warehouse)).tick()
    dashboard = Role(DASHBOARD, "c-password")
    drop(pipeline.warehouse, dashboard)
    with session(pipeline.warehouse) as admin:
        prepare_warehouse(admin, loader.login, dashboard.login, READABLE)
    assert_it_reads_the_star_and_nothing_else(pipeline)


def test_the_reader_reads_what_a_rebuild_by_a_member_of_the_owner_has_made(pipeline: Pipeline, loader: Role) -> None:
    """Views stay the first owner's, who is to read the tables that are not its own any more."""
    replace(pipeline, warehouse=loader.uri(pipeline.warehouse)).tick()
    member = Role(f"member_{uuid.uuid4().hex[:8]}", "m-password")
    execute(
        pipeline.warehouse,
        f"CREATE ROLE {member.username} LOGIN PASSWORD %s IN ROLE {loader.username};"
        f"GRANT TEMPORARY ON DATABASE {value(pipeline.warehouse, 'SELECT current_database()')} TO {member.username}",
        [member.password],
    )
    by_member = replace(pipeline, warehouse=member.uri(pipeline.warehouse))
    with own_session(by_member.warehouse, "warehouse") as warehouse:
        load(warehouse, pipeline.processed, STAR_TABLES, rebuild=True)
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 3")
    by_member.tick()
    owner = "SELECT relowner::regrole::text FROM pg_class WHERE oid = 'fact_payment'::regclass"
    assert value(pipeline.warehouse, owner) == member.username
    assert_it_reads_the_star_and_nothing_else(pipeline)
    dashboard = Role(DASHBOARD, "c-password").uri(pipeline.warehouse)
    assert value(dashboard, "SELECT count(*) FROM report.payments") > 0
    execute(pipeline.warehouse, f"REASSIGN OWNED BY {member.username} TO {loader.username}")
    drop(pipeline.warehouse, member)


def test_what_somebody_has_taken_from_the_reader_stays_taken(pipeline: Pipeline, loader: Role) -> None:
    by_role = replace(pipeline, warehouse=loader.uri(pipeline.warehouse))
    by_role.tick()
    execute(pipeline.warehouse, f"REVOKE SELECT ON dim_staff FROM {DASHBOARD}")
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 3")
    by_role.tick()
    with session(by_role.warehouse) as connection:
        load(connection, pipeline.processed, STAR_TABLES, rebuild=True)
    assert refused(Role(DASHBOARD, "c-password").uri(pipeline.warehouse), "TABLE dim_staff")


@pytest.fixture
def master(pipeline: Pipeline) -> Iterator[Role]:
    """An administrator as RDS has one: it makes roles, owns the database, and is no superuser."""
    role = Role(f"master_{uuid.uuid4().hex[:8]}", "m-password")
    name = value(pipeline.warehouse, "SELECT current_database()")
    execute(
        pipeline.warehouse,
        f"CREATE ROLE {role.username} LOGIN CREATEROLE PASSWORD %s; ALTER DATABASE {name} OWNER TO {role.username};"
        f"ALTER SCHEMA public OWNER TO {role.username}",
        [role.password],
    )
    yield role
    execute(pipeline.warehouse, f"ALTER DATABASE {name} OWNER TO postgres; ALTER SCHEMA public OWNER TO postgres")
    drop(pipeline.warehouse, role)


@pytest.mark.parametrize(
    "made", ["CREATE ROLE {}", "CREATE ROLE {} ROLE {}", ""], ids=["of a role", "of a member", "of a name"]
)
def test_a_loader_that_has_not_loaded_the_warehouse_is_refused_until_it_owns_that(
    pipeline: Pipeline, master: Role, made: str
) -> None:
    one, another = (Role(f"{name} {uuid.uuid4().hex[:8]}", "d-password") for name in ("One", "Another"))
    dashboard = Role(DASHBOARD, "c-password")
    first, second = f'"{one.username}"', f'"{another.username}"'
    by_master = master.uri(pipeline.warehouse)
    with session(by_master) as admin:
        prepare_warehouse(admin, one.login, dashboard.login, READABLE)
    replace(pipeline, warehouse=one.uri(pipeline.warehouse)).tick()
    remedy = f"GRANT {first}, {second} TO CURRENT_USER; REASSIGN OWNED BY {first} TO {second}"
    if made:
        execute(by_master, made.format(second, first))
    else:
        remedy = f"CREATE ROLE {second}; {remedy}"
    with session(by_master) as admin:
        with pytest.raises(ConfigurationError, match=f"^{first} has loaded .* nothing was changed.* {remedy}$"):
            prepare_warehouse(admin, another.login, dashboard.login, READABLE)
        found = role_of(admin, another.username)
        assert found is None or not found.made_by_totes
        execute(by_master, remedy)
        prepare_warehouse(admin, another.login, dashboard.login, READABLE)
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 3")
    by_another = replace(pipeline, warehouse=another.uri(pipeline.warehouse))
    assert by_another.tick().batches.count == 1
    with own_session(by_another.warehouse, "warehouse") as warehouse:
        load(warehouse, pipeline.processed, STAR_TABLES, rebuild=True)
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    assert_it_reads_the_star_and_nothing_else(pipeline)
    for each in (another, one, dashboard):
        drop(pipeline.warehouse, each)


def test_the_warehouse_of_a_loader_who_owns_another_database_is_given_to_no_other(
    pipeline: Pipeline, loader: Role, another_database: str
) -> None:
    replace(pipeline, warehouse=loader.uri(pipeline.warehouse)).tick()
    name = value(another_database, "SELECT current_database()")
    execute(pipeline.warehouse, f"ALTER DATABASE {name} OWNER TO {loader.username}")
    with (
        session(pipeline.warehouse) as admin,
        pytest.raises(ConfigurationError, match=r"or name an empty database.* fills$"),
    ):
        prepare_warehouse(admin, Role("loader_of_none", "b").login, Role(DASHBOARD, "c").login, READABLE)
    execute(pipeline.warehouse, f"ALTER DATABASE {name} OWNER TO postgres")


@pytest.mark.parametrize("may", ["CREATEROLE", "SUPERUSER"])
def test_the_warehouse_of_a_loader_who_may_more_than_load_is_given_to_no_other(
    pipeline: Pipeline, loader: Role, may: str
) -> None:
    replace(pipeline, warehouse=loader.uri(pipeline.warehouse)).tick()
    execute(pipeline.warehouse, f"ALTER ROLE {loader.username} {may}")
    with (
        session(pipeline.warehouse) as admin,
        pytest.raises(ConfigurationError, match=r"or name an empty database.* fills$"),
    ):
        prepare_warehouse(admin, Role("loader_of_none", "b").login, Role(DASHBOARD, "c").login, READABLE)


@pytest.mark.begun
def test_what_an_administrator_has_loaded_is_given_to_no_other_loader(pipeline: Pipeline) -> None:
    with session(pipeline.warehouse) as admin:
        with pytest.raises(ConfigurationError, match=r"login of postgres .*, or name an empty database.* fills$"):
            prepare_warehouse(admin, Role("loader_of_none", "b").login, Role(DASHBOARD, "c").login, READABLE)
        assert role_of(admin, "loader_of_none") is None


def test_roles_are_made_again_as_often_as_one_likes_and_get_the_new_password(pipeline: Pipeline, loader: Role) -> None:
    replace(pipeline, warehouse=loader.uri(pipeline.warehouse)).tick()
    again = Role(loader.username, "another-password")
    with session(pipeline.warehouse) as admin:
        prepare_warehouse(admin, again.login, Role(DASHBOARD, "new").login, READABLE)
    execute(again.uri(pipeline.warehouse), "SELECT 1")
    assert rows(Role(DASHBOARD, "new").uri(pipeline.warehouse), "SELECT count(*) FROM current_payment")[0][0] > 0
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        execute(loader.uri(pipeline.warehouse), "SELECT 1")


def test_a_server_that_logs_every_statement_logs_no_password(
    pipeline: Pipeline, postgres: EmbeddedPostgres, reader: Role, loader: Role
) -> None:
    """PostgreSQL would make a verifier itself of a password that it is sent, and has logged the statement by then."""
    for uri in (pipeline.source, pipeline.warehouse):
        name = sql.Identifier(uri.rpartition("/")[2])
        run_alone(uri, sql.SQL("ALTER DATABASE {} SET log_statement = 'all'").format(name))
    reads, loads, shows = (Role(name, f"{uuid.uuid4()}") for name in (reader.username, loader.username, DASHBOARD))
    begin = len(postgres._log.read_bytes())
    with session(pipeline.source) as admin:
        prepare_source(admin, reads.login, TABLES)
    with session(pipeline.warehouse) as admin:
        prepare_warehouse(admin, loads.login, shows.login, READABLE)
    logged = postgres._log.read_bytes()[begin:].decode()
    assert len(re.findall(r"ROLE \S+ LOGIN PASSWORD 'SCRAM-SHA-256\$", logged)) == 3
    assert [each.username for each in (reads, loads, shows) if each.password in logged] == []


@pytest.mark.parametrize("side", ["source", "warehouse"])
def test_a_role_that_is_over_is_valid_again_once_it_is_made_again(
    pipeline: Pipeline, reader: Role, loader: Role, side: str
) -> None:
    role = reader if side == "source" else loader
    uri = pipeline.source if side == "source" else pipeline.warehouse
    execute(uri, f"ALTER ROLE {role.username} VALID UNTIL '2024-01-01'")
    with pytest.raises(psycopg2.OperationalError, match="authentication failed"):
        rows(role.uri(uri), "SELECT 1")
    with session(uri) as admin:
        if side == "source":
            prepare_source(admin, role.login, TABLES)
        else:
            prepare_warehouse(admin, role.login, Role(DASHBOARD, "c-password").login, READABLE)
    assert rows(role.uri(uri), "SELECT current_user") == [(role.username,)]


@since(16, "memberships without SET")
def test_a_person_who_was_granted_the_dashboards_role_reads_and_cannot_become_it(
    pipeline: Pipeline, loader: Role
) -> None:
    """By the grant of docs/readers.md; without SET FALSE its password could be changed by whoever became it."""
    person = Role(f"ada_{uuid.uuid4().hex[:8]}", "a-password")
    grant = f"GRANT {DASHBOARD} TO {person.username} WITH INHERIT TRUE, SET FALSE"
    execute(pipeline.warehouse, f"CREATE ROLE {person.username} LOGIN PASSWORD 'a-password'; {grant}")
    try:
        by_roles = replace(pipeline, warehouse=loader.uri(pipeline.warehouse))
        by_roles.tick()
        uri = person.uri(pipeline.warehouse)
        assert rows(uri, "SELECT count(*) > 0 FROM report.sales_orders") == [(True,)]
        assert refused(uri, f"SET ROLE {DASHBOARD}")
        assert refused(uri, f"ALTER ROLE {DASHBOARD} PASSWORD 'another'")
    finally:
        drop(pipeline.warehouse, person)


@pytest.mark.parametrize("where", ["", "IN DATABASE {} "], ids=["everywhere", "in the warehouse"])
def test_what_a_reader_has_set_for_the_dashboards_role_ends_when_it_is_made_again(
    pipeline: Pipeline, loader: Role, where: str
) -> None:
    """Also what ends its every login; what is set for a role that nobody else is logged in as stays."""
    dashboard = Role(DASHBOARD, "c-password")
    uri = dashboard.uri(pipeline.warehouse)
    place = where.format(pipeline.warehouse.rpartition("/")[2])
    execute(uri, f"ALTER ROLE {DASHBOARD} {place}SET local_preload_libraries = 'nothing'")
    execute(pipeline.warehouse, f"ALTER ROLE {loader.username} SET work_mem = '5MB'")
    with pytest.raises(psycopg2.OperationalError, match="could not access file"):
        rows(uri, "SELECT 1")
    with session(pipeline.warehouse) as admin:
        prepare_warehouse(admin, loader.login, dashboard.login, READABLE)
    assert rows(uri, "SELECT current_user") == [(DASHBOARD,)]
    assert rows(loader.uri(pipeline.warehouse), "SHOW work_mem") == [("5MB",)]


def test_who_may_only_make_roles_lifts_their_end_too(pipeline: Pipeline) -> None:
    """As the master of RDS, who is no superuser."""
    maker, role = Role(f"maker_{uuid.uuid4().hex[:8]}", "m"), Role(f"reader_{uuid.uuid4().hex[:8]}", "r")
    dbname = pipeline.source.rpartition("/")[2]
    execute(
        pipeline.source,
        f"CREATE ROLE {maker.username} LOGIN CREATEROLE PASSWORD 'm'; GRANT ALL ON DATABASE {dbname} TO "
        f"{maker.username} WITH GRANT OPTION; GRANT USAGE ON SCHEMA public TO {maker.username} WITH GRANT OPTION;"
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {maker.username} WITH GRANT OPTION",
    )
    try:
        for _ in range(2):
            with session(maker.uri(pipeline.source)) as master:
                prepare_source(master, role.login, TABLES)
            assert rows(role.uri(pipeline.source), "SELECT current_user") == [(role.username,)]
            execute(pipeline.source, f"ALTER ROLE {role.username} VALID UNTIL '2024-01-01'")
    finally:
        drop(pipeline.source, maker)
        drop(pipeline.source, role)


@pytest.fixture
def maker(pipeline: Pipeline) -> Iterator[Role]:
    """An administrator who may make roles and read everything, and owns neither the shop's tables nor a schema.

    At the end, what it has made is dropped with it: roles whose names begin with its own, and the dashboard's.
    """
    role = Role(f"maker_{uuid.uuid4().hex[:8]}", "a-password")
    run_alone(
        pipeline.source,
        sql.SQL("CREATE ROLE {0} LOGIN CREATEROLE PASSWORD 'a-password'; GRANT pg_read_all_data TO {0}").format(
            named(role)
        ),
    )
    yield role
    made = rows(pipeline.source, "SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)", [f"{role.username}_"])
    for uri in (pipeline.source, pipeline.warehouse):
        run_alone(uri, sql.SQL("DROP OWNED BY {} CASCADE").format(named(role)))
    for name in (*(name for (name,) in made), DASHBOARD):
        if value(pipeline.source, "SELECT count(*) FROM pg_roles WHERE rolname = %s", [name]):
            run_alone(pipeline.source, sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(name)))
            drop(pipeline.warehouse, Role(name, ""))
    run_alone(pipeline.source, sql.SQL("DROP ROLE {}").format(named(role)))


def what_lets(error: pytest.ExceptionInfo[ConfigurationError]) -> str:
    """The statements that an error says to type."""
    assert "may not grant what a role of totes needs, so nothing was changed" in str(error.value)
    return str(error.value).partition("let the owner type: ")[2]


def test_who_may_not_grant_the_sources_tables_is_told_what_lets_them(pipeline: Pipeline, maker: Role) -> None:
    reader = Role(f"{maker.username}_reader", "b-password")
    with session(maker.uri(pipeline.source)) as admin:
        with pytest.raises(ConfigurationError, match=r'GRANT SELECT ON TABLE "public"\."address" TO') as refused:
            prepare_source(admin, reader.login, TABLES)
        assert role_of(admin, reader.username) is None
        execute(pipeline.source, what_lets(refused))
        prepare_source(admin, reader.login, TABLES)
    assert replace(pipeline, source=reader.uri(pipeline.source)).capture().batch == 1


def test_who_has_no_right_at_all_on_the_sources_tables_is_told_all_that_lets_them(
    pipeline: Pipeline, maker: Role
) -> None:
    reader = Role(f"{maker.username}_reader", "b-password")
    execute(pipeline.source, f"REVOKE pg_read_all_data FROM {maker.username}; REVOKE ALL ON SCHEMA public FROM PUBLIC")
    with session(maker.uri(pipeline.source)) as admin:
        with pytest.raises(ConfigurationError) as refused:
            prepare_source(admin, reader.login, TABLES)
        assert role_of(admin, reader.username) is None
        said = what_lets(refused)
        assert said.count("GRANT SELECT ON TABLE") == len(TABLES)
        assert said.count("GRANT USAGE ON SCHEMA") == 1
        execute(pipeline.source, said)
        prepare_source(admin, reader.login, TABLES)
    assert replace(pipeline, source=reader.uri(pipeline.source)).capture().batch == 1


def who_may(error: pytest.ExceptionInfo[ConfigurationError]) -> str:
    """The statement that an error says to type by another login."""
    assert "nothing was changed. Log in as who made it, or let them type: " in str(error.value)
    return str(error.value).partition("let them type: ")[2]


@pytest.fixture
def second(pipeline: Pipeline, maker: Role) -> Role:
    """Another administrator, who may make roles too, and has made none of totes'."""
    role = Role(f"{maker.username}_second", "s-password")
    run_alone(pipeline.source, f"CREATE ROLE {role.username} LOGIN CREATEROLE PASSWORD 's-password'")
    return role


@since(16, "roles that are for those alone to change who made them")
def test_another_administrator_is_told_who_may_change_the_sources_role(
    pipeline: Pipeline, maker: Role, second: Role
) -> None:
    reader = Role(f"{maker.username}_reader", "b-password")
    execute(pipeline.source, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {maker.username} WITH GRANT OPTION")
    with session(maker.uri(pipeline.source)) as admin, session(second.uri(pipeline.source)) as another:
        prepare_source(admin, reader.login, TABLES)
        again = replace(reader, password="c-password")
        with pytest.raises(ConfigurationError, match=f"{second.username} may not change") as refused:
            prepare_source(another, again.login, TABLES)
        execute(reader.uri(pipeline.source), "SELECT 1")  # its password is the one before
        execute(maker.uri(pipeline.source), who_may(refused))
        prepare_source(another, again.login, TABLES)
    assert replace(pipeline, source=again.uri(pipeline.source)).capture().batch == 1


@since(16, "roles that are for those alone to change who made them")
def test_another_administrator_is_told_who_may_change_the_warehouses_roles(
    pipeline: Pipeline, maker: Role, second: Role
) -> None:
    loader, dashboard = Role(f"{maker.username}_loader", "b-password"), Role(DASHBOARD, "c-password")
    name = sql.Identifier(value(pipeline.warehouse, "SELECT current_database()"))
    run_alone(
        pipeline.warehouse, sql.SQL("GRANT ALL ON DATABASE {} TO {} WITH GRANT OPTION").format(name, named(maker))
    )
    execute(pipeline.warehouse, f"GRANT ALL ON SCHEMA public TO {maker.username} WITH GRANT OPTION")
    with session(maker.uri(pipeline.warehouse)) as admin, session(second.uri(pipeline.warehouse)) as another:
        prepare_warehouse(admin, loader.login, dashboard.login, READABLE)
        replace(pipeline, warehouse=loader.uri(pipeline.warehouse)).tick()
        with pytest.raises(ConfigurationError, match=f"{second.username} may not change") as refused:
            prepare_warehouse(another, loader.login, dashboard.login, READABLE)
        execute(maker.uri(pipeline.warehouse), who_may(refused))
        prepare_warehouse(another, loader.login, dashboard.login, READABLE)
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 3")
    replace(pipeline, warehouse=loader.uri(pipeline.warehouse)).tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    assert_it_reads_the_star_and_nothing_else(pipeline)


def test_who_may_make_no_roles_is_told_so(pipeline: Pipeline, reader: Role) -> None:
    with session(reader.uri(pipeline.source)) as admin:
        for name in (f"{reader.username}_other", "postgres"):
            with pytest.raises(ConfigurationError, match=r"may not make or change .* CREATEROLE; nothing was changed"):
                prepare_source(admin, {"username": name, "password": "p"}, TABLES)


def test_who_may_not_grant_what_a_loader_needs_is_told_what_lets_them(pipeline: Pipeline, maker: Role) -> None:
    loader, dashboard = Role(f"{maker.username}_loader", "b-password"), Role(DASHBOARD, "c-password")
    execute(pipeline.warehouse, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    run_alone(
        pipeline.warehouse,
        sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(
            sql.Identifier(value(pipeline.warehouse, "SELECT current_database()")), named(maker)
        ),
    )
    with session(maker.uri(pipeline.warehouse)) as admin:
        with pytest.raises(ConfigurationError, match='GRANT CREATE ON SCHEMA "public" TO') as refused:
            prepare_warehouse(admin, loader.login, dashboard.login, READABLE)
        assert role_of(admin, loader.username) is None
        execute(pipeline.warehouse, what_lets(refused))
        prepare_warehouse(admin, loader.login, dashboard.login, READABLE)
    replace(pipeline, warehouse=loader.uri(pipeline.warehouse)).tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


def test_a_role_that_totes_makes_says_so_and_what_else_it_says_stays(pipeline: Pipeline, reader: Role) -> None:
    with session(pipeline.source) as admin:
        found = role_of(admin, reader.username)
        assert found is not None
        assert found.made_by_totes
        assert role_of(admin, "nobody") is None
        execute(pipeline.source, f"COMMENT ON ROLE {reader.username} IS 'asked for by Ann'")
        for _ in range(2):
            prepare_source(admin, reader.login, TABLES)
    [[comment]] = rows(
        pipeline.source,
        f"SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = '{reader.username}'",
    )
    assert comment == f"asked for by Ann; {MARK}"


@pytest.mark.parametrize("odd", ["per%cent", "%s", "%(name)s", "{0}", "'quoted' \\ \"twice\""])
def test_a_role_may_have_any_name(pipeline: Pipeline, odd: str) -> None:
    """psycopg2 takes a percent sign for the place of a value wherever it stands, in a quoted name too."""
    role = Role(f"{odd} {uuid.uuid4().hex[:8]}", "p%s'{}\\")
    try:
        for _ in range(2):  # once it is made, once it is brought up to date
            with session(pipeline.source) as admin:
                prepare_source(admin, role.login, TABLES)
                found = role_of(admin, role.username)
            assert found is not None
            assert found.made_by_totes
        assert rows(role.uri(pipeline.source), "SELECT current_user") == [(role.username,)]
    finally:
        drop(pipeline.source, role)


def test_the_administrator_is_never_made_into_a_role_of_totes(pipeline: Pipeline) -> None:
    before = rows(pipeline.source, "SELECT * FROM pg_authid ORDER BY oid")
    with session(pipeline.source) as admin:
        own = {"username": admin.info.user, "password": "taken over"}
        with pytest.raises(ConfigurationError, match="the administrator's own login"):
            prepare_source(admin, own, TABLES)
        with pytest.raises(ConfigurationError, match="the administrator's own login"):
            prepare_warehouse(admin, {"username": "loader", "password": "p"}, own, READABLE)
    assert rows(pipeline.source, "SELECT * FROM pg_authid ORDER BY oid") == before
