"""What totes psql starts psql with."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from psycopg2.extensions import parse_dsn

from command_line.commands import local
from local_cloud import LocalCloud


def test_psql_gets_the_keywords_of_a_uri_whatever_is_in_them_and_no_password_among_its_arguments(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    uri = (
        "postgresql://ann:hunter2@shop.example:6432/totesys"
        "?options=-c%20work_mem%3D5MB%20-c%20geqo%3Doff&sslrootcert=%2Fmy%20files%2Fann's.pem"
    )
    running = SimpleNamespace(source_uri=uri, warehouse_uri=uri, embedded=[], state=tmp_path)
    started: list[Any] = []
    monkeypatch.setattr(LocalCloud, "attach", lambda _: running)
    monkeypatch.setattr(local, "EmbeddedPostgres", lambda _: SimpleNamespace(binaries=tmp_path))
    monkeypatch.setattr(os, "execve", lambda *all_of_it: started.extend(all_of_it))
    local.psql("source", ["-At"])
    _, (program, d, keywords, at), environment = started
    assert (program, d, at) == (str(tmp_path / "psql"), "-d", "-At")
    assert parse_dsn(keywords) == {"options": "-c work_mem=5MB -c geqo=off", "sslrootcert": "/my files/ann's.pem"}
    assert {name: environment[name] for name in ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE")} == {
        "PGHOST": "shop.example",
        "PGPORT": "6432",
        "PGUSER": "ann",
        "PGPASSWORD": "hunter2",
        "PGDATABASE": "totesys",
    }
