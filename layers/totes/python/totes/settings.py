"""A function's environment variables: a class for each function, which its stack writes and its handler reads."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, NoReturn, Self

from totes.errors import ConfigurationError
from totes.names import DATA

PLACEHOLDER = "CHANGE-ME"
"""The host in a database's secret that was deployed and not yet filled in."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of a function, a field each: text or a whole number, or None where it may be left out.

    A field's environment variable is its name in capitals; this is the only place where that name stands.
    """

    @classmethod
    def from_environment(cls) -> Self:
        """Read the variables.

        Raises:
            ConfigurationError: one is not set and may not be left out, or is not a whole number and should be.
        """
        return cls(**{field.name: _read(field.name.upper(), field.type) for field in fields(cls)})

    def to_environment(self) -> dict[str, str]:
        """Return the variables, as `from_environment` reads them; what is left out has none."""
        values = {field.name.upper(): getattr(self, field.name) for field in fields(self)}
        return {name: str(value) for name, value in values.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class CaptureSettings(Settings):
    """Settings of raw_data_to_ingestion_bucket.

    Attributes:
        source_secret: the login of the source's role.
        ingestion_bucket: the ingestion bucket.
        mass_deletion_percent: how many of a hundred rows of a table may be gone at once.
        rows_in_one_function: more rows that may have changed are read in pieces, by many functions.
    """

    source_secret: str
    ingestion_bucket: str
    mass_deletion_percent: int
    rows_in_one_function: int


@dataclass(frozen=True, kw_only=True)
class StarSettings(Settings):
    """Settings of ingestion_to_processed_bucket.

    Attributes:
        ingestion_bucket, processed_bucket: the lake's buckets.
        rows_in_one_function: a batch of more rows, and of many parts, is transformed in pieces, by many functions.
        athena_database: the database in which Athena shows the star; None: nowhere, and no lists are written for it.
    """

    ingestion_bucket: str
    processed_bucket: str
    rows_in_one_function: int
    athena_database: str | None = None


@dataclass(frozen=True, kw_only=True)
class LoadSettings(Settings):
    """Settings of processed_bucket_to_warehouse.

    Attributes:
        ingestion_bucket, processed_bucket: the lake's buckets; of the first only the names of objects are read.
        warehouse_secret: the login of the loader's role.
        reporting_currency: the ISO 4217 code of the currency that amounts are converted into; None: they are not.
    """

    ingestion_bucket: str
    processed_bucket: str
    warehouse_secret: str
    reporting_currency: str | None = None


@dataclass(frozen=True, kw_only=True)
class RateSettings(Settings):
    """Settings of fetch_exchange_rates.

    Attributes:
        ingestion_bucket, processed_bucket: the lake's buckets.
        reporting_currency: the ISO 4217 code of the currency that amounts are converted into.
        rate_sites: URLs with spaces between; {endpoint} stands for the one by which AWS is reached on this machine.
        rates_since: the first day whose rates are wanted.
    """

    ingestion_bucket: str
    processed_bucket: str
    reporting_currency: str
    rate_sites: str
    rates_since: str

    @property
    def sites(self) -> tuple[str, ...]:
        """Where rates are asked for; see `totes.rates.RateSource`."""
        endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
        return tuple(site.replace("{endpoint}", endpoint) for site in self.rate_sites.split())

    @property
    def since(self) -> date:
        """The first day; raise ConfigurationError where it is none."""
        try:
            return date.fromisoformat(self.rates_since)
        except ValueError as error:
            raise ConfigurationError(
                f"environment variable RATES_SINCE is {self.rates_since!r}, no day; deploy again, which sets it"
            ) from error


@dataclass(frozen=True, kw_only=True)
class VerifySettings(Settings):
    """Settings of verify_warehouse.

    Attributes:
        source_secret, warehouse_secret: the logins of the source's and the loader's role.
        ingestion_bucket: the ingestion bucket.
        mass_deletion_percent: how many of a hundred rows of a table may be gone at once.
        rotated_secrets: ARNs, with spaces between, of the secrets whose passwords totes changes.
        rotation_days: how often it does.
    """

    source_secret: str
    ingestion_bucket: str
    warehouse_secret: str
    mass_deletion_percent: int
    rotated_secrets: str
    rotation_days: int

    @property
    def rotated(self) -> tuple[str, ...]:
        """The ARNs of the secrets whose passwords totes changes."""
        return tuple(self.rotated_secrets.split())


@dataclass(frozen=True, kw_only=True)
class AnswerSettings(Settings):
    """Settings of answer_questions."""

    source_secret: str
    warehouse_secret: str


@dataclass(frozen=True, kw_only=True)
class SweepSettings(Settings):
    """Settings of sweep_ingestion_bucket."""

    ingestion_bucket: str
    processed_bucket: str


@dataclass(frozen=True, kw_only=True)
class AuditSettings(Settings):
    """Settings of audit_lake."""

    ingestion_bucket: str
    processed_bucket: str


@dataclass(frozen=True, kw_only=True)
class PrepareSettings(Settings):
    """Settings of prepare_warehouse."""

    master_secret: str
    warehouse_secret: str
    dashboard_secret: str


@dataclass(frozen=True, kw_only=True)
class PublishSettings(Settings):
    """Settings of publish_snapshot.

    Attributes:
        dashboard_bucket: the dashboard's bucket.
        dashboard_secret: the login of the dashboard's role.
        user_pool: where people sign in; None: the data lies beside the page, for whoever reaches it.
        user_pool_client: the page, as the user pool knows it.
        identity_pool: where who has signed in gets credentials that may read the data.
        shop: the shop's name, for the page's title.
    """

    dashboard_bucket: str
    dashboard_secret: str
    user_pool: str | None = None
    user_pool_client: str | None = None
    identity_pool: str | None = None
    shop: str | None = None

    @property
    def page(self) -> Mapping[str, Any]:
        """What tells the page where the data is: beside it, or in the bucket, for those who sign in.

        Raises:
            ConfigurationError: people sign in, and something that this takes is not set.
        """
        page = dict[str, Any](data={"kind": "plain", "base": DATA})
        if self.user_pool is not None:
            page["data"] = {
                "kind": "s3",
                "region": _read("AWS_REGION", str),
                "bucket": self.dashboard_bucket,
                "prefix": DATA,
                "user_pool": self.user_pool,
                "user_pool_client": self.user_pool_client or _missing("USER_POOL_CLIENT"),
                "identity_pool": self.identity_pool or _missing("IDENTITY_POOL"),
            }
        return page | ({"shop": self.shop} if self.shop else {})


def _read(name: str, kind: object) -> Any:
    value = os.environ.get(name)
    if not value:
        return None if kind == str | None else _missing(name)
    if kind is not int:
        return value
    if not value.isdecimal():
        raise ConfigurationError(
            f"environment variable {name} is {value!r}, not a whole number; deploy again, which sets it"
        )
    return int(value)


def _missing(name: str) -> NoReturn:
    raise ConfigurationError(f"environment variable {name} is not set; the pipeline stack sets it on the function")
