"""What a function may use."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class FunctionSettings:
    """What a function may use.

    Attributes:
        memory_mb: memory, and with it the share of a processor, in MB; 128 to 10240, in a new account 3008.
        timeout_minutes: after how many minutes Lambda ends it; at most 15.
    """

    memory_mb: int = 1536
    timeout_minutes: int = 15

    def __post_init__(self) -> None:
        """Refuse what Lambda does not offer; raise ValueError.

        https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
        """
        if not 128 <= self.memory_mb <= 10240:  # noqa: PLR2004 - Lambda's, as the message says
            raise ValueError(f"memory_mb is {self.memory_mb}; Lambda gives a function 128 to 10240 MB")
        if not 1 <= self.timeout_minutes <= 15:  # noqa: PLR2004 - the same
            raise ValueError(f"timeout_minutes is {self.timeout_minutes}; Lambda ends a function after 15 at most")
