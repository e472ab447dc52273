"""The CDK's names for a target."""

import functools

from aws_cdk import aws_lambda as lambda_

from stacks.target import Target


def runtime_of(target: Target) -> lambda_.Runtime:
    """The Lambda runtime of a target's Python."""
    return lambda_.Runtime(f"python{target.python}", lambda_.RuntimeFamily.PYTHON)


def architecture_of(target: Target) -> lambda_.Architecture:
    """The Lambda architecture of a target's machine."""
    return {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}[target.machine]


def is_newest(target: Target) -> bool:
    """Whether Lambda has no newer Python than the target's, as far as this CDK knows."""
    return _newest() == f"python{target.python}"


@functools.cache  # each property of each runtime is a message to Node: half of all messages of a synth
def _newest() -> str:
    pythons = (runtime.name for runtime in lambda_.Runtime.ALL if runtime.family == lambda_.RuntimeFamily.PYTHON)
    return max(pythons, key=lambda name: [int(number) for number in name.removeprefix("python").split(".")])
