"""Words as they are shown, wherever they come from: none of them is an order to the terminal.

A row's values, a table's name and a database's sentence reach the person's terminal, which obeys an escape sequence
wherever it comes from: one could clear the screen and write that all is well.
"""

import re
from typing import Any

import rich.console
import rich.text

_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""The control characters of ASCII and of Latin-1, but not the two that only arrange what is read: line feed and tab."""


def visible(words: str) -> str:
    r"""Return words in which what a terminal would obey is written as an escape, such as \x1b."""
    return _OBEYED.sub(lambda found: f"\\x{ord(found[0]):02x}", words)


class Text(rich.text.Text):
    """Rich's text, of visible words."""

    def __init__(self, text: str = "", *style: Any, **how: Any) -> None:
        super().__init__(visible(text), *style, **how)

    def append(self, text: rich.text.Text | str, style: Any = None) -> rich.text.Text:
        """Append visible words, or a text."""
        return super().append(visible(text) if isinstance(text, str) else text, style)


class Console(rich.console.Console):
    """Rich's console, on which words that are no text, such as a table's cells, are visible too."""

    def render_str(self, text: str, **how: Any) -> rich.text.Text:
        """Return visible words as a text."""
        return super().render_str(visible(text), **how)
