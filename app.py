"""The CDK app: reads which environment is meant, and makes its stacks."""

import aws_cdk as cdk

from stacks.checks import enforce_rules
from stacks.config import Environment
from stacks.data_stack import DataStack
from stacks.deployer_stack import DeployerStack, GitHub
from stacks.pipeline_stack import PipelineStack


def make_stacks(app: cdk.App, environment: Environment, github: GitHub | None = None) -> None:
    """Put an environment's stacks into an app, held to the rules; with a repository also the roles that deploy it."""
    data = DataStack(app, environment)
    PipelineStack(app, environment, data=data)
    if github:
        DeployerStack(app, environment, github=github)
    enforce_rules(app)


if __name__ == "__main__":
    app = cdk.App()
    make_stacks(app, Environment.named(app.node.try_get_context("env") or "dev"), GitHub.from_context(app.node))
    app.synth()
