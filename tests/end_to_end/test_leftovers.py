"""A local cloud that a person brings up and takes down by command leaves nothing on the machine."""

from pathlib import Path

import pytest

from tests.end_to_end.conftest import totes


def test_a_cloud_goes_up_is_used_and_goes_down_without_a_trace(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary, state = folder / "temporary", folder / "state"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    up = totes("local", "up", "--detach", "--state", state)
    assert up.code == 0, up.err + up.out
    refused = totes("run", "--state", state)
    assert "table sales_order is missing" in " ".join(refused.out.split())
    assert totes("local", "down", "--state", state).code == 0
    assert not state.exists()
    assert not any(temporary.iterdir())
