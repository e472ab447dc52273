"""Distributions of CloudFront, which serve nothing here: what is there by name, and what AWS refuses of names.

How a distribution fetches from its origin, and which headers it adds, is not played: `totes dashboard --local` serves
the page itself.
"""

import secrets
from abc import abstractmethod
from datetime import UTC, datetime
from typing import Any

from moto.cloudformation.exceptions import ValidationError

from local_cloud.endpoint.resources import Properties, Resource

_names: dict[str, set[str]] = {}
"""The names that are taken, by type; each is the account's own, whatever the region."""


class _Recorded(Resource):
    """What CloudFormation makes, and nothing acts upon."""

    service = "cloudfront"

    def make(self) -> None:
        """Write it down."""
        self.physical_resource_id = f"E{secrets.token_hex(6).upper()}"
        self._take(self.said_name(self.properties))
        self.attributes = {"Id": self.physical_resource_id, **self.more()}

    def change(self, properties: Properties) -> None:
        """Write another name down, if it has another."""
        old, new = self.said_name(self.properties), self.said_name(properties)
        if old != new:
            self._take(new)
            self._give_back(old)

    def remove(self) -> None:
        """Strike it out."""
        self._give_back(self.said_name(self.properties))

    def more(self) -> dict[str, str]:
        """What else Fn::GetAtt gives."""
        return {}

    @abstractmethod
    def said_name(self, properties: Properties) -> str | None:
        """The name that nothing else of the type in the account may have; None: it has none."""

    def _take(self, name: str | None) -> None:
        taken = _names.setdefault(self.cloudformation, set())
        if name in taken:
            raise ValidationError(message=f"{self.cloudformation}: the name {name} already exists")
        if name is not None:
            taken.add(name)

    def _give_back(self, name: str | None) -> None:
        if name is not None:
            _names[self.cloudformation].discard(name)


class OriginAccess(_Recorded):
    """By whom a distribution's requests to its origin are signed."""

    cloudformation = "AWS::CloudFront::OriginAccessControl"
    attribute_names = ("Id",)

    def said_name(self, properties: Properties) -> str | None:
        """Its name."""
        return str(properties["OriginAccessControlConfig"]["Name"])


class ResponseHeaders(_Recorded):
    """The headers that a distribution adds."""

    cloudformation = "AWS::CloudFront::ResponseHeadersPolicy"
    attribute_names = ("Id", "LastModifiedTime")

    def said_name(self, properties: Properties) -> str | None:
        """Its name."""
        return str(properties["ResponseHeadersPolicyConfig"]["Name"])

    def more(self) -> dict[str, str]:
        """When it was made."""
        return {"LastModifiedTime": datetime.now(UTC).isoformat()}


class Distribution(_Recorded):
    """A distribution."""

    cloudformation = "AWS::CloudFront::Distribution"
    attribute_names = ("DomainName", "Id")

    def said_name(self, properties: Properties) -> str | None:
        """The name of its own that it has, if it has one."""
        aliases: list[Any] = properties["DistributionConfig"].get("Aliases", [])
        return str(aliases[0]) if aliases else None

    def more(self) -> dict[str, str]:
        """The name that CloudFront makes up."""
        return {"DomainName": f"d{secrets.token_hex(6)}.cloudfront.net"}


MODELS: tuple[type[Resource], ...] = (OriginAccess, ResponseHeaders, Distribution)
