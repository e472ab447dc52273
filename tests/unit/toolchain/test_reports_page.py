"""What docs/reports.md says of the reports is what their files say."""

from toolchain.reports_page import FILE, document


def test_the_page_is_what_the_files_say() -> None:
    assert FILE.read_text(encoding="utf-8") == document(), "python toolchain/reports_page.py writes docs/reports.md"
