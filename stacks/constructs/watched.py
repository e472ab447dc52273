"""What alarms and the operations dashboard watch, by name.

Resources are named in plain text, not by CloudFormation references, so one can be removed from the pipeline stack
before this stack is updated.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk

from stacks.constructs.totes_function import TotesFunction


@dataclass(frozen=True, kw_only=True)
class WatchedFunction:
    """A function.

    Attributes:
        name: the name of its folder in lambdas/.
        full_name: the name of the function.
        timeout: how long it may take.
        scheduled: whether a schedule starts it, by itself or in a run.
    """

    name: str
    full_name: str
    timeout: cdk.Duration
    scheduled: bool

    @classmethod
    def of(cls, name: str, made: TotesFunction, *, scheduled: bool) -> "WatchedFunction":
        """Take what is watched of a function of this app."""
        timeout = made.function.timeout
        if timeout is None:
            raise AssertionError("every function has a timeout")
        return cls(name=name, full_name=made.full_name, timeout=timeout, scheduled=scheduled)


@dataclass(frozen=True, kw_only=True)
class WatchedPipeline:
    """What moves the data.

    Attributes:
        state_machine: its name.
        dead_letters: the name of the dead-letter queue.
        functions: every function.
    """

    state_machine: str
    dead_letters: str
    functions: Sequence[WatchedFunction]

    def named(self, name: str) -> WatchedFunction:
        """Return the function of a folder in lambdas/.

        Raises:
            ValueError: the pipeline has no function of that name.
        """
        for each in self.functions:
            if each.name == name:
                return each
        raise ValueError(f"the pipeline has no function {name}")
