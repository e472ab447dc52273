"""dim_date: every date that a fact names, whatever year comes."""

from totes.star_schema import Calendar, date, integer, text

DIM_DATE = Calendar(
    name="dim_date",
    meaning="Every date that a fact names.",
    key="date_id",
    columns=(
        date("date_id", meaning="The date."),
        integer("year", meaning="Its year."),
        integer("month", meaning="Its month, 1 to 12."),
        integer("day", meaning="Its day of the month."),
        integer("day_of_week", meaning="Its day of the week: 1 is Monday, 7 is Sunday."),
        text("day_name", meaning="The name of the day of the week."),
        text("month_name", meaning="The name of the month."),
        integer("quarter", meaning="Its quarter, 1 to 4."),
    ),
)
