"""The star tables, a file each; a new one is a new file and a line in this list."""

from totes.star.tables.dim_counterparty import DIM_COUNTERPARTY
from totes.star.tables.dim_currency import DIM_CURRENCY
from totes.star.tables.dim_date import DIM_DATE
from totes.star.tables.dim_design import DIM_DESIGN
from totes.star.tables.dim_location import DIM_LOCATION
from totes.star.tables.dim_payment_type import DIM_PAYMENT_TYPE
from totes.star.tables.dim_staff import DIM_STAFF
from totes.star.tables.dim_transaction import DIM_TRANSACTION
from totes.star.tables.fact_payment import FACT_PAYMENT
from totes.star.tables.fact_purchase_order import FACT_PURCHASE_ORDER
from totes.star.tables.fact_sales_order import FACT_SALES_ORDER
from totes.star_schema import Fact, StarTable

STAR_TABLES: tuple[StarTable, ...] = (
    DIM_COUNTERPARTY,
    DIM_CURRENCY,
    DIM_DATE,
    DIM_DESIGN,
    DIM_LOCATION,
    DIM_PAYMENT_TYPE,
    DIM_STAFF,
    DIM_TRANSACTION,
    FACT_PAYMENT,
    FACT_PURCHASE_ORDER,
    FACT_SALES_ORDER,
)

READABLE: tuple[str, ...] = (
    *(table.name for table in STAR_TABLES),
    *(table.current_view for table in STAR_TABLES if isinstance(table, Fact)),
)
"""What readers see: the star tables, and the views of the facts' current state."""
