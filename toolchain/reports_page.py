"""Writes docs/reports.md: every question that the warehouse answers and the rows behind it, each with its SQL.

`python toolchain/reports_page.py` does it.
"""

from pathlib import Path

from totes.report import QUESTIONS, ROWS, Question

FILE = Path(__file__).parents[1] / "docs" / "reports.md"

_HEAD = """# Reports

<!-- Written by: python toolchain/reports_page.py -->

Each question that the shop asks of its warehouse is a view of schema `report`, made of one file of SQL in
[questions](../layers/totes/python/totes/report/questions). Ask it with any tool that speaks to PostgreSQL:

```sql
SELECT * FROM report.sales_by_day ORDER BY day DESC LIMIT 7;
```

They speak of the newest batch: `report.freshness` says of when it is. Amounts are exact decimals in the currency beside
them, and are added up within one currency only. What is `converted` is in the reporting currency instead
(`reporting_currency` of `report.exchange_rates`), and its sums leave out what has no rate;
[warehouse.md](warehouse.md#money-in-one-currency) says how to count that. `totes_dashboard` reads all of the views;
every view and column says in a comment what it means, as every table of the star does (`\\d+ report.sales_by_day` in
psql).

A new question is a new file: a comment that asks it, an empty one, a line for each column in the query's order, and the
query, which names tables with their schemas; [extending.md](extending.md#a-question) has every step. The next load
makes the view. A changed one is made again with what was granted on it; where somebody's view reads it and it has other
columns now, or where its query is wrong, it stays as it is and the load's log says so.
"""


_ROWS = """# The rows behind them

The rows that answers are made of, for BI tools that make their own and for the [dashboard](dashboard.md): orders and
payments as they stand, every version of them, and who and what they name. Nobody's e-mail address, phone or account
number is in them, and no street or postal code. The files are in [rows](../layers/totes/python/totes/report/rows).
"""


def document() -> str:
    """Return the page's text."""
    return "\n".join([_HEAD, *map(_section, QUESTIONS), _ROWS, *map(_section, ROWS)])


def _section(question: Question) -> str:
    columns = "\n".join(f"| `{name}` | {meaning} |" for name, meaning in question.columns.items())
    return f"""## {question.name}

{question.sentence}

| column | |
|---|---|
{columns}

```sql
{question.query.strip()}
```
"""


if __name__ == "__main__":
    FILE.write_text(document(), encoding="utf-8")
