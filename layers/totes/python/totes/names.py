"""Names that several parts agree on: in the warehouse, beside those of the star, and in the dashboard's bucket."""

RATES_TABLE = "fact_exchange_rate"
"""The table of exchange rates, beside the star in schema public, which readers see too."""

READABLE_LEDGER = ("batch", "batch_table")
"""The ledger's tables that readers see: which batches there are, and how many rows each brought."""

REPORT = "report"
"""The schema of the views that answer the shop's questions."""

REPORT_MARK = "The shop's questions, a view each, made by totes"
"""How the comment of that schema begins; one without is somebody's own."""

DATA = "data/"
"""Where the snapshots lie in the dashboard's bucket, and beside a page that a server or a folder has."""

SITE = "site/"
"""Where the page lies in the dashboard's bucket."""
