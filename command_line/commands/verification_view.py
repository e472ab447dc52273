"""What a person sees of a comparison of the warehouse with the source."""

from rich.table import Table

from command_line.commands import display
from command_line.verification import Verification
from command_line.visible import Text


def verdict(found: Verification) -> None:
    """Show what a verification found."""
    table = Table("star table", box=None, padding=(0, 1), header_style="dim")
    for heading in ("rows", "missing", "extra", "different", "in flight", "quarantined"):
        table.add_column(heading, justify="right")
    for name, star in found.tables.items():
        table.add_row(
            name,
            f"{star.rows:,}",
            display.alarming(star.missing),
            display.alarming(star.extra),
            display.alarming(star.different),
            f"{star.in_flight:,}",
            f"{star.quarantined:,}",
        )
    display.show(table)
    if not found.differences:
        display.done(f"the warehouse is what the source says: {found.rows:,} rows compared")
        return
    how = f"✗ {found.differences:,} of {found.rows:,} rows differ"
    remedy = "totes verify --repair repairs them"
    if found.stopped:
        remedy = f"a mass deletion stops every run: {found.stopped}"
    display.show(Text.assemble((how, "red"), display.complete(f"; {remedy}")))
    for name, star in found.tables.items():
        for kind, keys in star.examples.items():
            columns = f" in {', '.join(star.columns)}" if kind == "different" else ""
            display.show(Text(f"  {name}: {kind}{columns}: {', '.join(keys)}"))
