"""Environments deployed to a local cloud by the real cdk CLI, with a configuration of their own."""

import os
import subprocess
from pathlib import Path

from workbench.cloud import LocalCloud, cdk

_APP = """
import os
import sys
from dataclasses import replace

sys.path.insert(0, {project!r})
import aws_cdk

from app import chosen_environment, make_stacks
from stacks.config import GivenDatabase, Lake, NewNetwork, OwnDatabase

app = aws_cdk.App()
environment = chosen_environment(app.node)
make_stacks(app, replace(environment, {changes}))
app.synth()
"""


def call(
    cloud: LocalCloud, *arguments: str, app: str | Path, environment: str | None = None, timeout: float = 400
) -> subprocess.CompletedProcess[str]:
    """Type a command of the cdk CLI.

    Args:
        cloud: where it goes.
        arguments: the command.
        app: a folder that was synthesised into, or a command that synthesises.
        environment: whose stacks are meant; None: the cloud's.
        timeout: seconds that it may take.
    """
    context = ["--context", f"env={environment or cloud.environment}", "--context", "target=host"]
    return subprocess.run(
        [cdk._CLI, *arguments, "--app", str(app), *context, *cdk._QUIET],
        cwd=cdk.PROJECT,
        env=cdk._environment(cloud.endpoint),
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )


def synthesised(cloud: LocalCloud, folder: Path, changes: str, *, environment: str | None = None) -> Path:
    """Synthesise an environment with changes of its configuration into a folder, and return that.

    Args:
        cloud: where it is to be deployed.
        folder: a new one.
        changes: the changes, as somebody would write them in stacks/config.py: "mass_deletion_percent=25".
        environment: which; None: the cloud's.
    """
    folder.mkdir()
    app, out = folder / "changed.py", folder / "out"
    app.write_text(_APP.format(project=str(cdk.PROJECT), changes=changes), encoding="utf-8")
    done = call(cloud, "synth", "--all", "--output", str(out), app=f"python {app}", environment=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    (out / ".cache").symlink_to(os.path.realpath(cdk.PROJECT / "build" / "assets"))
    return out


def deploy(cloud: LocalCloud, assembly: Path) -> subprocess.CompletedProcess[str]:
    """Deploy all stacks of a synthesised app."""
    return call(cloud, "deploy", "--all", "--require-approval", "never", app=assembly)


def said(done: subprocess.CompletedProcess[str]) -> str:
    """What the CLI has said."""
    return done.stdout + done.stderr
