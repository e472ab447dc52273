"""The account that an acceptance run works in: one of AWS, or that of a local cloud."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from command_line.deployment import ordinary_session
from local_cloud import LocalCloud
from local_cloud.account import ACCOUNT, REGION
from local_cloud.alarm_states import alarms_on
from local_cloud.empty_account import place_databases
from totes.errors import UserError

_CREDENTIALS = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")


@dataclass(frozen=True, kw_only=True)
class Account:
    """An account, and the source that its functions reach.

    Attributes:
        number: the account's.
        region: where in it.
        session: whose clients reach it.
        source: URI of somebody who may make tables and roles in the source; it has a password in it.
        source_place: what `totes init source` needs to know of where the functions reach it, if that is another place.
        alarm_email: who gets alarms.
        local: the local cloud; None: it is one of AWS.
    """

    number: str
    region: str
    session: boto3.Session = field(repr=False)
    source: str = field(repr=False)
    source_place: tuple[str, ...] = ()
    alarm_email: str
    local: LocalCloud | None = None
    _clients: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of_aws(cls, source: str, source_place: tuple[str, ...], alarm_email: str) -> "Account":
        """The account of the ordinary credentials.

        Raises:
            UserError: it is not said where the source is, who gets alarms, or which region is meant.
        """
        if not source:
            raise UserError(
                "say SOURCE_ADMIN=postgresql://admin:password@host/database: an empty PostgreSQL that the functions "
                "reach, as somebody who may make tables and roles there (or LOCAL=yes, for a local cloud)"
            )
        if not alarm_email:
            raise UserError("say ALARM_EMAIL=ADDRESS: an alarm is set off, and somebody has to be told")
        session = ordinary_session()
        if session.region_name is None:
            raise UserError("no region is chosen; set AWS_REGION")
        number = session.client("sts").get_caller_identity()["Account"]
        return cls(
            number=number,
            region=session.region_name,
            session=session,
            source=source,
            source_place=source_place,
            alarm_email=alarm_email,
        )

    @classmethod
    def of_local(cls, cloud: LocalCloud) -> "Account":
        """The account of a local cloud, with a source of its own."""
        return cls(
            number=ACCOUNT,
            region=REGION,
            session=cloud.session(),
            source=cloud.source_uri,
            alarm_email="you@localhost",
            local=cloud,
        )

    def client(self, service: str) -> Any:
        """A client of one of its services, by boto3's name for it; one is kept of each, for making it takes long."""
        session: Any = self.session
        if service not in self._clients:
            endpoint = None if self.local is None else self.local.endpoint
            self._clients[service] = session.client(service, endpoint_url=endpoint)
        return self._clients[service]

    def pages(self, service: str, operation: str, **asked: Any) -> Iterable[Mapping[str, Any]]:
        """All pages of what a service lists."""
        pages: Iterable[Mapping[str, Any]] = self.client(service).get_paginator(operation).paginate(**asked)
        return pages

    @property
    def name(self) -> str:
        """What a person calls it."""
        return "the local cloud" if self.local is not None else f"account {self.number} in {self.region}"

    @property
    def credentials(self) -> dict[str, str] | None:
        """The environment variables that commands reach it by; None: those that there are."""
        if self.local is None:
            return None
        return {name: value for name, value in self.local.variables().items() if name in _CREDENTIALS}

    @property
    def context(self) -> tuple[str, ...]:
        """More context of the app: where the functions run."""
        return () if self.local is None else ("target=host",)

    @property
    def state(self) -> Path | None:
        """The local cloud's folder."""
        return None if self.local is None else self.local.state

    def databases_are_there(self, environment: str) -> None:
        """In a local cloud, do what RDS does when it makes the warehouse; in AWS the deployment has done it."""
        if self.local is not None:
            place_databases(self.local, environment)

    def is_on(self, alarm: str) -> bool:
        """Whether an alarm is on, as CloudWatch says; a local cloud evaluates none, so its rules are applied here."""
        cloudwatch = self.client("cloudwatch")
        if self.local is not None:
            return alarm in alarms_on(cloudwatch)
        [found] = cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
        return bool(found["StateValue"] == "ALARM")
