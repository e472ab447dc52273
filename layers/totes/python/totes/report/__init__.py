"""Report: what the shop asks of its warehouse, each a file of SQL and a view of schema `report`.

`questions` has the shop's questions. `rows` has the rows that their answers are made of; of people only the names.
"""

from totes.report.question import Question, by_dependency, views_of

QUESTIONS: tuple[Question, ...] = by_dependency(views_of("questions"))
ROWS: tuple[Question, ...] = by_dependency(views_of("rows"))
VIEWS: tuple[Question, ...] = (*QUESTIONS, *ROWS)

__all__ = ["QUESTIONS", "ROWS", "VIEWS", "Question"]
