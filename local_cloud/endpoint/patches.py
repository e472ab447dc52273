"""What is replaced in moto and what is added to it, in one registry: each patch says why.

Any release of moto may move or rename its parts, above all the private ones. If a part is gone, the endpoint fails at
its start; otherwise a rule of AWS would silently no longer be applied. It also fails if moto now has what is added.
"""

from dataclasses import dataclass
from typing import Any

_AND_THEN = "compare it with moto's changelog, and change or remove the patch"


@dataclass(frozen=True, order=True, kw_only=True)
class Patch:
    """A replacement in moto, or an addition to it.

    Attributes:
        target: the full name of what is replaced or added.
        why: what moto does there, or lacks, that AWS does otherwise.
        adds: whether moto has nothing of that name.
    """

    target: str
    why: str
    adds: bool


_made: set[Patch] = set()


def patch(owner: Any, name: str, new: Any, *, why: str) -> None:
    """Replace an attribute of a class or a module of moto.

    Raises:
        AttributeError: moto does not have it any more.
    """
    target = _target(owner, name)
    if not hasattr(owner, name):
        raise AttributeError(f"moto has no {target} any more ({why}): {_AND_THEN}")
    _put(owner, name, new, Patch(target=target, why=why, adds=False))


def add(owner: Any, name: str, new: Any, *, why: str) -> None:
    """Add an attribute to a class or a module of moto.

    Raises:
        AttributeError: moto has one of that name now.
    """
    target = _target(owner, name)
    made = Patch(target=target, why=why, adds=True)
    if hasattr(owner, name) and made not in _made:
        raise AttributeError(f"moto has {target} by itself now ({why}): {_AND_THEN}")
    _put(owner, name, new, made)


def made() -> tuple[Patch, ...]:
    """All patches of this process, by target."""
    return tuple(sorted(_made))


def _put(owner: Any, name: str, new: Any, made: Patch) -> None:
    setattr(owner, name, new)
    _made.add(made)


def _target(owner: Any, name: str) -> str:
    module = "" if owner.__name__.startswith("moto.") else f"{owner.__module__}."
    return f"{module}{owner.__name__}.{name}"
