"""Writes docs/patches.md: what the local cloud replaces in moto and adds to it, and why.

`python toolchain/patches_page.py` does it. It patches moto in its own process to see.
"""

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from local_cloud.endpoint import Endpoint
from local_cloud.endpoint.patches import made
from local_cloud.functions import Answer, Package
from local_cloud.persistent_store import PersistentStore

FILE = Path(__file__).parents[1] / "docs" / "patches.md"

_HEAD = """# Patches of moto

<!-- Written by: python toolchain/patches_page.py -->

The local cloud is [moto](https://github.com/getmoto/moto), and what AWS does that moto does not
([laws.md](laws.md)). Each row is a place in moto that `local_cloud/endpoint` replaces, or adds where moto has
nothing. A release of moto that moves one of them, or has one by itself, stops the endpoint with its name.

| place in moto | | why |
|---|---|---|
"""


def document() -> str:
    """Return the page's text; moto is patched in this process from then on."""
    with TemporaryDirectory() as folder, closing(PersistentStore(Path(folder) / "kept.sqlite")) as store:
        endpoint = Endpoint(store)
        endpoint.run_functions_by(_nothing)
    rows = [f"| `{each.target}` | {'added' if each.adds else 'replaced'} | {each.why} |" for each in made()]
    return _HEAD + "\n".join(rows) + "\n"


def _nothing(package: Package, event: bytes) -> Answer:
    raise NotImplementedError(f"{package.name} is not run here")


if __name__ == "__main__":
    FILE.write_text(document(), encoding="utf-8")
