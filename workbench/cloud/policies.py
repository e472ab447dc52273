"""What policies say of an action on a resource, as IAM decides it.

A Deny outweighs every Allow, and what no statement allows is refused. Conditions are not evaluated; so that nothing
is allowed here that AWS may refuse, an Allow with a condition never holds and a Deny with one always does.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

_WILDCARDS = {"*": ".*", "?": "."}


@dataclass(frozen=True)
class Decision:
    """What policies come to.

    Attributes:
        allowed: whether the action is allowed.
        by: the resource, in the words of the statement that decides; empty: no statement does.
    """

    allowed: bool
    by: str


def decide(documents: Iterable[str], action: str, resource: str) -> Decision:
    """Decide on an action.

    Args:
        documents: the policies, each a JSON document; they decide together.
        action: such as "s3:GetObject".
        resource: its ARN; "*" where the action is about none.
    """
    decision = Decision(allowed=False, by="")
    for document in documents:
        for statement in _statements(document):
            covering = statement.covering(action, resource)
            if covering is not None and statement.denies:
                return Decision(allowed=False, by=covering)
            if covering is not None and not decision.allowed and not statement.conditional:
                decision = Decision(allowed=True, by=covering)
    return decision


@dataclass(frozen=True)
class _Words:
    """An Action or Resource, or a NotAction or NotResource."""

    patterns: tuple[str, ...]
    negated: bool
    flags: re.RegexFlag

    def covering(self, value: str) -> str | None:
        """The pattern that covers a value; None: it is not covered."""
        found = next((each for each in self.patterns if _compiled(each, self.flags).fullmatch(value)), None)
        if self.negated:
            return f"not {', '.join(self.patterns)}" if found is None else None
        return found


@dataclass(frozen=True)
class _Statement:
    denies: bool
    conditional: bool
    actions: _Words
    resources: _Words

    def covering(self, action: str, resource: str) -> str | None:
        return self.resources.covering(resource) if self.actions.covering(action) is not None else None


@lru_cache(maxsize=1024)
def _statements(document: str) -> tuple[_Statement, ...]:
    written = json.loads(document)["Statement"]
    return tuple(
        _Statement(
            denies=each["Effect"] == "Deny",
            conditional="Condition" in each,
            actions=_words(each, "Action", re.IGNORECASE),
            resources=_words(each, "Resource", re.NOFLAG),
        )
        for each in (written if isinstance(written, list) else [written])
    )


def _words(statement: Mapping[str, Any], element: str, flags: re.RegexFlag) -> _Words:
    negated = element not in statement
    written = statement[f"Not{element}" if negated else element]
    return _Words((written,) if isinstance(written, str) else tuple(written), negated, flags)


@cache
def _compiled(pattern: str, flags: re.RegexFlag) -> re.Pattern[str]:
    return re.compile("".join(_WILDCARDS.get(each) or re.escape(each) for each in pattern), flags | re.DOTALL)
