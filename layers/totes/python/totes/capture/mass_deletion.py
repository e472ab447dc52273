"""A mass deletion stops the run: a truncated table looks like a shop that closed; only a person can tell."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from totes.errors import MassDeletion

_FEW = 20
"""So many rows may always go, unless they are all there are: a fifth of a small table says nothing."""


@dataclass(frozen=True, kw_only=True)
class Gone:
    """How many rows of a table are gone, of how many that the lake holds."""

    gone: int
    held: int


def check_deletes(tables: Mapping[str, Gone], *, percent: int, accepted: Collection[str]) -> None:
    """Let the deletes of tables pass, or stop the run.

    Args:
        tables: what is gone, by source table.
        percent: how many of a hundred rows of a table may be gone at once.
        accepted: tables whose deletes a person has accepted.

    Raises:
        MassDeletion: more are gone than may be, or all, and nobody has accepted it; the sentence names every table.
    """
    stopped = {name: of for name, of in tables.items() if name not in accepted and _is_too_many(of, percent)}
    if not stopped:
        return
    counts = ", ".join(f"{of.gone:,} of {of.held:,} rows of {name}" for name, of in stopped.items())
    options = " ".join(f"--accept-deletes {name}" for name in (*accepted, *stopped))
    raise MassDeletion(
        f"{counts} are gone from the source since the last batch, more than {percent} %; "
        f"restore them if they should not be, or accept it: totes run {options}"
    )


def _is_too_many(of: Gone, percent: int) -> bool:
    return (of.gone > _FEW and of.gone * 100 > of.held * percent) or 0 < of.held == of.gone
