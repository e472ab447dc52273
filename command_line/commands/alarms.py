"""totes alarms: does anybody hear them?"""

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from command_line.alarms import AlarmTest
from command_line.commands import display
from command_line.commands.target import Environment, Json, Local, State, deployment_of

app = typer.Typer(help="The alarms, and whether they reach anybody.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keep `test` a command of its own, though there is no other."""


@app.command("test")
def try_alarms(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="ALARM", help="Alarms, such as run-failed; all if none is named.")
    ] = None,
    is_local: Local = False,
    state: State = None,
    environment: Environment = None,
    as_json: Json = False,
) -> None:
    """Set each alarm off and back, so that its mails arrive; exit 0 only if CloudWatch could tell of every one."""
    test = AlarmTest(deployment_of(is_local, state, environment))
    addresses = test.addresses()
    with display.progress("Setting off", shown=not as_json) as progress:
        tried = test.run(names or [], progress)
    failed = [each for each in tried if each.failure is not None]
    if as_json:
        print(json.dumps({"addresses": addresses, "alarms": [asdict(each) for each in tried]}, indent=2))
    else:
        for each in failed:
            display.failed(f"{each.name}: {each.failure}")
        count = len(tried) - len(failed)
        display.done(f"{count} of {len(tried)} alarms went off and back; the mails go to {', '.join(addresses)}")
    if failed:
        sys.exit(1)
