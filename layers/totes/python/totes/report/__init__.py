"""Report: the shop's questions, each a file of SQL in `questions` and a view of schema `report` in the warehouse."""

from totes.report.question import Question, questions

QUESTIONS: tuple[Question, ...] = questions()

__all__ = ["QUESTIONS", "Question"]
