"""An event trigger of others that fails on what totes makes or drops is named, and only that."""

from collections.abc import Iterator

import psycopg2
import pytest

from tests.integration.totes.test_rebuild import rebuilt
from tests.support.databases import execute
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from totes.errors import ConfigurationError

FUNCTION = """
    CREATE SCHEMA audit;
    CREATE FUNCTION audit.refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$;
    CREATE FUNCTION audit.pass() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
    CREATE EVENT TRIGGER passing ON ddl_command_start EXECUTE FUNCTION audit.pass();
    CREATE EVENT TRIGGER off ON ddl_command_start EXECUTE FUNCTION audit.refuse(); ALTER EVENT TRIGGER off DISABLE;
"""

EVENTS = {
    "a table that is made": "ddl_command_start WHEN TAG IN ('CREATE TABLE')",
    "a table that is changed": "ddl_command_end WHEN TAG IN ('ALTER TABLE')",
    "a table that is dropped": "sql_drop",
}


@pytest.fixture
def refusing(pipeline: Pipeline) -> Iterator[Pipeline]:
    """The pipeline, in whose warehouse no event trigger is left to refuse what is done after the test."""
    execute(pipeline.warehouse, FUNCTION)
    yield pipeline
    execute(pipeline.warehouse, "DROP SCHEMA audit CASCADE")


SAID = (
    r'^the event trigger "Mine" fails on a table that totes makes, changes or drops \(P0001: not today\); let it pass'
)


@pytest.mark.parametrize("what", EVENTS)
@pytest.mark.begun
def test_an_event_trigger_that_fails_in_a_rebuild_is_named(refusing: Pipeline, what: str) -> None:
    execute(refusing.warehouse, f'CREATE EVENT TRIGGER "Mine" ON {EVENTS[what]} EXECUTE FUNCTION audit.refuse()')
    with pytest.raises(ConfigurationError, match=SAID):
        rebuilt(refusing)
    execute(refusing.warehouse, 'DROP EVENT TRIGGER "Mine"')
    rebuilt(refusing)
    assert_warehouse_mirrors(refusing.source, refusing.warehouse)


@pytest.mark.begun
def test_an_event_trigger_that_fails_in_a_load_is_named_and_no_trigger_of_rows(refusing: Pipeline) -> None:
    execute(
        refusing.warehouse,
        "CREATE FUNCTION audit.tf() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;"
        "CREATE TRIGGER tt AFTER UPDATE ON dim_design FOR EACH ROW EXECUTE FUNCTION audit.tf();"
        "CREATE EVENT TRIGGER \"Mine\" ON ddl_command_start WHEN TAG IN ('CREATE TABLE') "
        "EXECUTE FUNCTION audit.refuse()",
    )
    execute(refusing.source, "UPDATE design SET design_name = 'x' WHERE design_id = 2")
    with pytest.raises(ConfigurationError, match=SAID):
        refusing.tick()


@pytest.mark.begun
def test_an_error_in_which_no_event_trigger_was_running_is_named_as_it_is(refusing: Pipeline) -> None:
    execute(
        refusing.warehouse,
        "CREATE FUNCTION audit.tf() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$;"
        "CREATE TRIGGER tt BEFORE UPDATE ON etl.content EXECUTE FUNCTION audit.tf()",
    )
    with pytest.raises(psycopg2.errors.RaiseException, match="not today"):
        rebuilt(refusing)
