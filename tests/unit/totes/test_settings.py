"""A function's settings are read once, by name."""

import pytest

from totes.errors import ConfigurationError
from totes.settings import CaptureSettings, LoadSettings, StarSettings, VerifySettings


@pytest.mark.parametrize(
    ("settings", "variables"),
    [
        (CaptureSettings, ["SOURCE_SECRET", "INGESTION_BUCKET", "MASS_DELETION_PERCENT"]),
        (StarSettings, ["INGESTION_BUCKET", "PROCESSED_BUCKET"]),
        (LoadSettings, ["PROCESSED_BUCKET", "WAREHOUSE_SECRET"]),
        (VerifySettings, ["SOURCE_SECRET", "INGESTION_BUCKET", "WAREHOUSE_SECRET"]),
    ],
)
def test_a_variable_that_is_not_set_is_named(
    settings: type[CaptureSettings] | type[StarSettings] | type[LoadSettings] | type[VerifySettings],
    variables: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable in variables:
        monkeypatch.setenv(variable, "7" if variable.endswith("PERCENT") else f"value of {variable}")
    read = {name.upper(): value for name, value in vars(settings.from_environment()).items()}
    assert read == {variable: 7 if variable.endswith("PERCENT") else f"value of {variable}" for variable in variables}
    for variable in variables:
        with monkeypatch.context() as without, pytest.raises(ConfigurationError, match=variable):
            without.delenv(variable)
            settings.from_environment()


def test_a_percentage_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASS_DELETION_PERCENT", "a fifth")
    with pytest.raises(ConfigurationError, match="'a fifth', not a whole number"):
        CaptureSettings.from_environment()
