"""What docs/star-schema.md says of the star is what the definitions say."""

from toolchain.star_page import FILE, document
from totes.star import STAR_TABLES
from totes.star_schema import Fact


def test_the_page_is_what_the_definitions_say() -> None:
    assert FILE.read_text(encoding="utf-8") == document(), "python toolchain/star_page.py writes docs/star-schema.md"


def test_every_table_and_current_view_is_in_it_with_its_columns() -> None:
    sections = {section.partition("\n")[0]: section for section in document().split("\n## ")}
    for table in STAR_TABLES:
        names = [*(column.name for column in table.columns), "batch_id", "is_deleted"]
        if isinstance(table, Fact):
            names += [table.record_id, table.current_view]
        assert [name for name in names if f"`{name}`" not in sections[table.name]] == []
