"""The source tables, a file each; a new one is a new file and a line in this list."""

from totes.capture.source_schema import SourceTable
from totes.capture.tables.address import ADDRESS
from totes.capture.tables.counterparty import COUNTERPARTY
from totes.capture.tables.currency import CURRENCY
from totes.capture.tables.department import DEPARTMENT
from totes.capture.tables.design import DESIGN
from totes.capture.tables.payment import PAYMENT
from totes.capture.tables.payment_type import PAYMENT_TYPE
from totes.capture.tables.purchase_order import PURCHASE_ORDER
from totes.capture.tables.sales_order import SALES_ORDER
from totes.capture.tables.staff import STAFF
from totes.capture.tables.transaction import TRANSACTION

SOURCE_TABLES: tuple[SourceTable, ...] = (
    ADDRESS,
    COUNTERPARTY,
    CURRENCY,
    DEPARTMENT,
    DESIGN,
    PAYMENT,
    PAYMENT_TYPE,
    PURCHASE_ORDER,
    SALES_ORDER,
    STAFF,
    TRANSACTION,
)
