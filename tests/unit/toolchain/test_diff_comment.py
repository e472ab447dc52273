import subprocess
import sys
from pathlib import Path

from toolchain.diff_comment import LIMIT, MARK, comment

ROOT = Path(__file__).parents[3]


def test_every_environment_has_its_diff_in_the_order_given() -> None:
    said = comment({"dev": "Stack totes-dev-data\n[+] a bucket\n", "prod": "no differences"})
    assert said == (
        f"{MARK}\n\n### cdk diff: dev\n\n```diff\nStack totes-dev-data\n[+] a bucket\n```"
        "\n\n### cdk diff: prod\n\n```diff\nno differences\n```"
    )


def test_an_environment_that_was_not_compared_says_so_and_the_other_is_still_told() -> None:
    said = comment({"dev": None, "prod": "no differences"})
    assert "### cdk diff: dev\n\nThere is no diff: this pull request was given no credentials" in said
    assert said.endswith("```diff\nno differences\n```")


def test_a_diff_that_is_too_long_is_cut_and_leaves_room_for_the_next() -> None:
    said = comment({"dev": "x" * LIMIT, "prod": "```\n" * LIMIT})
    assert len(said) <= LIMIT
    assert said.count("[... the rest is in the log of the workflow's run]\n```") == 2


def test_a_diff_does_not_end_its_own_block() -> None:
    said = comment({"dev": "one\n```\n# two\n   ````\n"})
    lines = said.splitlines()
    assert [number for number, line in enumerate(lines) if line.strip().startswith("```")] == [4, len(lines) - 1]


def test_the_command_reads_what_the_jobs_left_and_misses_nothing_that_they_did_not(tmp_path: Path) -> None:
    (tmp_path / "prod.txt").write_text("[~] größer\n", encoding="utf-8")
    command = [sys.executable, "toolchain/diff_comment.py", str(tmp_path), "dev", "prod"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    assert said == comment({"dev": None, "prod": "[~] größer"}) + "\n"
