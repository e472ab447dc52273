"""Environments deployed to a local cloud by the real cdk CLI, with a configuration of their own."""

import os
import subprocess
from pathlib import Path

from app import make_stacks
from local_cloud import LocalCloud, cdk
from stacks.environment import Environment
from tests.support.templates import new_app

_BY_THE_CLI = {"aws:cdk:enable-path-metadata": True, "aws:cdk:enable-asset-metadata": True}
"""What the CLI tells an app beyond what cdk.json says, so that a template differs by what is changed alone."""


def synthesised(cloud: LocalCloud, folder: Path, environment: Environment) -> Path:
    """Synthesise an environment into a folder, and return that.

    In this process, where the CDK is loaded once for all; and what is packed is where the cloud's own assembly has it.

    Args:
        cloud: where it is to be deployed, and what it was made of is.
        folder: a new one.
        environment: as somebody has changed it in stacks/config.py.
    """
    folder.mkdir()
    for asset in (cloud.state / "cdk.out").glob("asset.*"):
        (folder / asset.name).symlink_to(asset)
    app = new_app(folder, validated=False, **_BY_THE_CLI)
    make_stacks(app, environment)
    app.synth()
    (folder / ".cache").symlink_to(os.path.realpath(cdk.PROJECT / "build" / "assets"))
    return folder


def deploy(cloud: LocalCloud, assembly: Path) -> subprocess.CompletedProcess[str]:
    """Deploy all stacks of a synthesised app."""
    words = ("deploy", "--all", "--app", str(assembly), "--require-approval", "never")
    return subprocess.run(
        [cdk._CLI, *words, *cdk._QUIET],
        cwd=cloud.state,
        env=cdk._environment(cloud.endpoint),
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )


def said(done: subprocess.CompletedProcess[str]) -> str:
    """What the CLI has said."""
    return done.stdout + done.stderr
