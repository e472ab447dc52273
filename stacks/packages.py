"""The folders that become Lambda packages: what goes into them, and whether Lambda can hold it."""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_

from stacks.dependencies import ROOT

LIMIT_BYTES = 250 * 1024 * 1024
"""What Lambda allows a function together with its layers, unzipped."""

PAGE = ROOT / "dashboard" / "dist"
"""Where `npm run build` puts the dashboard's page."""

_PACKAGES = ROOT / "build" / "packages"

_LEFT_OUT = ("__pycache__", ".DS_Store")


class PackageTooLarge(ValueError):
    """A function and its layers do not fit into Lambda."""


def code_of(folder: Path) -> lambda_.Code:
    """The package of a folder of Python files, without what an interpreter or a desktop leaves in it."""
    return lambda_.Code.from_asset(str(folder), exclude=list(_LEFT_OUT), ignore_mode=cdk.IgnoreMode.GIT)


def with_page(folder: Path) -> Path:
    """A package with the dashboard's page beside its handler, in `page`; the package itself where no page is built."""
    if not (PAGE / "index.html").is_file():
        return folder
    sources = {
        Path(folder.name) / prefix / file.relative_to(root): file
        for root, prefix in ((folder, ""), (PAGE, "page"))
        for file in sorted(root.rglob("*"))
        if file.is_file() and not set(file.relative_to(root).parts) & set(_LEFT_OUT)
    }
    digest = hashlib.sha256()
    for name, file in sources.items():
        digest.update(f"{name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    place = _PACKAGES / f"{folder.name}-{digest.hexdigest()[:16]}"
    if not place.is_dir():
        _PACKAGES.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_PACKAGES, prefix=".making-") as workplace:
            for name, file in sources.items():
                copy = Path(workplace) / name
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)
            with contextlib.suppress(OSError):  # another process was quicker, with the same
                (Path(workplace) / folder.name).rename(place)
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
        PackageTooLarge: it does not; the sentence gives the size of each folder.
    """
    total = sum(sizes.values())
    if total > LIMIT_BYTES:
        parts = ", ".join(f"{folder.name} {size:,}" for folder, size in sizes.items())
        raise PackageTooLarge(
            f"{function} with its layers is {total:,} bytes unzipped and Lambda allows {LIMIT_BYTES:,}: {parts}; "
            "take something out of layers/dependencies/requirements.in"
        )
