"""totes: the command line, for a local cloud and for a deployed one alike."""

import errno
import os
import sys
from io import TextIOWrapper
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from command_line.commands import display
from command_line.commands.app import app
from command_line.refusals import refusal
from command_line.visible import visible
from local_cloud import libpq
from totes.errors import TotesError, UserError


def main() -> None:
    """Run the command line; whatever a person can fix is one sentence and exit code 1, never a traceback."""
    _prepare_streams()
    libpq.set_aside()
    try:
        app()
    except (UserError, TotesError) as error:
        _fail(str(error))
    except NoRegionError:
        _fail("no AWS region is set; export AWS_REGION, or add --local for the cloud on this machine")
    except NoCredentialsError:
        _fail("no AWS credentials are set; export or configure them, or add --local for the cloud on this machine")
    except OSError as error:
        _fail(_told(error))
    except (BotoCoreError, ClientError) as error:
        _fail(refusal(error))
    finally:
        _flush()


def _prepare_streams() -> None:
    """Avoid tracebacks that are due to the terminal: one that knows only ASCII, or has no standard input."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    if sys.stdin is None or sys.stdin.closed:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - for as long as the program


def _flush() -> None:
    """Write what is left to be written; if its reader, such as `head`, has gone, keep Python from complaining."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _told(error: OSError) -> str:
    """What the machine refused, and what to do about it."""
    where = f"{error.filename}: " if error.filename else ""
    what = f"{where}{error.strerror or error}"
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"no room is left on the disk ({what}); make some, or name a folder on another one with --state"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return f"this user may not use {what}; name another folder with --state, or let the user in"
    return f"this machine refused: {what}"


def _fail(sentence: str) -> None:
    print(f"totes: {visible(display.complete(sentence))}", file=sys.stderr)
    sys.exit(1)
