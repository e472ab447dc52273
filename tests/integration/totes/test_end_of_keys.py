"""The star's keys have 32 bits: the doctor warns long before a shop's come to the end, and one beyond stops nobody."""

import pytest

from tests.integration.totes.test_unkept import said_of_source
from tests.support.databases import execute, rows
from tests.support.pipeline import Pipeline

NEAR = 1_500_000_000
BEYOND = 3_000_000_000


@pytest.mark.begun
def test_the_doctor_names_keys_that_come_near_the_end(pipeline: Pipeline) -> None:
    assert "keys end" not in said_of_source(pipeline)
    execute(pipeline.source, "UPDATE payment SET payment_id = %s WHERE payment_id = 5", [NEAR])
    warning = (
        "; payment.payment_id has come to 1,500,000,000, and the star's keys end at 2,147,483,647: rows beyond stay"
    )
    assert warning in said_of_source(pipeline)


@pytest.mark.begun
def test_a_row_whose_key_is_beyond_is_in_quarantine_and_all_others_arrive(pipeline: Pipeline) -> None:
    execute(pipeline.source, "ALTER TABLE payment ALTER payment_id TYPE bigint")
    execute(pipeline.source, "UPDATE payment SET payment_id = %s WHERE payment_id = 5", [BEYOND])
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 6")
    loaded = pipeline.tick().tables["fact_payment"]
    assert (loaded.versions, loaded.quarantined, loaded.deleted) == (1, 1, 1)
    reasons = rows(pipeline.warehouse, "SELECT key, reason FROM etl.quarantine WHERE resolved_by IS NULL")
    assert reasons == [(BEYOND, f"payment_id is '{BEYOND}', not a 32-bit integer")]
