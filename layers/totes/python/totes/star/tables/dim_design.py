"""dim_design: the designs printed on totes."""

from totes.shapes import Dimension, integer, text

DIM_DESIGN = Dimension(
    name="dim_design",
    source="design",
    key="design_id",
    columns=(
        integer("design_id"),
        text("design_name"),
        text("file_location"),
        text("file_name"),
    ),
)
