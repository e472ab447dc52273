"""A function's environment variables, read once and by name."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from totes.errors import ConfigurationError

PLACEHOLDER = "CHANGE-ME"
"""The host in a database's secret that was deployed and not yet filled in."""


@dataclass(frozen=True, kw_only=True)
class CaptureSettings:
    """Settings of raw_data_to_ingestion_bucket."""

    source_secret: str
    ingestion_bucket: str
    mass_deletion_percent: int

    @classmethod
    def from_environment(cls) -> "CaptureSettings":
        """Read SOURCE_SECRET, INGESTION_BUCKET and MASS_DELETION_PERCENT.

        Raises:
            ConfigurationError: one is not set, or the last is not a whole number.
        """
        percent = _variable("MASS_DELETION_PERCENT")
        if not percent.isdecimal():
            raise ConfigurationError(f"environment variable MASS_DELETION_PERCENT is {percent!r}, not a whole number")
        return cls(
            source_secret=_variable("SOURCE_SECRET"),
            ingestion_bucket=_variable("INGESTION_BUCKET"),
            mass_deletion_percent=int(percent),
        )


@dataclass(frozen=True, kw_only=True)
class StarSettings:
    """Settings of ingestion_to_processed_bucket."""

    ingestion_bucket: str
    processed_bucket: str

    @classmethod
    def from_environment(cls) -> "StarSettings":
        """Read INGESTION_BUCKET and PROCESSED_BUCKET; raise ConfigurationError where one is not set."""
        return cls(ingestion_bucket=_variable("INGESTION_BUCKET"), processed_bucket=_variable("PROCESSED_BUCKET"))


@dataclass(frozen=True, kw_only=True)
class LoadSettings:
    """Settings of processed_bucket_to_warehouse.

    Attributes:
        processed_bucket: the processed bucket.
        warehouse_secret: the login of the loader's role.
        reporting_currency: the ISO 4217 code of the currency that amounts are converted into; None: they are not.
    """

    processed_bucket: str
    warehouse_secret: str
    reporting_currency: str | None

    @classmethod
    def from_environment(cls) -> "LoadSettings":
        """Read PROCESSED_BUCKET, WAREHOUSE_SECRET and, if it is set, REPORTING_CURRENCY.

        Raises:
            ConfigurationError: one of the first two is not set.
        """
        return cls(
            processed_bucket=_variable("PROCESSED_BUCKET"),
            warehouse_secret=_variable("WAREHOUSE_SECRET"),
            reporting_currency=os.environ.get("REPORTING_CURRENCY") or None,
        )


@dataclass(frozen=True, kw_only=True)
class RateSettings:
    """Settings of fetch_exchange_rates.

    Attributes:
        ingestion_bucket, processed_bucket: the lake's buckets.
        sites: where rates are asked for; see `totes.rates.RateSource`.
        reporting_currency: the ISO 4217 code of the currency that amounts are converted into.
        since: the first day whose rates are wanted.
    """

    ingestion_bucket: str
    processed_bucket: str
    sites: tuple[str, ...]
    reporting_currency: str
    since: date

    @classmethod
    def from_environment(cls) -> "RateSettings":
        """Read INGESTION_BUCKET, PROCESSED_BUCKET, RATE_SITES, REPORTING_CURRENCY and RATES_SINCE.

        In a site {endpoint} stands for the endpoint that AWS is reached by, where that is one of this machine.

        Raises:
            ConfigurationError: one is not set, or the last is no day.
        """
        since, endpoint = _variable("RATES_SINCE"), os.environ.get("AWS_ENDPOINT_URL", "")
        try:
            day = date.fromisoformat(since)
        except ValueError as error:
            raise ConfigurationError(f"environment variable RATES_SINCE is {since!r}, no day: {error}") from error
        return cls(
            ingestion_bucket=_variable("INGESTION_BUCKET"),
            processed_bucket=_variable("PROCESSED_BUCKET"),
            sites=tuple(site.replace("{endpoint}", endpoint) for site in _variable("RATE_SITES").split()),
            reporting_currency=_variable("REPORTING_CURRENCY"),
            since=day,
        )


@dataclass(frozen=True, kw_only=True)
class VerifySettings:
    """Settings of verify_warehouse."""

    source_secret: str
    ingestion_bucket: str
    warehouse_secret: str

    @classmethod
    def from_environment(cls) -> "VerifySettings":
        """Read SOURCE_SECRET, INGESTION_BUCKET and WAREHOUSE_SECRET; raise ConfigurationError where one is not set."""
        return cls(
            source_secret=_variable("SOURCE_SECRET"),
            ingestion_bucket=_variable("INGESTION_BUCKET"),
            warehouse_secret=_variable("WAREHOUSE_SECRET"),
        )


@dataclass(frozen=True, kw_only=True)
class AnswerSettings:
    """Settings of answer_questions."""

    source_secret: str
    warehouse_secret: str

    @classmethod
    def from_environment(cls) -> "AnswerSettings":
        """Read SOURCE_SECRET and WAREHOUSE_SECRET; raise ConfigurationError where one is not set."""
        return cls(source_secret=_variable("SOURCE_SECRET"), warehouse_secret=_variable("WAREHOUSE_SECRET"))


@dataclass(frozen=True, kw_only=True)
class SweepSettings:
    """Settings of sweep_ingestion_bucket."""

    ingestion_bucket: str

    @classmethod
    def from_environment(cls) -> "SweepSettings":
        """Read INGESTION_BUCKET; raise ConfigurationError where it is not set."""
        return cls(ingestion_bucket=_variable("INGESTION_BUCKET"))


@dataclass(frozen=True, kw_only=True)
class AuditSettings:
    """Settings of audit_lake."""

    ingestion_bucket: str
    processed_bucket: str

    @classmethod
    def from_environment(cls) -> "AuditSettings":
        """Read INGESTION_BUCKET and PROCESSED_BUCKET; raise ConfigurationError where one is not set."""
        return cls(ingestion_bucket=_variable("INGESTION_BUCKET"), processed_bucket=_variable("PROCESSED_BUCKET"))


@dataclass(frozen=True, kw_only=True)
class PrepareSettings:
    """Settings of prepare_warehouse."""

    master_secret: str
    warehouse_secret: str
    dashboard_secret: str

    @classmethod
    def from_environment(cls) -> "PrepareSettings":
        """Read MASTER_SECRET, WAREHOUSE_SECRET and DASHBOARD_SECRET; raise ConfigurationError where one is not set."""
        return cls(
            master_secret=_variable("MASTER_SECRET"),
            warehouse_secret=_variable("WAREHOUSE_SECRET"),
            dashboard_secret=_variable("DASHBOARD_SECRET"),
        )


@dataclass(frozen=True, kw_only=True)
class PublishSettings:
    """Settings of publish_snapshot.

    Attributes:
        bucket: the dashboard's bucket.
        secret: the login of the dashboard's role.
        page: what tells the page where the data is: beside it, or in the bucket, for those who sign in.
    """

    bucket: str
    secret: str
    page: Mapping[str, Any]

    @classmethod
    def from_environment(cls) -> "PublishSettings":
        """Read DASHBOARD_BUCKET and DASHBOARD_SECRET, and what signing in needs, where USER_POOL is set.

        Raises:
            ConfigurationError: one is not set.
        """
        bucket, page = _variable("DASHBOARD_BUCKET"), dict[str, Any](data={"kind": "plain", "base": "data/"})
        if os.environ.get("USER_POOL"):
            page["data"] = {
                "kind": "s3",
                "region": _variable("AWS_REGION"),
                "bucket": bucket,
                "prefix": "data/",
                "user_pool": _variable("USER_POOL"),
                "user_pool_client": _variable("USER_POOL_CLIENT"),
                "identity_pool": _variable("IDENTITY_POOL"),
            }
        if shop := os.environ.get("SHOP"):
            page["shop"] = shop
        return cls(bucket=bucket, secret=_variable("DASHBOARD_SECRET"), page=page)


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise ConfigurationError(f"environment variable {name} is not set; the pipeline stack sets it on the function")
    return value
