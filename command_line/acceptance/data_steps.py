"""The steps that work with a deployed environment, break it and heal it."""

import json
import time

from command_line.acceptance.shell import Answer
from command_line.acceptance.source import BROKEN_TABLE
from command_line.acceptance.stage import Stage
from command_line.logins import LOGINS
from totes.errors import UserError

_ALARM = "run-failed"
_ALARM_SECONDS = 20 * 60.0
"""CloudWatch looks at a metric of five minutes, and hears of an execution a few minutes after its end."""

_STATUS_SECONDS = 60.0
"""For how long the list of a state machine's executions may not say yet that one has failed."""
_SECONDS_BETWEEN_LOOKS = 5.0

_NO_DATE = "TBC"


def simulate(stage: Stage) -> None:
    """Build a shop in the source; it is built whole or not at all."""
    if not stage.source.has_shop:
        stage.shell.totes("simulate", "--source", stage.account.source, "--orders", str(stage.orders), "--for", "0")


def check_shop(stage: Stage) -> None:
    """Check that it is there."""
    stage.check(stage.source.has_shop, f"there is no shop in the source at {stage.source.place}")


def undo_simulate(stage: Stage) -> None:
    """Leave the source as empty as it was."""
    stage.source.drop_shop()


def init(stage: Stage) -> None:
    """Make the roles."""
    stage.init()


def check_fit(stage: Stage) -> None:
    """Check that the logins are taken, and that a run would stumble over nothing."""
    stage.check_logins()
    stage.shell.totes("doctor")


def undo_init(stage: Stage) -> None:
    """Drop the role in the source; those in the warehouse go with it."""
    stage.source.drop_role(stage.role)


def run(stage: Stage) -> None:
    """Load the warehouse."""
    stage.shell.totes("run", "--json")


def check_loaded(stage: Stage) -> None:
    """Check that orders are in the warehouse."""
    status = stage.shell.totes("status", "--json").json()
    rows = status["tables"]["fact_sales_order"]["rows"]
    stage.check(rows >= stage.orders, f"{rows} sales orders are in the warehouse, of {stage.orders}")


def verify(stage: Stage) -> None:
    """Compare all rows."""
    stage.check_equal()


def set_off(stage: Stage) -> None:
    """Set an alarm off and back; it is off before, since scheduled runs step back until the logins are there."""
    stage.shell.totes("alarms", "test", _ALARM)


def check_told(stage: Stage) -> None:
    """Check that a mail was sent: a local cloud keeps it; for AWS the command itself has checked it."""
    if stage.account.state is None:
        stage.say(f"AWS has sent the mails to {stage.account.alarm_email}: look whether they have come")
        return
    mails = stage.shell.totes("local", "mail", "--json", "--state", str(stage.account.state)).json()
    name = f"totes-{stage.environment}-{_ALARM}"
    stage.check(any(name in json.dumps(mail) for mail in mails), f"there is no mail of the alarm {name}")


def rotate(stage: Stage) -> None:
    """Give each login another password, and run with those."""
    for login_name in LOGINS:
        stage.shell.totes("secrets", "rotate", login_name, "--yes")
    stage.shell.totes("run", "--json")


def quarantine(stage: Stage) -> None:
    """Write something that is no date into an order, check that this blocks no other row, and write the date again."""
    order = stage.record.fact("spoilt") or stage.source.first_order()
    if stage.record.fact("spoilt") is None:
        stage.record.note("date", stage.source.delivery_date(order))
        stage.record.note("spoilt", order)
    stage.source.deliver(order, _NO_DATE)
    stage.shell.totes("run", "--json")
    found = stage.quarantined()
    stage.check(found == [("fact_sales_order", order)], f"order {order} should be in quarantine, and there is {found}")
    _make_good(stage)
    stage.shell.totes("run", "--json")


def check_quarantine_empty(stage: Stage) -> None:
    """Check that the row has come out of it."""
    found = stage.quarantined()
    stage.check(not found, f"the quarantine should be empty, and there is {found}")


def undo_quarantine(stage: Stage) -> None:
    """Write the date again, if the shop is still there."""
    if stage.source.has_shop:
        _make_good(stage)


def break_it(stage: Stage) -> None:
    """Take a right in the source away, and check that a run fails because of it."""
    stage.source.forbid(stage.role)
    failed = stage.shell.try_totes("run")
    if failed.code == 0:
        raise UserError(f"{stage.role} may not read {BROKEN_TABLE} any more, and the run succeeded")


def check_it_told(stage: Stage) -> None:
    """Check that the status says why, and that the alarm goes off."""
    status = _failed_status(stage)
    said = status.out + status.err
    stage.check(BROKEN_TABLE in said, f"totes status does not say that {BROKEN_TABLE} may not be read:\n{said}")
    stage.await_alarm(_ALARM, 0.0 if stage.account.local else _ALARM_SECONDS)


def _failed_status(stage: Stage) -> Answer:
    """What totes status says of the failed run, as soon as it says that one has failed."""
    deadline = time.monotonic() + _STATUS_SECONDS
    while (status := stage.shell.try_totes("status")).code != 1:
        stage.check(time.monotonic() < deadline, "the last run has failed, and totes status says that all is well")
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    return status


def undo_break(stage: Stage) -> None:
    """Give the right back, if role and table are still there."""
    if stage.source.has_shop:
        stage.source.allow(stage.role)


def heal(stage: Stage) -> None:
    """Give the right back, edit an order without its stamp, and run."""
    stage.source.allow(stage.role)
    stage.source.edit_silently(stage.source.first_order())
    stage.shell.totes("run", "--json")


def replay(stage: Stage) -> None:
    """Transform all batches again, and load the warehouse again."""
    stage.shell.totes("replay", "--from", "1")


def check_equal(stage: Stage) -> None:
    """Check that the warehouse is what the source says."""
    stage.check_equal()


def _make_good(stage: Stage) -> None:
    if (order := stage.record.fact("spoilt")) is not None:
        stage.source.deliver(order, stage.record.fact("date"))
