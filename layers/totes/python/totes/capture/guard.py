"""The guard against mass deletion: a truncated table looks like a shop that closed; only a person can tell."""

from collections.abc import Collection

from totes.errors import MassDeletion

_FEW = 20
"""So many rows may always go, unless they are all there are: a fifth of a small table says nothing."""


def check_deletes(table: str, *, gone: int, held: int, percent: int, accepted: Collection[str]) -> None:
    """Let the deletes of a table pass, or stop the run.

    Args:
        table: the source table.
        gone: how many of its rows are gone.
        held: how many the lake holds.
        percent: how many of a hundred may be gone at once.
        accepted: tables whose deletes a person has accepted.

    Raises:
        MassDeletion: more are gone than may be, or all, and nobody has accepted it.
    """
    too_many = gone > _FEW and gone * 100 > held * percent
    if table in accepted or not (too_many or 0 < held == gone):
        return
    raise MassDeletion(
        f"{gone:,} of {held:,} rows of {table} are gone from the source since the last batch, more than {percent} %; "
        f"restore them if they should not be, or accept it: totes run --accept-deletes {table}"
    )
