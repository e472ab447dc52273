"""Takes out of npm's lock files where money for a package is wanted: the only addresses that they still hold.

`python toolchain/forget_funding.py LOCK...` does it; npm has no setting for it, and `npm ci` does not read it.
"""

import json
import sys
from pathlib import Path


def forget_funding(lock: Path) -> None:
    """Rewrite a lock file of npm, in npm's own layout, without any package's funding."""
    document = json.loads(lock.read_text(encoding="utf-8"))
    for package in document["packages"].values():
        package.pop("funding", None)
    lock.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        forget_funding(Path(name))
