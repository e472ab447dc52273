"""The tables that the page reads, as dashboard/src/data/schemas.ts has them."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILE = ROOT / "dashboard" / "src" / "data" / "schemas.ts"

_PRINT = f"""
    import {{ LATER, SCHEMAS }} from {json.dumps(FILE.as_uri())};
    console.log(JSON.stringify({{ schemas: SCHEMAS, later: [...LATER] }}));
"""


@dataclass(frozen=True, kw_only=True)
class PageSchemas:
    """What the page reads.

    Attributes:
        columns: the columns of each table.
        later: the columns that an older file need not have.
    """

    columns: Mapping[str, frozenset[str]]
    later: frozenset[str]


def page_schemas() -> PageSchemas:
    """Read the file as Node reads it, which leaves types out."""
    node = [str(ROOT / ".venv" / "bin" / "node"), "--input-type=module", "--eval", _PRINT]
    said = json.loads(subprocess.run(node, capture_output=True, text=True, check=True).stdout)
    columns = {table: frozenset(schema) for table, schema in said["schemas"].items()}
    return PageSchemas(columns=columns, later=frozenset(said["later"]))
