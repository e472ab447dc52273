"""A function's settings are read once, by name."""

import pytest

from totes.errors import ConfigurationError
from totes.settings import CaptureSettings, LoadSettings, StarSettings


@pytest.mark.parametrize(
    ("settings", "variables"),
    [
        (CaptureSettings, ["SOURCE_SECRET", "INGESTION_BUCKET"]),
        (StarSettings, ["INGESTION_BUCKET", "PROCESSED_BUCKET"]),
        (LoadSettings, ["PROCESSED_BUCKET", "WAREHOUSE_SECRET"]),
    ],
)
def test_a_variable_that_is_not_set_is_named(
    settings: type[CaptureSettings] | type[StarSettings] | type[LoadSettings],
    variables: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable in variables:
        monkeypatch.setenv(variable, f"value of {variable}")
    assert set(vars(settings.from_environment()).values()) == {f"value of {variable}" for variable in variables}
    for variable in variables:
        with monkeypatch.context() as without, pytest.raises(ConfigurationError, match=variable):
            without.delenv(variable)
            settings.from_environment()
