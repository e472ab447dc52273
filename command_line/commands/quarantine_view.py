"""What a person sees of the rows in quarantine."""

from collections.abc import Sequence

from rich.table import Table

from command_line.commands import display
from command_line.visible import Text
from totes.answers import QuarantinedRow


def rows(found: Sequence[QuarantinedRow]) -> None:
    """Show the rows that are in quarantine."""
    if not found:
        display.done("nothing is in quarantine")
        return
    table = Table("star table", box=None, padding=(0, 1), header_style="dim")
    table.add_column("key", justify="right")
    table.add_column("batch", justify="right")
    table.add_column("since (UTC)", no_wrap=True)
    table.add_column("reason")
    for each in found:
        table.add_row(
            each.star_table, str(each.key), str(each.batch), f"{each.captured_at:%Y-%m-%d %H:%M}", Text(each.reason)
        )
    display.show(table)


def row(stays: Sequence[QuarantinedRow]) -> None:
    """Show one row's stays in quarantine, and all its values at the newest."""
    for stay in stays:
        end = "in quarantine still" if stay.resolved_by is None else f"resolved by batch {stay.resolved_by}"
        display.show(Text(f"batch {stay.batch}, {stay.captured_at:%Y-%m-%d %H:%M} UTC, {end}:", style="dim"))
        display.show(Text(f"  {stay.reason}"))
    table = Table("source column", "value", box=None, padding=(0, 1), header_style="dim")
    for name, text in stays[0].source_row.items():
        table.add_row(Text(name), Text("NULL", style="dim") if text is None else Text(text))
    display.show(table)
