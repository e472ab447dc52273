"""Builds the dependency layer from its lock, by uv, for any machine and without Docker.

A built layer is kept in build/layers under the fingerprint of all that decides its content, so a synth builds only
what is not there yet. `python -m stacks.dependencies` builds the layers of all environments ahead; it is the one step
that may need the package index (uv takes from its cache what it has there).
"""

import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from stacks.target import Target

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "layers" / "dependencies" / "requirements.lock"

_BUILT = ROOT / "build" / "layers"
_SERVICES = ("s3", "secretsmanager")
"""The services of AWS that functions call. botocore comes with the models of four hundred, and searches all of them at
each cold start."""

_INSTALLERS_OWN = ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json")


class LayerNotBuilt(RuntimeError):
    """The dependency layer could not be built; the message quotes the installer."""


def fingerprint(target: Target, lock: Path = LOCK) -> str:
    """The SHA-256 of all that decides the layer's content: the lock, the target and how it is built (this file)."""
    digest = hashlib.sha256()
    system = target.wheels or f"{platform.system()}-{platform.machine()}"
    for part in (lock.read_bytes(), system.encode(), target.python.encode(), Path(__file__).read_bytes()):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def built_layer(target: Target, lock: Path = LOCK, store: Path = _BUILT) -> Path:
    """Return the folder of the layer for a target, and build it if it is not there.

    Args:
        target: what to build for.
        lock: pinned requirements with hashes.
        store: where built layers are kept.

    Raises:
        LayerNotBuilt: a wheel is missing or the package index cannot be reached.
    """
    layer = store / fingerprint(target, lock)
    if layer.is_dir():
        return layer
    store.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=store, prefix=".building-") as workplace:
        unfinished = Path(workplace) / "layer"
        _install(target, lock, unfinished / "python")
        _leave_out_other_services(unfinished / "python")
        _make_reproducible(unfinished)
        try:
            unfinished.rename(layer)  # whole or not at all
        except OSError:
            if not layer.is_dir():  # else another process was quicker, with the same bytes
                raise
    return layer


def _install(target: Target, lock: Path, folder: Path) -> None:
    wheels = [] if target.wheels is None else ["--python-platform", target.wheels]
    command = [
        *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", sys.executable),
        *(*wheels, "--python-version", target.python, "--target", str(folder)),
        *("--only-binary", ":all:", "--no-deps", "--require-hashes", "--link-mode", "copy", "-r", str(lock)),
    ]
    installed = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if installed.returncode != 0:
        raise LayerNotBuilt(
            f"the dependency layer for Python {target.python} on {target.wheels or 'this machine'} was not built; "
            f"the first build of a lock needs the package index. uv says: {installed.stderr.strip()}"
        )


def _leave_out_other_services(packages: Path) -> None:
    for folder in packages.glob("botocore/data/*/"):
        if folder.name not in _SERVICES:
            shutil.rmtree(folder)


def _make_reproducible(layer: Path) -> None:
    """Take out what depends on who installed it and where, so that the same lock gives the same bytes."""
    packages = layer / "python"
    (packages / ".lock").unlink(missing_ok=True)
    shutil.rmtree(packages / "bin", ignore_errors=True)  # scripts that name this machine's interpreter
    for metadata in packages.glob("*.dist-info"):
        for name in _INSTALLERS_OWN:
            (metadata / name).unlink(missing_ok=True)
    make_readable(layer)


def make_readable(folder: Path) -> None:
    """Make a folder readable for all users, whatever the umask was: Lambda runs as another user than its maker."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


if __name__ == "__main__":
    from stacks import config

    for target in {environment.target for environment in config.ENVIRONMENTS}:
        built_layer(target)
