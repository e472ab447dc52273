"""The file of a view: what it asks or holds and what its columns mean, as comments, and its query."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from importlib.resources import files

_COLUMN = re.compile(r"([a-z_][a-z0-9_]*): (.+)")
_COMMENT = "--"
_FILE = ".sql"
_READS = re.compile(r"\breport\.([a-z_][a-z0-9_]*)")


@dataclass(frozen=True, kw_only=True)
class Question:
    """A view that answers a question, or that has the rows which answers are made of.

    Attributes:
        name: the view's name in schema `report`, and the file's.
        sentence: what is asked, and the definition of what is counted; or what the rows are.
        columns: what each column means, in their order.
        query: the query.
    """

    name: str
    sentence: str
    columns: Mapping[str, str]
    query: str

    @classmethod
    def from_text(cls, name: str, text: str) -> "Question":
        """Read a question's file.

        Raises:
            ValueError: it does not begin with a sentence and a line for each column.
        """
        comments = [line.removeprefix(_COMMENT).strip() for line in text.splitlines() if line.startswith(_COMMENT)]
        if "" not in comments:
            raise ValueError(
                f"{name}{_FILE} does not begin with a sentence, an empty comment and a line for each column"
            )
        end = comments.index("")
        columns = {}
        for line in comments[end + 1 :]:
            found = _COLUMN.fullmatch(line)
            if found is None:
                raise ValueError(f"{name}{_FILE}: the comment {line!r} is not a column, a colon and what it means")
            columns[found[1]] = found[2]
        query = "\n".join(line for line in text.splitlines() if not line.startswith(_COMMENT))
        return cls(name=name, sentence=" ".join(comments[:end]), columns=columns, query=query)

    @property
    def reads(self) -> frozenset[str]:
        """The other views that this one reads."""
        return frozenset(_READS.findall(self.query))


def views_of(folder: str) -> dict[str, Question]:
    """The views of a folder, by name."""
    texts = {
        file.name.removesuffix(_FILE): file.read_text(encoding="utf-8")
        for file in files("totes.report").joinpath(folder).iterdir()
        if file.name.endswith(_FILE)
    }
    return {name: Question.from_text(name, text) for name, text in sorted(texts.items())}


def by_dependency(views: Mapping[str, Question]) -> tuple[Question, ...]:
    """The views in an order in which each comes after those of them that it reads."""
    reads = {name: sorted(view.reads & views.keys()) for name, view in views.items()}
    return tuple(views[name] for name in TopologicalSorter(reads).static_order())
