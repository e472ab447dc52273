"""A person's libpq variables reach the databases that they name, and no others."""

import os

import pytest

from local_cloud import libpq


def test_what_is_set_aside_is_there_for_a_named_database_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local_cloud.libpq._set_aside", {})
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    monkeypatch.setenv("PATH_OF_ANOTHER_KIND", "stays")
    libpq.set_aside()
    assert "PGSSLMODE" not in os.environ
    assert os.environ["PATH_OF_ANOTHER_KIND"] == "stays"
    with libpq.restored():
        assert os.environ["PGSSLMODE"] == "verify-full"
    assert "PGSSLMODE" not in os.environ
