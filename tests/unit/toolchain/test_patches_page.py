"""docs/patches.md names every place of moto that is patched, and each of them is there."""

import subprocess
import sys

from toolchain.patches_page import FILE

_SHOW = "from toolchain.patches_page import document; print(document(), end='')"


def test_the_page_is_what_its_command_writes() -> None:
    said = subprocess.run([sys.executable, "-c", _SHOW], capture_output=True, text=True, check=True).stdout
    assert FILE.read_text(encoding="utf-8") == said, "python toolchain/patches_page.py writes docs/patches.md"
