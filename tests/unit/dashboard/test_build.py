"""The page is built wherever the project lies."""

import json
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]
DASHBOARD = ROOT / "dashboard"


def test_the_page_is_built_in_a_folder_of_any_name(tmp_path: Path) -> None:
    there = tmp_path / "100 % Größe, #1 ? [a] $x 'y'" / "dashboard"
    shutil.copytree(DASHBOARD, there, ignore=shutil.ignore_patterns("node_modules", "dist", "test"))
    (there / "node_modules").symlink_to(DASHBOARD / "node_modules")
    subprocess.run([ROOT / ".venv" / "bin" / "node", "build.mjs"], cwd=there, check=True)
    assert files(there) == files(DASHBOARD)


def test_what_is_in_the_page_comes_with_its_licence() -> None:
    told = (DASHBOARD / "dist" / "licenses.txt").read_text(encoding="utf-8")
    parts = json.loads((DASHBOARD / "package.json").read_text(encoding="utf-8"))["dependencies"]
    for name in (*parts, "i18n-iso-countries"):
        text = (DASHBOARD / "node_modules" / name / "LICENSE").read_text(encoding="utf-8")
        assert f"{name}\n\n{text}" in told, name


def files(dashboard: Path) -> set[str]:
    """What was built, without the digests in the names."""
    return {re.sub(r"-[A-Z0-9]{8}\.", ".", file.name) for file in (dashboard / "dist").iterdir()}
