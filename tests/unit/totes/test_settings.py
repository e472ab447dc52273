"""A function's settings are read once, by name."""

from datetime import date

import pytest

from totes.errors import ConfigurationError
from totes.settings import CaptureSettings, LoadSettings, RateSettings, StarSettings, VerifySettings


@pytest.mark.parametrize(
    ("settings", "variables"),
    [
        (CaptureSettings, ["SOURCE_SECRET", "INGESTION_BUCKET", "MASS_DELETION_PERCENT"]),
        (StarSettings, ["INGESTION_BUCKET", "PROCESSED_BUCKET"]),
        (VerifySettings, ["SOURCE_SECRET", "INGESTION_BUCKET", "WAREHOUSE_SECRET"]),
    ],
)
def test_a_variable_that_is_not_set_is_named(
    settings: type[CaptureSettings] | type[StarSettings] | type[VerifySettings],
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


def test_a_loader_without_a_reporting_currency_converts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROCESSED_BUCKET", "processed")
    with pytest.raises(ConfigurationError, match="WAREHOUSE_SECRET"):
        LoadSettings.from_environment()
    monkeypatch.setenv("WAREHOUSE_SECRET", "secret")
    for said, currency in (("", None), ("GBP", "GBP")):
        monkeypatch.setenv("REPORTING_CURRENCY", said)
        read = LoadSettings.from_environment()
        assert read == LoadSettings(
            processed_bucket="processed", warehouse_secret="secret", reporting_currency=currency
        )


def test_a_site_of_rates_on_this_machine_is_where_aws_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {
        "INGESTION_BUCKET": "ingestion",
        "PROCESSED_BUCKET": "processed",
        "RATE_SITES": "{endpoint}/{version}/{base} https://{day}.example.com/{base}",
        "REPORTING_CURRENCY": "GBP",
        "RATES_SINCE": "2024-03-02",
        "AWS_ENDPOINT_URL": "http://localhost:5000",
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    read = RateSettings.from_environment()
    assert read.sites == ("http://localhost:5000/{version}/{base}", "https://{day}.example.com/{base}")
    assert (read.reporting_currency, read.since) == ("GBP", date(2024, 3, 2))
    monkeypatch.setenv("RATES_SINCE", "March")
    with pytest.raises(ConfigurationError, match="RATES_SINCE is 'March', no day"):
        RateSettings.from_environment()


def test_a_percentage_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASS_DELETION_PERCENT", "a fifth")
    with pytest.raises(ConfigurationError, match="'a fifth', not a whole number"):
        CaptureSettings.from_environment()
