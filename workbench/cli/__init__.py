"""totes: the command line, for a local cloud and for a deployed one alike."""

import sys

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from totes.errors import TotesError
from workbench.cli.app import app
from workbench.errors import UserError


def main() -> None:
    """Run the command line; whatever a person can mend is one sentence and exit code 1, never a traceback."""
    try:
        app()
    except (UserError, TotesError) as error:
        _fail(str(error))
    except NoRegionError:
        _fail("no AWS region is set; export AWS_REGION, or add --local for the cloud on this machine")
    except NoCredentialsError:
        _fail("no AWS credentials are set; export or configure them, or add --local for the cloud on this machine")
    except (BotoCoreError, ClientError) as error:
        _fail(f"AWS refused or did not answer: {error}")


def _fail(sentence: str) -> None:
    print(f"totes: {sentence}", file=sys.stderr)
    sys.exit(1)
