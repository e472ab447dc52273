"""The steps of an acceptance run, in their order."""

from collections.abc import Callable
from dataclasses import dataclass

from command_line.acceptance import cloud_steps as cloud
from command_line.acceptance import data_steps as data
from command_line.acceptance.stage import Stage

Act = Callable[[Stage], None]


def _nothing(stage: Stage) -> None:
    """There is nothing to do."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step. It may be repeated at any time, however far an earlier attempt has come.

    Attributes:
        name: one word or two.
        does: what it does, for a person.
        do: does it; raises UserError where something fails.
        holds: checks that it held; raises UserError, with what is wrong, where it did not.
        undo: takes back what it did, if it did anything, or only half of it.
    """

    name: str
    does: str
    do: Act
    holds: Act = _nothing
    undo: Act = _nothing


STEPS = (
    Step(name="look", does="see that nothing of the environment is there", do=cloud.look),
    Step(
        name="bootstrap",
        does="bootstrap the account",
        do=cloud.bootstrap,
        holds=cloud.check_bootstrapped,
        undo=cloud.undo_bootstrap,
    ),
    Step(
        name="deploy",
        does="deploy the stacks",
        do=cloud.deploy,
        holds=Stage.check_deployed,
        undo=cloud.undo_deployment,
    ),
    Step(
        name="simulate",
        does="build a shop in the source",
        do=data.simulate,
        holds=data.check_shop,
        undo=data.undo_simulate,
    ),
    Step(
        name="init",
        does="make the roles in both databases",
        do=data.init,
        holds=data.check_fit,
        undo=data.undo_init,
    ),
    Step(name="run", does="load the warehouse", do=data.run, holds=data.check_loaded),
    Step(name="verify", does="compare every row with the source", do=data.verify),
    Step(name="alarm", does="set an alarm off and back", do=data.set_off, holds=data.check_told),
    Step(
        name="rotate",
        does="change all passwords, and run",
        do=data.rotate,
        holds=Stage.check_logins,
    ),
    Step(
        name="quarantine",
        does="spoil an order, find it in quarantine, correct it",
        do=data.quarantine,
        holds=data.check_quarantine_empty,
        undo=data.undo_quarantine,
    ),
    Step(
        name="break",
        does="forbid the source to be read, see a run fail and the alarm go off",
        do=data.break_it,
        holds=data.check_it_told,
        undo=data.undo_break,
    ),
    Step(name="heal", does="allow it again, edit an order silently, run", do=data.heal, holds=data.check_equal),
    Step(name="replay", does="make star and warehouse again from the lake", do=data.replay, holds=data.check_equal),
    Step(
        name="destroy",
        does="take the stacks away; what holds data stays",
        do=cloud.take_away_keeping_data,
        holds=cloud.check_data_stayed,
    ),
    Step(
        name="deploy again",
        does="deploy beside what has stayed, load the warehouse, compare",
        do=cloud.deploy_again,
        holds=cloud.check_deployed_again,
        undo=cloud.undo_deployment,
    ),
    Step(
        name="destroy again",
        does="take the stacks away for good",
        do=cloud.take_away_for_good,
        holds=Stage.check_gone,
    ),
)

CLEAN = "clean up"
"""What comes last: all steps are undone, the last one first."""
