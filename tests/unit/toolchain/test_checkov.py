"""What the outside scanner is not followed in has a reason, and nothing else of it is turned off."""

import re
from pathlib import Path

CONFIGURATION = Path(__file__).parents[3] / "toolchain" / "checkov.yaml"


def test_every_check_that_is_not_followed_stands_below_its_reason() -> None:
    _, skipped = CONFIGURATION.read_text().split("skip-check:\n")
    lines = skipped.splitlines()
    checks = [line for line in lines if not line.startswith("  # ")]
    assert all(re.fullmatch(r"  - CKV2?_AWS_\d+", line) for line in checks)
    assert len(set(checks)) == len(checks) > 0
    for before, line in zip(["", *lines], lines, strict=False):
        if line in checks:
            assert before.startswith("  # "), f"{line.strip()} has no reason"
            assert before.endswith("."), "a reason is a sentence"


def test_no_other_setting_hides_a_finding() -> None:
    settings, _ = CONFIGURATION.read_text().split("skip-check:\n")
    names = {line.split(":")[0] for line in settings.splitlines() if re.match(r"[a-z]", line)}
    assert names == {"framework", "skip-download", "quiet", "compact"}
