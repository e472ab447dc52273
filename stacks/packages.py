"""The folders that become Lambda packages: what goes into them, and whether they fit into Lambda."""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_

from stacks.dependencies import ROOT, make_readable

LIMIT_BYTES = 250 * 1024 * 1024
"""What Lambda allows a function together with its layers, unzipped."""

PAGE = ROOT / "dashboard" / "dist"
"""Where `npm run build` puts the dashboard's page."""

_PACKAGES = ROOT / "build" / "packages"

_LEFT_OUT = ("__pycache__", ".DS_Store")


class PackageTooLarge(ValueError):
    """A function and its layers do not fit into Lambda."""


def code_of(folder: Path) -> lambda_.Code:
    """The package of a folder of Python files, without the files that an interpreter or a desktop leaves in it."""
    packed = _packed(folder.name, {"": folder})
    digest = packed.name.rpartition("-")[2]
    return lambda_.Code.from_asset(str(packed), asset_hash=digest, asset_hash_type=cdk.AssetHashType.CUSTOM)


def with_page(folder: Path) -> Path:
    """A copy of a package with the dashboard's page in its folder `page`; the package itself if no page is built."""
    return _packed(folder.name, {"": folder, "page": PAGE}) if (PAGE / "index.html").is_file() else folder


def _packed(name: str, folders: Mapping[str, Path]) -> Path:
    """A folder with copies of the files of some folders, each below its prefix, which all users may read.

    The modes of files in a clone depend on who made it: in one made under umask 077 no function could import a file.
    The CLI packs the modes as they are, and does not pack again what has the same hash.
    """
    sources = {
        Path(prefix) / file.relative_to(folder): file
        for prefix, folder in folders.items()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not set(file.relative_to(folder).parts) & set(_LEFT_OUT)
    }
    digest = hashlib.sha256(b"files 0644, folders 0755")
    for path, file in sources.items():
        digest.update(f"{path} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    place = _PACKAGES / f"{name}-{digest.hexdigest()[:32]}"
    if not place.is_dir():
        _PACKAGES.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_PACKAGES, prefix=".making-") as workplace:
            making = Path(workplace) / name
            for path, file in sources.items():
                copy = making / path
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)
            make_readable(making)
            with contextlib.suppress(OSError):  # another process was quicker, with the same files
                making.rename(place)
    return place


def size_of(folder: Path) -> int:
    """The bytes of a package's files, unzipped."""
    total = 0
    for parent, folders, files in os.walk(folder):
        folders[:] = set(folders) - set(_LEFT_OUT)
        total += sum(Path(parent, file).stat().st_size for file in files if file not in _LEFT_OUT)
    return total


def check_size(function: str, sizes: Mapping[Path, int]) -> None:
    """Make sure that a function fits into Lambda.

    Args:
        function: its name, for the error.
        sizes: the bytes of its own folder and of those of its layers.

    Raises:
        PackageTooLarge: it does not fit; the message gives the size of each folder.
    """
    total = sum(sizes.values())
    if total > LIMIT_BYTES:
        parts = ", ".join(f"{folder.name} {size:,}" for folder, size in sizes.items())
        raise PackageTooLarge(
            f"{function} with its layers is {total:,} bytes unzipped and Lambda allows {LIMIT_BYTES:,}: {parts}; "
            "take something out of layers/dependencies/requirements.in"
        )
