"""A function's settings are written by its stack and read by its handler under one name each."""

from dataclasses import fields
from datetime import date

import pytest

from totes.errors import ConfigurationError
from totes.settings import CaptureSettings, RateSettings, Settings

ALL = Settings.__subclasses__()


def filled(settings: type[Settings]) -> Settings:
    """Settings with a value in each field."""
    return settings(**{each.name: 7 if each.type is int else f"value of {each.name}" for each in fields(settings)})


def put(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set them as the environment variables of this process, and no others."""
    for name in {each.name.upper() for kind in ALL for each in fields(kind)}:
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.to_environment().items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("settings", ALL)
def test_what_a_stack_writes_a_handler_reads(settings: type[Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    put(filled(settings), monkeypatch)
    assert settings.from_environment() == filled(settings)


@pytest.mark.parametrize("settings", ALL)
def test_a_variable_that_is_not_set_is_named(settings: type[Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    put(filled(settings), monkeypatch)
    required = [each.name.upper() for each in fields(settings) if each.type in (str, int)]
    assert required
    for variable in required:
        with monkeypatch.context() as without, pytest.raises(ConfigurationError, match=f"{variable} is not set"):
            without.delenv(variable)
            settings.from_environment()


def test_what_may_be_left_out_is_no_variable_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for settings in ALL:
        required = {each.name: 7 if each.type is int else "set" for each in fields(settings) if each.type in (str, int)}
        put(settings(**required), monkeypatch)
        assert settings.from_environment().to_environment() == {k.upper(): str(v) for k, v in required.items()}


def test_a_percentage_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    put(filled(CaptureSettings), monkeypatch)
    monkeypatch.setenv("MASS_DELETION_PERCENT", "a fifth")
    with pytest.raises(ConfigurationError, match="'a fifth', not a whole number"):
        CaptureSettings.from_environment()


def test_a_site_of_rates_on_this_machine_is_where_aws_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:5000")
    settings = RateSettings(
        ingestion_bucket="ingestion",
        processed_bucket="processed",
        reporting_currency="GBP",
        rate_sites="{endpoint}/{version}/{base} https://{day}.example.com/{base}",
        rates_since="2024-03-02",
    )
    assert settings.sites == ("http://localhost:5000/{version}/{base}", "https://{day}.example.com/{base}")
    assert settings.since == date(2024, 3, 2)


def test_a_first_day_of_rates_that_is_none_is_refused() -> None:
    settings = RateSettings(
        ingestion_bucket="i", processed_bucket="p", reporting_currency="GBP", rate_sites="", rates_since="March"
    )
    with pytest.raises(ConfigurationError, match="RATES_SINCE is 'March', no day"):
        _ = settings.since
