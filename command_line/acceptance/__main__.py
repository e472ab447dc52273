"""What `make acceptance` runs: python -m command_line.acceptance --env dev [--local] [--fresh] [--clean].

Environment variables say what has a password in it, SOURCE_ADMIN, and what goes with it: SOURCE_HOST, SOURCE_PORT and
ALARM_EMAIL.
"""

import argparse
import fcntl
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

import local_cloud
from command_line.acceptance.account import Account
from command_line.acceptance.leftovers import Leftovers
from command_line.acceptance.record import Record
from command_line.acceptance.run import accept, clean
from command_line.acceptance.shell import RunTotes, Shell
from command_line.acceptance.source import Source
from command_line.acceptance.stage import Stage
from command_line.commands import display, interrupts
from command_line.visible import visible
from local_cloud import LocalCloud
from local_cloud.empty_account import open_account
from local_cloud.folder import StateFolder
from totes.errors import UserError

_HOME = Path(".totes/acceptance")
_ORDERS = 200
_INTERRUPTED = 130
"""What a shell says of a command that Ctrl-C has ended."""


SUFFIX = "[a-z][a-z0-9]{0,11}"
"""What stacks/environment.py takes for a suffix; to ask it would take the CDK's modules and seconds."""


def main(arguments: Sequence[str] | None = None, run_totes: RunTotes | None = None) -> int:
    """Run, go on with, or clean up after an acceptance run; return the program's exit code.

    Args:
        arguments: of the command line (default: this program's).
        run_totes: runs the commands of totes (default: a process each).
    """
    options = _parsed(arguments)
    environment = f"{options.env}-{options.suffix}"
    home = (options.home or _HOME / (f"local-{environment}" if options.local else environment)).absolute()
    try:
        home.mkdir(parents=True, exist_ok=True)
        with _alone(home), _account(options, home, environment) as account:
            stage = _stage(options, home, environment, account, run_totes)
            command = _command(options)
            if options.fresh or options.clean:
                clean(stage, home, command)
            if not options.clean:
                report = accept(stage, home, command)
                display.done(f"accepted; times and costs are in {report}")
    except (UserError, BotoCoreError, ClientError) as error:
        print(f"acceptance: {visible(str(error))}", file=sys.stderr)  # noqa: T201 - a program's own words
        return 1
    except KeyboardInterrupt:
        print(f"acceptance: interrupted; {_command(options)} goes on with this step", file=sys.stderr)  # noqa: T201
        return _INTERRUPTED
    return 0


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make acceptance", description="Deploy, use, break, heal and take away.")
    parser.add_argument("--env", choices=("dev", "prod"), default="dev")
    parser.add_argument(
        "--suffix", type=_suffix, default="accept", help="what makes an environment of the run's own: dev-accept"
    )
    parser.add_argument("--local", action="store_true", help="in a local cloud instead of an AWS account")
    parser.add_argument("--cloud", type=Path, help="a local cloud that is up, and stays so (default: one of the run's)")
    parser.add_argument("--home", type=Path, help=f"where the record is kept (default: a folder in {_HOME})")
    parser.add_argument("--orders", type=int, default=_ORDERS, help="sales orders that the shop begins with")
    parser.add_argument("--fresh", action="store_true", help="clean up after a run that was stopped, and start over")
    parser.add_argument("--clean", action="store_true", help="clean up after a run that was stopped, and end")
    return parser.parse_args(arguments)


def _suffix(said: str) -> str:
    if not re.fullmatch(SUFFIX, said):
        raise argparse.ArgumentTypeError(f"{said!r} is no word of at most 12 small letters and digits, such as alice")
    return said


def _command(options: argparse.Namespace) -> str:
    """The command that a person types to do this again; values with a password stay variables."""
    words = [f"ENV={options.env}"]
    if options.suffix != "accept":
        words.append(f"SUFFIX={options.suffix}")
    words += ["LOCAL=yes"] if options.local else ['SOURCE_ADMIN="$SOURCE_ADMIN"', 'ALARM_EMAIL="$ALARM_EMAIL"']
    return " ".join(("make acceptance", *words))


def _stage(
    options: argparse.Namespace, home: Path, environment: str, account: Account, run_totes: RunTotes | None
) -> Stage:
    say = display.show
    shell = Shell(
        account=account,
        home=home,
        base=options.env,
        suffix=options.suffix,
        say=lambda command: say(f"    $ {command}", soft_wrap=True),
        run_totes=run_totes,
    )
    return Stage(
        environment=environment,
        account=account,
        # Not the system's shell, which bandit takes it for, but where commands are typed.
        shell=shell,  # nosec B604
        record=Record(home / "record.json", f"{account.number} {account.region}"),
        source=Source(account.source),
        left=Leftovers(account, environment),
        say=lambda sentence: say(sentence, soft_wrap=True),
        orders=options.orders,
    )


@contextmanager
def _account(options: argparse.Namespace, home: Path, environment: str) -> Iterator[Account]:
    """Within this context the account can be used; a local cloud of the run's own ends with a complete run."""
    if not options.local:
        place = [f"--{word}={said}" for word in ("host", "port") if (said := os.environ.get(f"SOURCE_{word.upper()}"))]
        yield Account.of_aws(os.environ.get("SOURCE_ADMIN", ""), tuple(place), os.environ.get("ALARM_EMAIL", ""))
        return
    if options.cloud is not None:
        yield Account.of_local(LocalCloud.attach(options.cloud))
        return
    state = home / "cloud"
    if not StateFolder(state).is_running:
        (home / "record.json").unlink(missing_ok=True)  # it is about a cloud that has ended
        display.step("Starting a local cloud with an empty account")
        open_account(state, environment=environment)
    yield Account.of_local(LocalCloud.attach(state))
    local_cloud.down(state)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Within this context nobody else works in the folder; raise UserError if somebody does."""
    lock = os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise UserError(f"an acceptance run is under way in {home}; wait for its end, or choose a SUFFIX") from None
    finally:
        os.close(lock)


if __name__ == "__main__":
    interrupts.end_on_signals()
    sys.exit(main())
