"""Synthesised templates, and what they say in words that a test can compare."""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from app import make_foundations, make_stacks
from stacks import config
from stacks.environment import Environment

ROOT = Path(__file__).parents[2]

ADDRESS = "data@shop.example"
"""Who gets production's alarms in the tests."""

UNPACKED = Path.home() / ".cache" / "aws" / "jsii" / "package-cache"
"""Where jsii unpacks the CDK, which takes it as long as a synth."""

Resource = dict[str, Any]


def environment_of(name: str) -> Environment:
    """The environment of a name; one that is protected has an address for its alarms, without which it has no synth."""
    environment = config.named(name)
    return environment.telling(ADDRESS) if environment.protected else environment


def production() -> Environment:
    """Production with an address for its alarms."""
    return environment_of("prod")


def new_app(folder: Path, *, validated: bool = True, **context: Any) -> cdk.App:
    """An app as the cdk CLI would make it, with the feature flags of cdk.json.

    Args:
        folder: what it is synthesised into.
        validated: whether the CDK itself looks at the templates too, which takes half of a synth.
        context: what else is in the app's context.
    """
    settings = json.loads((ROOT / "cdk.json").read_text())
    return cdk.App(
        outdir=str(folder), context={**settings["context"], **context}, builtin_cloud_formation_validation=validated
    )


def run_app(
    folder: Path, temporary: Path | None = None, /, *, region: str = "eu-west-2", **context: str
) -> subprocess.CompletedProcess[str]:
    """Run the app as the CLI does, in a process of its own, by the words of cdk.json.

    It has nothing of this one's but the path and the temporary folder, in which Node may keep what it compiles.
    """
    settings = json.loads((ROOT / "cdk.json").read_text())
    home = Path(tempfile.gettempdir()).parent / "home"
    home.mkdir(exist_ok=True)
    temporary = temporary or Path(tempfile.gettempdir())
    return subprocess.run(
        ["/bin/sh", "-c", settings["app"]],
        cwd=ROOT,
        env={
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
            "HOME": str(home),
            "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(UNPACKED),
            "TMPDIR": str(temporary),
            "NODE_COMPILE_CACHE": str(temporary / "compiled"),
            "PYTHONHASHSEED": "1",
            "CDK_DEFAULT_REGION": region,
            "CDK_VALIDATION": "false",
            "CDK_OUTDIR": str(folder),
            "CDK_CONTEXT_JSON": json.dumps({**settings["context"], **context}),
        },
        capture_output=True,
        text=True,
        check=False,
    )


@dataclass(frozen=True)
class Synthesised:
    """An environment's stacks.

    Attributes:
        name: the environment's.
        folder: the cloud assembly.
        templates: the stacks' templates, by their part.
    """

    name: str
    folder: Path
    templates: Mapping[str, dict[str, Any]]

    @property
    def pipeline(self) -> dict[str, Any]:
        """The pipeline's template."""
        return self.templates["pipeline"]

    def stack_properties(self, part: str) -> dict[str, Any]:
        """What the assembly tells the CLI of a stack."""
        manifest = json.loads((self.folder / "manifest.json").read_text())
        properties: dict[str, Any] = manifest["artifacts"][f"totes-{self.name}-{part}"]["properties"]
        return properties

    def resources(self, kind: str) -> dict[str, Resource]:
        """The resources of a type, in all stacks, by logical id."""
        return {
            logical_id: resource
            for template in self.templates.values()
            for logical_id, resource in template["Resources"].items()
            if resource["Type"] == kind
        }

    def function(self, name: str) -> Resource:
        """The properties of a function, by its own name."""
        full_name = f"totes-{self.name}-{name}"
        [found] = [
            each["Properties"]
            for each in self.resources("AWS::Lambda::Function").values()
            if each["Properties"]["FunctionName"] == full_name
        ]
        return dict(found)

    def said(self, value: Any) -> str:
        """A template's expression in words: references by their construct's name, what is taken in its giver's."""
        match value:
            case str():
                return value
            case {"Ref": name} if name.startswith("SsmParameterValue"):
                return self.said(self._handed_over(name))
            case {"Ref": name}:
                return f"<{_stem(name)}>"
            case {"Fn::GetAtt": [name, attribute]}:
                return f"<{_stem(name)}.{attribute}>"
            case {"Fn::Join": ["", parts]}:
                return "".join(self.said(part) for part in parts)
        raise AssertionError(f"no words for {value}")

    def _handed_over(self, taken: str) -> Any:
        """What a stack says of a value that another takes by a parameter in Systems Manager."""
        [name] = {
            template["Parameters"][taken]["Default"]
            for template in self.templates.values()
            if taken in template.get("Parameters", {})
        }
        [value] = [
            each["Properties"]["Value"]
            for each in self.resources("AWS::SSM::Parameter").values()
            if each["Properties"]["Name"] == name
        ]
        return value

    def permissions(self, role_arn: Any) -> set[tuple[str, str]]:
        """All that a role is allowed, as pairs of action and resource; conditions and denials are not expected."""
        role = self.role(role_arn)
        return {
            (action, self.said(resource))
            for policy in role["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
            for action in _as_list(statement["Action"])
            for resource in _as_list(statement["Resource"])
            if statement["Effect"] == "Allow"
        }

    def role(self, role_arn: Any) -> Resource:
        """The properties of the role that an ARN's expression names."""
        logical_id = role_arn["Fn::GetAtt"][0]
        return dict(self.resources("AWS::IAM::Role")[logical_id]["Properties"])

    def definition(self) -> dict[str, Any]:
        """The state machine's definition."""
        [machine] = self.resources("AWS::StepFunctions::StateMachine").values()
        definition: dict[str, Any] = json.loads(self.said(machine["Properties"]["DefinitionString"]))
        return definition


def synthesise(environment: Environment, store: Path) -> Synthesised:
    """Synthesise an environment's templates, without what is packed and without the CDK's own look.

    Args:
        environment: as the configuration would have it.
        store: a folder of its own, or one of all workers of a run: what one of them has synthesised, others take.
    """
    return _synthesised(environment, store / _fingerprint(environment), make_stacks, **_AS_IT_IS)


def synthesise_foundations(environment: Environment, store: Path) -> Synthesised:
    """Synthesise in the same way the stacks alone that the pipeline is made on, which takes a quarter of the time."""
    return _synthesised(environment, store / f"foundations-{_fingerprint(environment)}", make_foundations, **_AS_IT_IS)


def synthesised_once(environment: Environment, store: Path) -> Synthesised:
    """Synthesise an environment whole, unless another worker has.

    Args:
        environment: as nothing but its name tells it from others in the store.
        store: a folder of all workers of a run.
    """
    return _synthesised(environment, store / environment.name, make_stacks)


_AS_IT_IS: dict[str, Any] = {"validated": False, "aws:cdk:disable-asset-staging": True}


def _fingerprint(environment: Environment) -> str:
    return hashlib.sha256(repr(environment).encode()).hexdigest()


def _synthesised(
    environment: Environment, folder: Path, make: Callable[[cdk.App, Environment], object], **words: Any
) -> Synthesised:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = folder.with_suffix(".unfinished")
            app = new_app(unfinished, **words)
            make(app, environment)
            app.synth()
            unfinished.rename(folder)
    return _read(environment, folder)


def _read(environment: Environment, folder: Path) -> Synthesised:
    return Synthesised(
        name=environment.name,
        folder=folder,
        templates={
            file.name.removeprefix(f"totes-{environment.name}-").removesuffix(".template.json"): json.loads(
                file.read_text()
            )
            for file in folder.glob("*.template.json")
        },
    )


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _stem(logical_id: str) -> str:
    """A logical id without the hash that the CDK adds to it."""
    return logical_id if "::" in logical_id else logical_id[:-8]
