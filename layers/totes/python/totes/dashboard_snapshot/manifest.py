"""A snapshot's documents, as JSON has them: the manifest, the moments of a day, and the latest, which commits it.

A reader ignores a key that it does not know, and shows nothing of another format.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from totes.lake import read_as

FORMAT = 1

LATEST = "latest.json"

_MOMENT = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True, kw_only=True)
class PartFile:
    """A file of a table: the first 16 hexadecimal digits of its content's SHA-256, its rows and its bytes."""

    sha: str
    rows: int
    bytes: int

    def key(self, table: str, part: str) -> str:
        """Where it lies."""
        return f"files/{table}/{part}-{self.sha}.parquet"


Tables = Mapping[str, Mapping[str, PartFile]]
"""Files, by table and part."""


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What the last comparison of the warehouse with the source found: when, of which batch, how many rows differed."""

    at: datetime
    batch: int
    equal: bool
    differences: int


@dataclass(frozen=True, kw_only=True)
class Failed:
    """That the last run failed: when, and at which step."""

    at: datetime
    step: str


@dataclass(frozen=True, kw_only=True)
class Status:
    """How things stand.

    Attributes:
        checked_at: all changes of the source until then are in the snapshot.
        failed: the last run, if it failed.
        verified: the last comparison, if there was one.
    """

    checked_at: datetime
    failed: Failed | None = None
    verified: Verified | None = None

    def to_dict(self) -> dict[str, Any]:
        """The status as JSON has it."""
        failed, verified = self.failed, self.verified
        return {
            "checked_at": written(self.checked_at),
            "failed": failed and {"at": written(failed.at), "step": failed.step},
            "verified": verified
            and {
                "at": written(verified.at),
                "equal": verified.equal,
                "batch": verified.batch,
                "differences": verified.differences,
            },
        }

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> "Status":
        """The status that JSON tells."""
        failed, verified = said["failed"], said["verified"]
        return cls(
            checked_at=read(said["checked_at"]),
            failed=failed and Failed(at=read(failed["at"]), step=failed["step"]),
            verified=verified
            and Verified(
                at=read(verified["at"]),
                equal=verified["equal"],
                batch=verified["batch"],
                differences=verified["differences"],
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Rates:
    """The exchange rates that amounts are converted by.

    Attributes:
        currency: the reporting currency, by its ISO 4217 code.
        newest: the newest day that has one.
        count: how many there are.
        digest: the first 16 hexadecimal digits of a SHA-256 of them all, which is another one where one was corrected;
            empty in an older manifest.
    """

    currency: str
    newest: date
    count: int
    digest: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The rates as JSON has them."""
        newest = self.newest.isoformat()
        return {"currency": self.currency, "newest": newest, "count": self.count, "digest": self.digest}

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> "Rates":
        """The rates that JSON tells."""
        return cls(
            currency=said["currency"],
            newest=date.fromisoformat(said["newest"]),
            count=said["count"],
            digest=said.get("digest", ""),
        )


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Which files a snapshot is made of; never changed and never deleted.

    Attributes:
        batch: the newest batch that is in it.
        capture: the SHA-256 of that batch's capture manifest, which tells it from another of its number; None: an
            earlier totes did not say.
        captured_at: when the source was read for that.
        loaded_at: when it was in the warehouse.
        published_at: when it was published.
        status: how things stood then.
        warehouse: which warehouse it is of; a snapshot of another one takes over no months from it.
        made_by: which tables, columns and views it was made by; a snapshot made by others takes over no months either.
        money_digits: digits of an amount behind the point.
        rates: the exchange rates that are in it; None: there are none.
        tables: the files.
    """

    batch: int
    capture: str | None
    captured_at: datetime
    loaded_at: datetime
    published_at: datetime
    status: Status
    warehouse: str
    made_by: str
    money_digits: int
    rates: Rates | None
    tables: Tables

    @property
    def as_of_day(self) -> date:
        """The day, UTC, at which it is decided what is due."""
        return day_of(self.captured_at)

    def body(self) -> bytes:
        """The manifest's JSON."""
        return document(
            {
                "batch": self.batch,
                "capture": self.capture,
                "captured_at": written(self.captured_at),
                "loaded_at": written(self.loaded_at),
                "published_at": written(self.published_at),
                "as_of_day": self.as_of_day.isoformat(),
                "status": self.status.to_dict(),
                "warehouse": self.warehouse,
                "made_by": self.made_by,
                "money_digits": self.money_digits,
                "rates": self.rates and self.rates.to_dict(),
                "tables": {
                    table: {
                        "parts": {
                            part: {"sha": file.sha, "rows": file.rows, "bytes": file.bytes}
                            for part, file in sorted(parts.items())
                        }
                    }
                    for table, parts in self.tables.items()
                },
            }
        )

    def key(self) -> str:
        """Where it lies: by its batch and its content."""
        return f"manifests/{self.batch:012}-{hashlib.sha256(self.body()).hexdigest()[:8]}.json"

    @classmethod
    def from_body(cls, body: bytes) -> "Manifest | None":
        """The manifest that JSON tells; None where it is of another format."""
        said = json.loads(body)
        if said.get("format") != FORMAT:
            return None
        return cls(
            batch=said["batch"],
            capture=said.get("capture"),
            captured_at=read(said["captured_at"]),
            loaded_at=read(said["loaded_at"]),
            published_at=read(said["published_at"]),
            status=Status.from_dict(said["status"]),
            warehouse=said["warehouse"],
            made_by=said["made_by"],
            money_digits=said["money_digits"],
            # A manifest of an earlier totes does not know them.
            rates=Rates.from_dict(said["rates"]) if said.get("rates") else None,
            tables={
                table: {part: read_as(PartFile, file) for part, file in held["parts"].items()}
                for table, held in said["tables"].items()
            },
        )


@dataclass(frozen=True, kw_only=True)
class Latest:
    """Which snapshot is the newest, and how things stand: the one document that is written again and again.

    Attributes:
        manifest: where the snapshot's manifest lies.
        batch: the newest batch that is in it.
        captured_at: when the source was read for that.
        days: the days of which there are snapshots, ascending.
        status: how things stand.
    """

    manifest: str
    batch: int
    captured_at: datetime
    days: tuple[str, ...]
    status: Status

    def body(self) -> bytes:
        """The document's JSON."""
        return document(
            {
                "manifest": self.manifest,
                "batch": self.batch,
                "captured_at": written(self.captured_at),
                "days": list(self.days),
                "status": self.status.to_dict(),
            }
        )

    def with_status(self, status: Status) -> "Latest":
        """The same snapshot with another status."""
        return replace(self, status=status)

    @classmethod
    def from_body(cls, body: bytes) -> "Latest | None":
        """The document that JSON tells; None where it is of another format."""
        said = json.loads(body)
        if said.get("format") != FORMAT:
            return None
        return cls(
            manifest=said["manifest"],
            batch=said["batch"],
            captured_at=read(said["captured_at"]),
            days=tuple(said["days"]),
            status=Status.from_dict(said["status"]),
        )


@dataclass(frozen=True, kw_only=True)
class Moments:
    """The snapshots of a day: batch, moment of its capture and manifest of each, by batch."""

    of: Mapping[int, tuple[datetime, str]] = field(default_factory=dict)

    def with_one(self, manifest: Manifest) -> "Moments":
        """These and another one, which replaces that of the same batch if there is one.

        A later batch that was captured earlier is gone: lake and warehouse were put back to before it, and its number
        will be used again.
        """
        kept = {
            batch: (at, key)
            for batch, (at, key) in self.of.items()
            if batch < manifest.batch or at > manifest.captured_at
        }
        return Moments(of={**kept, manifest.batch: (manifest.captured_at, manifest.key())})

    def body(self) -> bytes:
        """The document's JSON."""
        return document(
            {
                "moments": [
                    {"batch": batch, "captured_at": written(at), "manifest": key}
                    for batch, (at, key) in sorted(self.of.items())
                ]
            }
        )

    @classmethod
    def from_body(cls, body: bytes) -> "Moments":
        """The document that a JSON text is; without moments if it is of another format."""
        said = json.loads(body)
        if said.get("format") != FORMAT:
            return cls()
        return cls(of={each["batch"]: (read(each["captured_at"]), each["manifest"]) for each in said["moments"]})


def day_of(captured_at: datetime) -> date:
    """The day, UTC, to which a snapshot of what was captured then belongs."""
    return captured_at.astimezone(UTC).date()


def moments_key(day: str) -> str:
    """Where the moments of a day lie."""
    return f"moments/{day}.json"


def document(values: Mapping[str, Any]) -> bytes:
    """A document's JSON, with its format."""
    return json.dumps({"format": FORMAT, **values}, separators=(",", ":")).encode()


def written(moment: datetime) -> str:
    """A moment as the documents write it, to the microsecond."""
    return moment.astimezone(UTC).strftime(_MOMENT)


def read(text: str) -> datetime:
    """A moment that a document tells."""
    return datetime.fromisoformat(text)
