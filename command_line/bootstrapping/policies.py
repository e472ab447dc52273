"""The policies of CloudFormation's role, and the boundary of the roles that it makes, from templates."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from command_line.bootstrapping.needs import (
    COMMON,
    LOG_GROUPS,
    MASTER_BY_TAG,
    NEEDS,
    OWN_BY_TAG,
    OWN_SECRETS,
    PROPERTY,
    QUEUE,
    ROLES,
    SECRETS_OF_RDS,
    STATE_MACHINE,
    Need,
)
from totes.errors import UserError

MOST_CHARACTERS = 6144
"""What a managed policy may hold: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""

_MOST_POLICIES = 10
"""How many of them a role may have."""

_WITHIN: Mapping[str, tuple[str, ...]] = {
    "lambda": ("arn:*:lambda:*:*:function:{name}-*",),
    "logs": tuple(f"{group}:*" for group in LOG_GROUPS),
    "s3": ("arn:*:s3:::{name}-*",),
    "sqs": QUEUE,
    "states": (*STATE_MACHINE, *(f"arn:*:states:*:*:execution:{{name}}{mark}*" for mark in ":/")),
}
"""The resources of an environment that its roles use, by service; of the secrets each has a name of its own."""

Statement = dict[str, Any]
_Condition = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Policy:
    """A managed policy.

    Attributes:
        name: what it is to be called; the templates name the boundary so.
        statements: what it says.
    """

    name: str
    statements: Sequence[Statement]

    @property
    def document(self) -> str:
        """It as JSON, without a blank more than is needed."""
        return _compact({"Version": "2012-10-17", "Statement": list(self.statements)})


@dataclass(frozen=True)
class _Names:
    """How an environment calls its resources."""

    environment: str

    @property
    def name(self) -> str:
        """What the names begin with."""
        return f"totes-{self.environment}"

    def in_(self, words: str, logical_id: str = "") -> str:
        """Words of `needs` with the names in them."""
        return words.format(name=self.name, env=self.environment, id=logical_id)

    def under(self, condition: _Condition) -> _Condition:
        """A condition of `needs` with the names in its values."""
        return {operator: {key: self.in_(value) for key, value in keys.items()} for operator, keys in condition.items()}


@dataclass(frozen=True)
class _Place:
    """Resources that roles may use, and under which condition."""

    on: tuple[str, ...]
    condition: _Condition = field(default_factory=dict)


def policies(templates: Path, environment: str) -> list[Policy]:
    """What CloudFormation has to be allowed to make, change and delete what templates hold.

    Its roles may be made with the boundary only, may be passed to the services that they trust, and the roles by which
    GitHub deploys are not touched.

    Args:
        templates: the folder of the cloud assembly.
        environment: whose they are.

    Raises:
        UserError: a type of resource is not known, or it takes more policies than a role may have.
    """
    names, resources = _Names(environment), list(_resources(templates))
    if unknown := sorted({kind for _, kind, _ in resources} - NEEDS.keys()):
        raise UserError(
            f"it is not known what CloudFormation needs for {', '.join(unknown)}; write it down in "
            "command_line/bootstrapping/needs.py"
        )
    needed: list[tuple[Need, str, Mapping[str, Any]]] = [(need, "", {}) for need in COMMON]
    needed += [(need, logical_id, said) for logical_id, kind, said in resources for need in NEEDS[kind]]
    statements = [*_merged(_placed(needed, names)), *_passed(resources, names), _left_alone()]
    parts = list(_packed(statements))
    if len(parts) > _MOST_POLICIES:
        raise UserError(
            f"{environment} takes {len(parts)} policies, and a role has {_MOST_POLICIES} at most; leave out of "
            "stacks/config.py what it does not need"
        )
    return [Policy(f"{names.name}-cloudformation-{number}", part) for number, part in enumerate(parts, 1)]


def boundary(templates: Path, environment: str) -> Policy:
    """What the roles of templates may do at most: all of what each of them does, on resources of the environment.

    Args:
        templates: the folder of the cloud assembly.
        environment: whose they are.

    Raises:
        UserError: a role does something of which it is not known where that may be, or it is too much for one policy.
    """
    names, resources = _Names(environment), list(_resources(templates))
    secrets = [
        names.in_(on, each)
        for each, kind, _ in resources
        if kind == "AWS::SecretsManager::Secret"
        for on in OWN_SECRETS
    ]
    within = {service: [_Place(tuple(names.in_(each) for each in on))] for service, on in _WITHIN.items()}
    within["secretsmanager"] = [
        _Place(tuple(secrets), names.under(OWN_BY_TAG)),
        _Place((SECRETS_OF_RDS,), names.under(MASTER_BY_TAG)),
    ]
    allowed = [
        Need(actions=(action,), on=place.on, condition=place.condition)
        for _, kind, said in resources
        if kind == "AWS::IAM::Role"
        for policy in said.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
        for place in _where(action, resource, within)
        if place.on  # where all logins are given, there is no secret of totes' own
    ]
    policy = Policy(f"{names.name}-boundary", [*_merged(allowed), _of_a_suffix(names)])
    if len(policy.document) > MOST_CHARACTERS:
        raise UserError(
            f"the boundary of {environment} has more than the {MOST_CHARACTERS} characters of a policy; "
            "say bounded=False in stacks/config.py"
        )
    return policy


def _resources(templates: Path) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Logical id, type and properties of each resource."""
    for template in sorted(templates.glob("*.template.json")):
        for logical_id, resource in json.loads(template.read_text(encoding="utf-8"))["Resources"].items():
            yield logical_id, resource["Type"], resource.get("Properties", {})


def _placed(needed: Iterable[tuple[Need, str, Mapping[str, Any]]], names: "_Names") -> Iterator[Need]:
    for need, logical_id, said in needed:
        on = [
            said.get(each.removeprefix(PROPERTY)) if each.startswith(PROPERTY) else names.in_(each, logical_id)
            for each in need.on
        ]
        if resources := tuple(each for each in on if isinstance(each, str)):
            yield Need(actions=need.actions, on=resources, condition=names.under(need.condition))


def _merged(needs: Iterable[Need]) -> Iterator[Statement]:
    """As few statements as there are different resources, or different actions, under different conditions."""
    where: dict[tuple[str, str], set[str]] = {}
    for need in needs:
        for action in need.actions:
            where.setdefault((action, _compact(need.condition)), set()).update(need.on)
    together: dict[tuple[str, ...], set[str]] = {}
    for (action, condition), on in where.items():
        together.setdefault((condition, *sorted({"*"} if "*" in on else on)), set()).add(action)
    for (condition, *places), actions in sorted(together.items()):
        yield _statement("Allow", sorted(actions), places, json.loads(condition))


def _passed(resources: Iterable[tuple[str, str, Mapping[str, Any]]], names: "_Names") -> Iterator[Statement]:
    services = {
        service
        for _, kind, said in resources
        if kind == "AWS::IAM::Role"
        for statement in said["AssumeRolePolicyDocument"]["Statement"]
        for service in _assuming(statement["Principal"])
    }
    if services:
        condition = {"StringEquals": {"iam:PassedToService": sorted(services)}}
        yield _statement("Allow", ["iam:PassRole"], [names.in_(each) for each in ROLES], condition)


def _assuming(principal: Mapping[str, Any]) -> Iterator[str]:
    """The services that a trust policy names, also the one that speaks for who has signed in; no provider's ARN."""
    for word in ("Service", "Federated"):
        yield from (each for each in _listed(principal.get(word, [])) if str(each).endswith(".amazonaws.com"))


def _left_alone() -> Statement:
    """GitHub's roles, of every environment: the names of a second one begin as those of the first."""
    roles = [f"arn:*:iam::*:role/totes-*-{each}" for each in ("deploy", "diff")]
    return _statement("Deny", ["iam:*"], roles, {})


def _of_a_suffix(names: "_Names") -> Statement:
    """The functions of dev-alice and their logs, whose names begin as those of dev.

    A function's own part of its name has no dash. Of a log group nothing can be told without a log stream: in a pattern
    that ends with the group's name, the dash might be that of ":log-stream:".

    This is for the boundary alone: environments of one account share CloudFormation's role, with the policies of each.
    """
    on = ("lambda:*:*:function:{name}-*-*", "logs:*:*:log-group:/aws/lambda/{name}-*-*:log-stream:*")
    return _statement("Deny", ["lambda:*", "logs:*"], [names.in_(f"arn:*:{each}") for each in on], {})


def _where(action: str, resource: Any, within: Mapping[str, Sequence[_Place]]) -> Sequence[_Place]:
    if isinstance(resource, str):
        return [_Place((resource,))]
    service = action.partition(":")[0]
    if service not in within:
        raise UserError(f"it is not known on what a role may do {action}; write it down in {__name__}")
    return within[service]


def _statement(effect: str, actions: Sequence[str], on: Sequence[str], condition: Mapping[str, Any]) -> Statement:
    said = {"Effect": effect, "Action": list(actions), "Resource": list(on)}
    return {**said, "Condition": dict(condition)} if condition else said


def _packed(statements: Iterable[Statement]) -> Iterator[list[Statement]]:
    """Statements in order, as many together as a policy may hold."""
    part: list[Statement] = []
    for statement in statements:
        if part and len(Policy("", [*part, statement]).document) > MOST_CHARACTERS:
            yield part
            part = []
        part.append(statement)
    if part:
        yield part


def _listed(words: Any) -> list[Any]:
    return words if isinstance(words, list) else [words]


def _compact(document: Any) -> str:
    return json.dumps(document, separators=(",", ":"), sort_keys=True)
