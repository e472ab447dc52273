"""A local cloud that a person brings up and takes down by command leaves nothing on the machine."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import totes

LIST_BUCKETS = 'import boto3; print(boto3.client("s3").list_buckets()["Buckets"])'

MEANT_FOR_ANOTHER_SERVER = {
    "PGSSLMODE": "verify-full",
    "PGSERVICE": "another",
    "PGOPTIONS": "-c search_path=another -c default_transaction_read_only=on",
    "PGPASSFILE": "/nowhere",
}
"""What a person's shell may say for their own database; none of it reaches a cloud's."""


def test_a_cloud_goes_up_is_used_and_goes_down_without_a_trace(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary, state = folder / "temporary", folder / "state"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    for name, setting in MEANT_FOR_ANOTHER_SERVER.items():
        monkeypatch.setenv(name, setting)
    up = totes("local", "up", "--detach", "--state", state)
    assert up.code == 0, up.err + up.out
    assert totes("simulate", "--orders", "3", "--for", "0", "--state", state).code == 0
    assert totes("run", "--state", state).code == 0
    assert totes("status", "--state", state).code == 0
    counted = totes("psql", "warehouse", "--state", state, "-At", "-c", "SELECT count(*) FROM current_sales_order")
    assert (counted.out, counted.err) == ("3\n", "")
    assert totes("psql", "nosuch", "--state", state).err.startswith("totes: there is no database 'nosuch'")
    lines = totes("local", "env", "--state", state).out.splitlines()
    assert {line.split("=")[0] for line in lines} >= {
        *("export AWS_ENDPOINT_URL", "export TOTES_SOURCE", "export TOTES_WAREHOUSE_HOST"),
        *("export TOTES_WAREHOUSE_PORT", "export TOTES_WAREHOUSE_USER", "export TOTES_WAREHOUSE_PASSWORD"),
    }
    listed = subprocess.run(
        ["/bin/sh", "-c", f"{'; '.join(lines)}; {sys.executable} -c '{LIST_BUCKETS}'"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "totes-local" in listed.stdout, listed.stderr
    named = totes("simulate", "--source", "host=127.0.0.1", "--state", state)
    assert "another" in named.err, "PGSERVICE is good for a database that the person names"
    assert totes("local", "down", "--state", state).code == 0
    assert not state.exists()
    assert not any(temporary.iterdir())
