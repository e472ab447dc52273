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
        _run()
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


def _prepare_streams() -> None:
    """Avoid tracebacks that are due to the terminal: one that knows only ASCII, or has not all three streams.

    What takes a closed one's place stays open for as long as the program runs.
    """
    nowhere = Path(os.devnull)
    if sys.stdin is None or sys.stdin.closed:
        sys.stdin = nowhere.open(encoding="utf-8")
    if sys.stdout is None:
        sys.stdout = nowhere.open("w", encoding="utf-8")
    if sys.stderr is None:
        sys.stderr = nowhere.open("w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _run() -> None:
    """Run the command and write what is left to be written; a reader who has gone, such as `head`, is no error.

    Raises:
        OSError: what is left cannot be written, as to a disk that is full.
    """
    try:
        app()
    finally:
        try:
            sys.stdout.flush()
        except OSError as error:
            # What is left is let go of, because Python would try once more at its end, and complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if not isinstance(error, BrokenPipeError):
                raise


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
