"""The CDK app: reads which environment is asked for, and makes its stacks."""

import os

import aws_cdk as cdk
from constructs import Node

from stacks import config
from stacks.certificates import check_region
from stacks.checks import enforce_rules
from stacks.commit import name_commit
from stacks.constructs.handed_dashboard import HandedDashboard
from stacks.constructs.handed_data import HandedData
from stacks.constructs.handed_network import HandedNetwork
from stacks.dashboard_stack import DashboardStack, check_dashboard_region
from stacks.data_stack import DataStack
from stacks.deployer_stack import DeployerStack, GitHub
from stacks.environment import Environment
from stacks.network_stack import NetworkStack
from stacks.pipeline_stack import PipelineStack
from stacks.settings.databases import OwnDatabase
from stacks.settings.networks import check_zones
from stacks.watch_stack import WatchStack


def chosen_environment(node: Node) -> Environment:
    """The environment that the context asks for.

    Context:
        env: its name, with its suffix if it has one, such as dev-alice; dev by default.
        suffix: a word that is added to the name, for a second environment of its kind in an account.
        alarm_email: who gets its alarms, instead of the address in stacks/config.py.
        delete_data: "true" is the second key: what holds data is deleted with its stack.
        bounded: "true" limits its roles by its permissions boundary, as `bounded` in the configuration does.
        schedule: "true" enables its schedules, for a local cloud that fires them.
        target: "host" builds the functions for this machine, for a local cloud.

    Raises:
        ValueError: there is no such environment, it is protected and so keeps its data, or the suffix or address is not
            valid.
    """
    env = node.try_get_context("env")
    environment = config.named("dev" if env is None else str(env))
    if suffix := node.try_get_context("suffix"):
        environment = environment.suffixed(str(suffix))
    if address := node.try_get_context("alarm_email"):
        environment = environment.telling(str(address))
    if _is_true(node.try_get_context("delete_data")):
        environment = environment.deleting_data()
    if _is_true(node.try_get_context("bounded")):
        environment = environment.within_boundary()
    if _is_true(node.try_get_context("schedule")):
        environment = environment.on_schedule()
    if node.try_get_context("target") == "host":
        environment = environment.on_this_machine()
    return environment


def make_stacks(app: cdk.App, environment: Environment, github: GitHub | None = None) -> PipelineStack:
    """Put an environment's stacks into an app and check them by the rules; return the pipeline's.

    Args:
        app: the app.
        environment: whose stacks.
        github: the repository that gets roles to deploy them; None: none does.
    """
    network, data, dashboard = make_foundations(app, environment)
    pipeline = PipelineStack(app, environment, handed=data, network=network, dashboard=dashboard)
    watch = WatchStack(app, environment, warehouse=data.warehouse, pipeline=pipeline.watched)
    watch.add_stack_dependency(pipeline, "it watches what is there")
    if github:
        DeployerStack(app, environment, github=github)
    enforce_rules(app)
    return pipeline


def make_foundations(
    app: cdk.App, environment: Environment
) -> tuple[HandedNetwork | None, HandedData, HandedDashboard | None]:
    """Put the stacks into an app that an environment's pipeline needs, and return what they hand over to it."""
    network = None
    if environment.network is not None:
        network = NetworkStack(app, environment, network=environment.network).handed
    data = DataStack(app, environment, network=network).handed
    dashboard = DashboardStack(app, environment).handed if environment.dashboard else None
    return network, data, dashboard


def check_place(environment: Environment, account: str | None, region: str | None) -> None:
    """Check that an environment can be deployed to an account and a region, and belongs there.

    Args:
        environment: the environment.
        account: the account of the CLI's credentials; None: it is not known yet.
        region: the region of the CLI's credentials and settings; None: it is not known yet.

    Raises:
        ValueError: the environment has another account or region, or its network's zones are another region's; totes
            could not check the certificate of a warehouse of its own there, or the dashboard could not work there.
    """
    for what, its_own, found in (
        ("account", environment.account, account),
        ("region", environment.region, region),
    ):
        if its_own is not None and found is not None and its_own != found:
            raise ValueError(
                f"{environment.name} belongs to {what} {its_own} (stacks/config.py), and these credentials are for "
                f"{found}: it would be deployed a second time; check AWS_PROFILE and AWS_REGION"
            )
    if region is None:
        return
    if environment.network is not None:
        check_zones(environment.network, region)
    if isinstance(environment.warehouse, OwnDatabase):
        check_region(region)
    if environment.dashboard:
        check_dashboard_region(region)


def _is_true(value: object) -> bool:
    return value in (True, "true")


if __name__ == "__main__":
    app = cdk.App()
    environment = chosen_environment(app.node)
    check_place(environment, os.environ.get("CDK_DEFAULT_ACCOUNT"), os.environ.get("CDK_DEFAULT_REGION"))
    name_commit(make_stacks(app, environment, GitHub.from_context(app.node)))
    app.synth()
