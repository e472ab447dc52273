"""dim_date: every date that a fact names, whatever year comes."""

from totes.shapes import Calendar, date, integer, text

DIM_DATE = Calendar(
    name="dim_date",
    key="date_id",
    columns=(
        date("date_id"),
        integer("year"),
        integer("month"),
        integer("day"),
        integer("day_of_week"),
        text("day_name"),
        text("month_name"),
        integer("quarter"),
    ),
)
