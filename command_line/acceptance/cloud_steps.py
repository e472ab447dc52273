"""The steps that make, and take away, what is in the account."""

import time
from pathlib import Path

from command_line.acceptance.leftovers import delete_bucket
from command_line.acceptance.stage import Stage
from costs import estimate, read_resources
from local_cloud.cdk import TOOLKIT
from totes.errors import UserError

_DIRECTLY = ("--method", "direct")
"""Nobody looks at the change set of what is new, and to wait for it takes time."""

_HOLDS_DATA = ("s3", "secretsmanager:secret", "rds:db", "rds:snapshot")
_GONE_SECONDS = 15 * 60.0
"""For how long AWS may go on listing by its tags what is gone."""
_LOOK_SECONDS = 15.0


def look(stage: Stage) -> None:
    """Check that account and source hold nothing of the environment's name that others have made."""
    there = sorted({*stage.stacks, *stage.left.found()})
    stage.check(
        not there,
        f"{stage.account.name} has something of an environment {stage.environment}, and this run has not made it: "
        f"{', '.join(there)}. Choose another name (SUFFIX=word), or, if it is of an acceptance run whose record is "
        "lost, take it away by hand (docs/acceptance.md)",
    )
    tables = stage.source.tables()
    stage.check(not tables, f"the source at {stage.source.place} is not empty: it has {', '.join(sorted(tables))}")
    stage.record.note("source", stage.source.place)


def bootstrap(stage: Stage) -> None:
    """Bootstrap the account, unless it is bootstrapped: other environments depend on what is there."""
    if _toolkit(stage) and not stage.record.fact("bootstrapped"):
        stage.say(f"{stage.account.name} is bootstrapped already; that is left alone")
        return
    stage.record.note("bootstrapped", "by this run")
    place = f"aws://{stage.account.number}/{stage.account.region}"
    stage.shell.cdk("bootstrap", place, "--qualifier", "totes", "--toolkit-stack-name", TOOLKIT)


def check_bootstrapped(stage: Stage) -> None:
    """Check that it is."""
    stage.check(_toolkit(stage), f"there is no stack {TOOLKIT}")


def undo_bootstrap(stage: Stage) -> None:
    """Remove the toolkit if this run has made it and nobody else has deployed with it since."""
    if not stage.record.fact("bootstrapped"):
        return
    cloudformation = stage.account.client("cloudformation")
    stacks = [
        stack["StackName"]
        for page in stage.account.pages("cloudformation", "describe_stacks")
        for stack in page["Stacks"]
    ]
    if others := [name for name in stacks if name.startswith("totes-") and name != TOOLKIT]:
        stage.say(f"{TOOLKIT} stays, for others were deployed by it: {', '.join(others)}")
        return
    if TOOLKIT in stacks:
        cloudformation.delete_stack(StackName=TOOLKIT)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=TOOLKIT)
    bucket = f"cdk-totes-assets-{stage.account.number}-{stage.account.region}"
    if bucket in {each["Name"] for each in stage.account.client("s3").list_buckets()["Buckets"]}:
        delete_bucket(stage.account, bucket)


def deploy(stage: Stage) -> None:
    """Deploy the stacks."""
    assembly = stage.shell.assembly()
    _price(stage, assembly)
    _deploy(stage, assembly)
    stage.account.databases_are_there(stage.environment)
    stage.record.note("stacks", [stack["StackId"] for stack in stage.stacks.values()])


def take_away_keeping_data(stage: Stage) -> None:
    """Destroy the stacks without delete_data=true, so that their data stays."""
    assembly = stage.shell.assembly()
    protected = stage.protected(assembly)
    if protected:
        _check_refused(stage, assembly)
    _destroy(stage, assembly, protected)
    stage.record.note("stayed", _data(stage))


def check_data_stayed(stage: Stage) -> None:
    """Check that the stacks are gone, and that lake and logins are not."""
    stage.check_gone()
    buckets, secrets = stage.left.of("s3"), stage.left.of("secretsmanager:secret")
    stage.check(len(buckets) >= 2, f"the lake has not outlived its stack: {buckets}")  # noqa: PLR2004 - two buckets
    stage.check(len(secrets) >= 3, f"the logins have not outlived their stack: {secrets}")  # noqa: PLR2004 - three


def deploy_again(stage: Stage) -> None:
    """Deploy beside what has stayed, and fill the new warehouse."""
    deploy(stage)
    stage.init()
    stage.shell.totes("run", "--json")


def check_deployed_again(stage: Stage) -> None:
    """Check that the lake is a new one, and that the warehouse holds what the source says."""
    stage.check_deployed()
    stayed, there = set(stage.record.fact("stayed")), set(_data(stage))
    stage.check(stayed < there, f"of what had stayed this is gone: {', '.join(sorted(stayed - there))}")
    stage.check_equal()


def take_away_for_good(stage: Stage) -> None:
    """Destroy the stacks, with their data unless the environment is protected."""
    assembly = stage.shell.assembly()
    protected = stage.protected(assembly)
    if not protected and stage.stacks:
        assembly = stage.shell.assembly("delete_data=true")
        _deploy(stage, assembly)
    _destroy(stage, assembly, protected)
    if not protected:
        new = set(_data(stage)) - set(stage.record.fact("stayed"))
        stage.check(not new, f"both keys were turned, and this has stayed: {', '.join(sorted(new))}")


def undo_deployment(stage: Stage) -> None:
    """Take away what there is of the environment, its data too."""
    if stage.stacks:
        assembly = stage.shell.assembly()
        _destroy(stage, assembly, stage.protected(assembly))
    stage.left.delete()


def check_nothing_left(stage: Stage) -> None:
    """Check that the account holds nothing more of the environment, and the source no table and no role."""
    deadline = time.monotonic() + (0.0 if stage.account.local else _GONE_SECONDS)
    while (found := [*stage.stacks, *stage.left.found()]) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    stage.check(not found, f"this is left in {stage.account.name}: {', '.join(sorted(found))}")
    stage.check(not stage.source.has_shop, f"the shop is left in the source at {stage.source.place}")


def _toolkit(stage: Stage) -> bool:
    pages = stage.account.pages("cloudformation", "describe_stacks")
    return any(stack["StackName"] == TOOLKIT for page in pages for stack in page["Stacks"])


def _deploy(stage: Stage, assembly: Path) -> None:
    how = () if stage.stacks else _DIRECTLY
    stage.shell.cdk("deploy", "--all", "--app", str(assembly), "--require-approval", "never", *how)


def _price(stage: Stage, assembly: Path) -> None:
    """Note what a month of the environment costs, as `totes costs` works it out from its templates."""
    stage.record.note("usd a month", str(estimate(read_resources(assembly)).usd))


def _check_refused(stage: Stage, assembly: Path) -> None:
    """Check that one command does not destroy a protected environment; an earlier attempt may have unprotected it."""
    if not any(stack.get("EnableTerminationProtection") for stack in stage.stacks.values()):
        return
    refused = stage.shell.try_cdk("destroy", "--all", "--force", "--app", str(assembly))
    if refused.code == 0 or "TerminationProtection is enabled" not in refused.out + refused.err:
        raise UserError(f"{stage.environment} is protected, and its stacks were not refused to be deleted")


def _refuse_strangers(stage: Stage) -> None:
    """Raise UserError if somebody has deployed stacks of these names since this run's were whole."""
    under_way = any(stage.record.is_under_way(step) for step in ("deploy", "deploy again"))
    known = set(stage.record.fact("stacks", ()))
    strangers = [name for name, stack in stage.stacks.items() if stack["StackId"] not in known]
    if known and strangers and not under_way:
        raise UserError(f"this run has not made {', '.join(strangers)}, and so does not take it away")


def _destroy(stage: Stage, assembly: Path, protected: list[str]) -> None:
    """Destroy all stacks; of a protected environment first the warehouse, which keeps the network from going."""
    _refuse_strangers(stage)
    if protected:
        cloudformation = stage.account.client("cloudformation")
        for name in stage.stacks:
            cloudformation.update_termination_protection(StackName=name, EnableTerminationProtection=False)
        stage.shell.cdk("destroy", stage.stack("data"), "--force", "--app", str(assembly))
        stage.left.delete_databases()
    stage.shell.cdk("destroy", "--all", "--force", "--app", str(assembly))


def _data(stage: Stage) -> list[str]:
    return [arn for kind in _HOLDS_DATA for arn in stage.left.of(kind)]
