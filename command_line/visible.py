"""Words as they are shown, wherever they come from: none of them is an order to the terminal.

A row's values, a table's name and a database's sentence reach the person's terminal, which obeys an escape sequence
wherever it comes from: one could clear the screen and write that all is well.
"""

import re
from typing import Any

import rich.console
import rich.text

_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""The control characters of ASCII and of Latin-1, but not the two that only arrange what is read: line feed and tab.
And Unicode's marks of direction, by which what is read is not what is written (https://www.unicode.org/reports/tr9/).
"""

_BEYOND_LATIN_1 = 0x100


def visible(words: str) -> str:
    r"""Return words in which what a terminal would obey is written as an escape, such as \x1b or \u202e."""
    return _OBEYED.sub(_escaped, words)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < _BEYOND_LATIN_1 else f"\\u{code:04x}"


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
