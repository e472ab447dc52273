"""What an acceptance run has taken, in time and in money."""

import math
from decimal import Decimal

from command_line.acceptance.plan import CLEAN, STEPS
from command_line.acceptance.stage import Stage

_HOURS_A_MONTH = 730
_SECONDS_AN_HOUR = 3600
_DEPLOYMENTS = (("deploy", "destroy"), ("deploy again", "destroy again"))


def bill(stage: Stage) -> str:
    """The table of a run that has come to its end: steps with their times, and what it cost at most.

    An hour that was begun is charged as a whole hour, at the average price of an hour of the month. The few cents that
    an upload, a first load and a replay cost beyond an idle tick are less than what that rounds up.
    """
    record, lines = stage.record, [f"{'step':15} {'seconds':>8}  what it does"]
    for name, does in [*((step.name, step.does) for step in STEPS), (CLEAN, "undo all, and see that nothing is left")]:
        again = f" ({record.attempts(name)} attempts)" if record.attempts(name) > 1 else ""
        lines.append(f"{name:15} {record.seconds(name):8.1f}  {does}{again}")
    total = sum(record.seconds(name) for name in (*(step.name for step in STEPS), CLEAN))
    hours = sum(math.ceil(record.between(first, last) / _SECONDS_AN_HOUR) for first, last in _DEPLOYMENTS)
    month = Decimal(record.fact("usd a month", "0"))
    cost = month / _HOURS_A_MONTH * hours
    had_it_been = ", had it been in AWS" if stage.account.local else ""
    lines += [
        f"{'all':15} {total:8.1f}",
        "",
        f"A month of {stage.environment} costs {month:,.2f} USD (totes costs).",
        f"Deployed for {hours} hours, each begun one counted whole: {cost:.2f} USD at most{had_it_been}.",
    ]
    return "\n".join(lines)
