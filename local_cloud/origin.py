"""What a local cloud was made for, which holds as long as its folder does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local_cloud.folder import ORIGIN, StateFolder
from local_cloud.persistent_store import FORMAT
from totes.errors import UserError

_WAYS_OUT = "totes local down removes that cloud and all that it holds, or name another folder with --state"


@dataclass(frozen=True, kw_only=True)
class CloudOrigin:
    """What one cloud was made for.

    Attributes:
        environment: whose stacks it has.
        named: URIs of the databases that a person named, by "source" and "warehouse".
        identities: which databases these are, whatever their servers are called.
    """

    environment: str
    named: Mapping[str, str] = field(default_factory=dict)
    identities: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: StateFolder) -> "CloudOrigin | None":
        """Return the origin of the cloud that can be continued in a folder; None: there is none.

        Raises:
            UserError: it was left by a version of totes with another format, or a part of it is gone.
        """
        try:
            document = folder.read(ORIGIN)
        except ValueError:
            document = {}
        if document is None:
            return None
        if "format" not in document:
            raise UserError(
                f"{folder.path / ORIGIN} is damaged: it does not say what the cloud was made for; {_WAYS_OUT}"
            )
        if document["format"] != FORMAT:
            raise UserError(
                f"the local cloud in {folder.path} was kept by another version of totes, which this one cannot read; "
                f"continue it with that one, or start over: {_WAYS_OUT}"
            )
        if not folder.store.exists():
            raise UserError(f"{folder.store} is gone, and with it the cloud's lake and secrets; {_WAYS_OUT}")
        identities = {
            login_name: (cluster, database) for login_name, (cluster, database) in document["identities"].items()
        }
        return cls(environment=document["environment"], named=document["named"], identities=identities)

    def write(self, folder: StateFolder) -> None:
        """Let the folder's cloud be continued from now on."""
        document: dict[str, Any] = {
            "format": FORMAT,
            "environment": self.environment,
            "named": dict(self.named),
            "identities": dict(self.identities),
        }
        folder.write(ORIGIN, document)

    def refuse_other_environment(self, environment: str | None, folder: StateFolder) -> None:
        """Raise UserError if another environment is asked for."""
        if environment not in {None, self.environment}:
            raise UserError(
                f"the local cloud in {folder.path} has the stacks of {self.environment}, not those of {environment}; "
                f"{_WAYS_OUT}"
            )

    def refuse_other_databases(self, identities: Mapping[str, tuple[int, int]], folder: StateFolder) -> None:
        """Raise UserError if a database is named that is not the cloud's."""
        for login_name, identity in identities.items():
            if identity != self.identities.get(login_name):
                whose = "another database" if login_name in self.identities else "a database of its own"
                raise UserError(f"the local cloud in {folder.path} has {whose} for its {login_name}; {_WAYS_OUT}")
