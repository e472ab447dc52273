"""A local cloud that a person brings up and takes down by command leaves nothing on the machine."""

from pathlib import Path

import pytest

from tests.end_to_end.conftest import totes

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
    named = totes("simulate", "--source", "host=127.0.0.1", "--state", state)
    assert "another" in named.err, "PGSERVICE is good for a database that the person names"
    assert totes("local", "down", "--state", state).code == 0
    assert not state.exists()
    assert not any(temporary.iterdir())
