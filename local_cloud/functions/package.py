"""What a function is made of, and its place on the disk."""

import tempfile
import threading
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path


@dataclass(frozen=True)
class Code:
    """A zip file as it was deployed.

    Attributes:
        sha256: of its bytes.
        read: gives the bytes; not part of what makes two equal.
    """

    sha256: str
    read: Callable[[], bytes] = field(compare=False)


@dataclass(frozen=True, kw_only=True)
class Package:
    """A function as it is deployed at this moment; two that are equal can share workers.

    Attributes:
        name: the function's name.
        arn: its ARN, without a version.
        role: the ARN of the role that it runs under.
        handler: module and function, such as "handler.handler".
        memory_mb: what its process may take at most.
        timeout_seconds: how long one invocation may take.
        variables: the function's own environment variables.
        code: the function's zip.
        layers: the layers' zips, in the order in which they are attached.
        region: the region it runs in.
        log_group: where its output goes.
        log_format: "Text" or "JSON".
        reaches: the databases ("source", "warehouse") in the network that it reaches.
    """

    name: str
    arn: str
    role: str
    handler: str
    memory_mb: int
    timeout_seconds: int
    variables: Mapping[str, str]
    code: Code
    layers: tuple[Code, ...]
    region: str
    log_group: str
    log_format: str = "Text"
    reaches: frozenset[str] = frozenset()


class CodeStore:
    """Unpacked zips in a folder, each under the SHA-256 of its bytes, so that each is unpacked once.

    More than one cloud may have the folder.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()

    def unpacked(self, code: Code) -> Path:
        """The folder with the zip's content."""
        folder = self._directory / _as_name(code.sha256)
        with self._lock:
            if not folder.is_dir():
                self._unpack(code, folder)
        return folder

    def _unpack(self, code: Code, folder: Path) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._directory, prefix=".unpacking-") as workplace:
            unfinished = Path(workplace) / "content"
            with zipfile.ZipFile(BytesIO(code.read())) as archive:
                archive.extractall(unfinished)  # a ZipFile keeps every member inside the folder
            try:
                unfinished.rename(folder)  # whole or not at all
            except OSError:
                if not folder.is_dir():  # else another cloud was quicker, with the same bytes
                    raise


def _as_name(sha256: str) -> str:
    """A digest as a folder's name; Lambda writes it in base64, which has slashes."""
    return sha256.replace("/", "_").replace("+", "-").rstrip("=")
