"""The machine that the functions run on: which Python, which processor, which wheels."""

import platform
import sys
from dataclasses import dataclass
from typing import Literal

Machine = Literal["arm64", "x86_64"]

_MACHINES: dict[str, Machine] = {"arm64": "arm64", "aarch64": "arm64", "x86_64": "x86_64", "amd64": "x86_64"}


@dataclass(frozen=True, kw_only=True)
class Target:
    """A Python on a machine.

    Attributes:
        python: the version's first two numbers, such as "3.13".
        machine: the processor, by the name that Lambda uses.
        wheels: the platform whose wheels are installed, by the name that uv uses; None: those of this interpreter.
    """

    python: str
    machine: Machine
    wheels: str | None

    @classmethod
    def host(cls) -> "Target":
        """This interpreter on this machine; raise ValueError if Lambda has no such processor."""
        machine = _MACHINES.get(platform.machine().lower())
        if machine is None:
            raise ValueError(f"this machine is a {platform.machine()}; the local cloud runs on arm64 and x86_64")
        return cls(python=f"{sys.version_info.major}.{sys.version_info.minor}", machine=machine, wheels=None)


LAMBDA = Target(python="3.13", machine="arm64", wheels="aarch64-manylinux_2_28")
"""What AWS runs the functions on: Graviton, and Amazon Linux 2023 with its glibc 2.34."""
