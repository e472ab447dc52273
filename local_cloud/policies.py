"""What policies say of an action on a resource, as IAM decides it.

A Deny outweighs every Allow, and what no statement allows is refused. A condition is checked against the circumstances
where these matter, such as a service that asks a resource's own policy, and against tags where they are known. Where
they are not known, or the condition is of a kind that is not supported here, nothing is allowed that AWS may refuse: an
Allow then never applies, a Deny always does.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

_WILDCARDS = {"*": ".*", "?": "."}
_EXACT = ("StringEquals", "Bool")
_LIKE = ("StringLike", "ForAnyValue:StringLike", "ArnEquals", "ArnLike")  # of an ARN both take wildcards
_NOT_LIKE = ("StringNotLike",)  # also met where the key has no value
_IF_EXISTS = "IfExists"
_OF_TAGS = ("aws:resourcetag/", "aws:requesttag/", "ssm:resourcetag/")


@dataclass(frozen=True)
class Asker:
    """A service that asks something of a resource.

    Attributes:
        service: its principal, such as "cloudwatch.amazonaws.com".
        context: the circumstances, by condition key.
        kind: "Service", or "Federated" where it speaks for somebody who has signed in with it.
    """

    service: str
    context: Mapping[str, str]
    kind: str = "Service"


@dataclass(frozen=True)
class Decision:
    """The decision of policies.

    Attributes:
        allowed: whether the action is allowed.
        by: the resource, in the words of the statement that decides; empty: no statement does.
    """

    allowed: bool
    by: str


def decide(
    documents: Iterable[str],
    action: str,
    resource: str,
    asker: Asker | None = None,
    tags: Mapping[str, str] | None = None,
) -> Decision:
    """Decide on an action.

    Args:
        documents: the policies, each a JSON document; they decide together.
        action: such as "s3:GetObject".
        resource: its ARN; "*" where the action is about none.
        asker: who asks, where the policies are the resource's own; None: they are those of a role.
        tags: all that the resource has, and all that a role's request gives it, by condition key
            (aws:ResourceTag/KEY, aws:RequestTag/KEY); None: they are not known.
    """
    decision = Decision(allowed=False, by="")
    for document in documents:
        for statement in _statements(document):
            covering = statement.covering(action, resource)
            if covering is None or not statement.holds_for(asker, tags):
                continue
            if statement.denies:
                return Decision(allowed=False, by=covering)
            if not decision.allowed:
                decision = Decision(allowed=True, by=covering)
    return decision


def trusts(document: str, action: str, asker: Asker) -> bool:
    """Whether a role's trust policy lets it be assumed; such a policy names no resource, it is the role's own."""
    return decide([document], action, "*", asker).allowed


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
    principal: Any
    condition: Mapping[str, Mapping[str, Any]]
    actions: _Words
    resources: _Words

    def holds_for(self, asker: Asker | None, tags: Mapping[str, str] | None) -> bool:
        """Whether it is about who asks, and its condition is met."""
        return (asker is None or _names(self.principal, asker)) and all(
            self._is_met(operator, key, wanted, _known(key, asker, tags))
            for operator, keys in self.condition.items()
            for key, wanted in keys.items()
        )

    def _is_met(self, operator: str, key: str, wanted: Any, context: Mapping[str, str] | None) -> bool:
        kind = operator.removesuffix(_IF_EXISTS)
        if context is None or kind not in (*_EXACT, *_LIKE, *_NOT_LIKE):
            return self.denies
        said = next((value for name, value in context.items() if name.lower() == key.lower()), None)
        if said is None:
            return operator.endswith(_IF_EXISTS) or kind in _NOT_LIKE
        if kind in _EXACT:
            return said in _listed(wanted)
        is_like = any(_compiled(each, re.NOFLAG).fullmatch(said) for each in _listed(wanted))
        return is_like != (kind in _NOT_LIKE)

    def covering(self, action: str, resource: str) -> str | None:
        return self.resources.covering(resource) if self.actions.covering(action) is not None else None


@lru_cache(maxsize=1024)
def _statements(document: str) -> tuple[_Statement, ...]:
    written = json.loads(document)["Statement"]
    return tuple(
        _Statement(
            denies=each["Effect"] == "Deny",
            principal=each.get("Principal"),
            condition=each.get("Condition", {}),
            actions=_words(each, "Action", re.IGNORECASE),
            resources=_words({"Resource": "*", **each} if "NotResource" not in each else each, "Resource", re.NOFLAG),
        )
        for each in (written if isinstance(written, list) else [written])
    )


def _words(statement: Mapping[str, Any], element: str, flags: re.RegexFlag) -> _Words:
    negated = element not in statement
    return _Words(_listed(statement[f"Not{element}" if negated else element]), negated, flags)


def _listed(written: Any) -> tuple[str, ...]:
    return (written,) if isinstance(written, str) else tuple(written)


def _names(principal: Any, asker: Asker) -> bool:
    if principal in ("*", {"AWS": "*"}):
        return True
    return isinstance(principal, Mapping) and asker.service in _listed(principal.get(asker.kind, ()))


def _known(key: str, asker: Asker | None, tags: Mapping[str, str] | None) -> Mapping[str, str] | None:
    """The circumstances in which a condition's key has its value, or has none; None: that is not known."""
    if asker is not None:
        return asker.context
    return tags if key.lower().startswith(_OF_TAGS) else None


@cache
def _compiled(pattern: str, flags: re.RegexFlag) -> re.Pattern[str]:
    return re.compile("".join(_WILDCARDS.get(each) or re.escape(each) for each in pattern), flags | re.DOTALL)
