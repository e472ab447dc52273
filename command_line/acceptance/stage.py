"""What the steps of an acceptance run work on, and the actions that several steps share."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command_line.acceptance.account import Account
from command_line.acceptance.leftovers import Leftovers
from command_line.acceptance.record import Record
from command_line.acceptance.shell import Answer, Shell
from command_line.acceptance.source import Source
from command_line.logins import LOGINS
from totes.errors import UserError

_WHOLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """An environment of a run's own, and all that is done to it.

    Attributes:
        environment: its name, with the suffix.
        account: where it is deployed.
        shell: where commands are typed.
        record: what was done.
        source: its source.
        left: what it has in the account.
        say: called with what a person is to see.
        orders: how many sales orders the simulated shop has to begin with.
    """

    environment: str
    account: Account
    shell: Shell
    record: Record
    source: Source
    left: Leftovers
    say: Callable[[str], None]
    orders: int

    @property
    def role(self) -> str:
        """The role that totes has in the source, which is the run's own."""
        return f"totes_{self.environment.replace('-', '_')}"

    @property
    def stacks(self) -> dict[str, Mapping[str, Any]]:
        """The environment's stacks, by their names."""
        return {
            stack["StackName"]: stack
            for page in self.account.pages("cloudformation", "describe_stacks")
            for stack in page["Stacks"]
            if stack["StackName"].startswith(f"totes-{self.environment}-")
        }

    def stack(self, part: str) -> str:
        """A stack's name."""
        return f"totes-{self.environment}-{part}"

    def protected(self, assembly: Path) -> list[str]:
        """Those of the stacks in a folder that refuse to be deleted."""
        manifest = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))
        return [
            name
            for name, artifact in manifest["artifacts"].items()
            if artifact.get("properties", {}).get("terminationProtection")
        ]

    def check(self, holds: bool, sentence: str) -> None:  # noqa: FBT001 - as in "check that this holds"
        """Raise UserError with a sentence that says what is wrong, unless something holds."""
        if not holds:
            raise UserError(sentence)

    def check_deployed(self) -> None:
        """Check that all stacks are there and whole."""
        states = {name: stack["StackStatus"] for name, stack in self.stacks.items()}
        wanted = {self.stack(part) for part in ("network", "data", "dashboard", "pipeline", "watch")}
        bad = {name: states.get(name, "missing") for name in wanted if states.get(name) not in _WHOLE}
        self.check(not bad, f"not all stacks are whole: {bad}")

    def check_gone(self) -> None:
        """Check that no stack is there."""
        self.check(not self.stacks, f"stacks are left: {', '.join(sorted(self.stacks))}")

    def check_logins(self) -> None:
        """Check that each login is taken."""
        for login_name in LOGINS:
            self.shell.totes("secrets", "test", login_name)

    def check_equal(self) -> None:
        """Check that source and warehouse are equal, all rows."""
        verdict = self.shell.totes("verify", "--json").json()
        self.check(verdict["equal"], f"warehouse and source differ: {verdict}")
        orders = verdict["tables"]["fact_sales_order"]["rows"]
        self.check(orders >= self.orders, f"{orders} sales orders were compared, of {self.orders}")

    def quarantined(self) -> list[tuple[str, int]]:
        """What is in quarantine: star tables and keys."""
        rows = self.shell.totes("quarantine", "list", "--json").json()
        return [(row["star_table"], row["key"]) for row in rows]

    def await_alarm(self, name: str, seconds: float) -> None:
        """Wait until an alarm is on; raise UserError if it is not in time."""
        deadline = time.monotonic() + seconds
        while not self.account.is_on(f"totes-{self.environment}-{name}"):
            self.check(time.monotonic() < deadline, f"the alarm {name} was not on within {seconds:.0f} s")
            time.sleep(min(15.0, seconds))

    def init(self) -> Sequence[Answer]:
        """Make the roles, in warehouse and source."""
        admin = ("--admin", self.account.source, *self.account.source_place)
        return (
            self.shell.totes("init", "warehouse"),
            self.shell.totes("init", "source", *admin, "--role", self.role, "--yes"),
        )
