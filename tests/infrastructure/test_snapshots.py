"""What is deployed is what was looked at: a change of a template is seen in a review, as a change of its snapshot.

`make snapshots` writes them.
"""

import json
import os
import re
from pathlib import Path

import pytest

from tests.support.templates import Synthesised

FOLDER = Path(__file__).parent / "snapshots"
PARTS = ("network", "data", "dashboard", "pipeline", "watch")


def masked(template: object) -> str:
    """A template as it is compared: without the digests of code, which change with every line of it."""
    text = json.dumps(template, indent=1, sort_keys=True)
    return re.sub(r"\b[0-9a-f]{64}\b", "DIGEST", text) + "\n"


@pytest.mark.parametrize("part", PARTS)
def test_a_template_is_what_its_snapshot_says(deployed_to_aws: Synthesised, part: str) -> None:
    file = FOLDER / deployed_to_aws.name / f"{part}.json"
    if part not in deployed_to_aws.templates:
        assert not file.exists(), f"{deployed_to_aws.name} has no stack {part}: delete {file}"
        return
    now = masked(deployed_to_aws.templates[part])
    if os.environ.get("WRITE_SNAPSHOTS") == "yes":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(now)
    assert file.exists(), f"{file} is missing: make snapshots"
    assert now == file.read_text(), f"{file} differs from the template; look at it, then make snapshots"


def test_a_digest_is_masked_and_nothing_else() -> None:
    assert masked({"key": f"{'a1' * 32}.zip", "name": "totes"}) == '{\n "key": "DIGEST.zip",\n "name": "totes"\n}\n'
