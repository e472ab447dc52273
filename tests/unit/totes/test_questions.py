"""A question's file is read as it is written, and one that lacks something is refused by name."""

import re

import pytest

from totes.report import QUESTIONS, ROWS, VIEWS, Question
from totes.star import STAR_TABLES
from totes.star_schema import Calendar, Fact

TEXT = """-- How many orders
-- are there?
--
-- day: the day: of the order
-- orders: how many
SELECT created_date, count(*)
FROM current_sales_order GROUP BY 1
"""


def test_a_file_is_a_sentence_its_columns_and_a_query() -> None:
    question = Question.from_text("orders", TEXT)
    assert question == Question(
        name="orders",
        sentence="How many orders are there?",
        columns={"day": "the day: of the order", "orders": "how many"},
        query="SELECT created_date, count(*)\nFROM current_sales_order GROUP BY 1",
    )
    assert question.reads == frozenset()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("SELECT 1", "orders.sql does not begin with a sentence"),
        ("-- How many?\n-- orders: n\nSELECT 1", "orders.sql does not begin with a sentence"),
        ("-- How many?\n--\n-- Orders\nSELECT 1", "the comment 'Orders' is not a column"),
    ],
)
def test_a_file_that_lacks_something_is_refused_by_name(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Question.from_text("orders", text)


def test_a_name_may_have_a_digit() -> None:
    question = Question.from_text("top10", "-- Which?\n--\n-- p90: nine of ten\nSELECT p90 FROM report.top20")
    assert question.columns == {"p90": "nine of ten"}
    assert question.reads == {"top20"}


def test_a_question_comes_after_those_that_it_reads() -> None:
    names: list[str] = []
    for question in QUESTIONS:
        assert question.reads <= set(names), question.name
        names.append(question.name)
    assert any(question.reads for question in QUESTIONS)


def test_every_question_asks_and_says_what_each_column_means() -> None:
    for question in QUESTIONS:
        assert "?" in question.sentence, question.name
        assert question.columns, question.name


def test_every_view_names_what_it_reads_with_its_schema() -> None:
    """The session that makes it looks in pg_catalog alone."""
    for view in VIEWS:
        read = re.findall(r"\b(?:FROM|JOIN) ([a-z_.]+)", re.sub(r"\bextract\([a-z]+ FROM\b", "", view.query))
        assert [name for name in read if not name.startswith(("public.", "etl.", "report."))] == [], view.name


def test_of_a_row_in_quarantine_it_is_told_whether_any_star_table_shows_it_still() -> None:
    [view] = [view for view in ROWS if view.name == "open_quarantine"]
    lacking = []
    for table in STAR_TABLES:
        if not isinstance(table, Calendar):
            shown = (
                f"public.{table.current_view} WHERE {table.key} = key"
                if isinstance(table, Fact)
                else f"public.{table.name}"
            )
            if f"WHEN '{table.name}' THEN EXISTS (SELECT FROM {shown}" not in view.query:
                lacking.append(table.name)
    assert lacking == [], f"layers/totes/python/totes/report/rows/open_quarantine.sql lacks {', '.join(lacking)}"


def test_every_star_table_and_column_says_what_it_means() -> None:
    for table in STAR_TABLES:
        meanings = {table.name: table.meaning, **{column.name: column.meaning for column in table.columns}}
        silent = [name for name, meaning in meanings.items() if not meaning.endswith(".")]
        assert silent == [], f"layers/totes/python/totes/star/tables/{table.name}.py: say what they mean, in a sentence"
