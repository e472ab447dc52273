"""dim_design: the designs printed on totes."""

from totes.star_schema import Dimension, integer, text

DIM_DESIGN = Dimension(
    name="dim_design",
    meaning="The designs that are printed on bags.",
    source="design",
    key="design_id",
    columns=(
        integer("design_id", meaning="The design."),
        text("design_name", meaning="Its name."),
        text("file_location", meaning="The folder of its picture."),
        text("file_name", meaning="The file of its picture."),
    ),
)
