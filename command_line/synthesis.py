"""The templates of an environment, as AWS would get them."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from local_cloud.cdk import PROJECT, Cdk

_SOMEBODY = "alarm_email=nobody@example.com"
"""An environment that is protected is not synthesised unless somebody gets its alarms."""

_LOG = PROJECT / "build" / "costs" / "cdk.log"


@contextmanager
def synthesised(name: str, context: Sequence[str] = ()) -> Iterator[Path]:
    """Synthesise the stacks of an environment; the folder with their templates is removed when this ends.

    Args:
        name: of the environment, with its suffix if it has one.
        context: more context of the app, such as "bounded=true".

    Raises:
        UserError: there is no such environment, or its configuration makes no sense.
    """
    _LOG.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="totes-") as folder:
        assembly = Path(folder) / "cdk.out"
        with Cdk(assembly=assembly, log=_LOG, environment=name, context=(_SOMEBODY, *context)) as cdk:
            cdk.synthesise().finish()
            yield assembly
