"""Start a local cloud, stop it, take it down, or wait until somebody has."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from psycopg2.extensions import parse_dsn

from local_cloud import libpq, toolkit
from local_cloud.account import REGION
from local_cloud.cdk import Cdk
from local_cloud.cloud import LocalCloud, client, typed
from local_cloud.databases import are_one, identity, login, refuse_source
from local_cloud.folder import CLOUD, DATABASES, ENDPOINT, StateFolder
from local_cloud.inert_types import inert_types
from local_cloud.launch import Daemon, check_localhost
from local_cloud.origin import CloudOrigin
from local_cloud.stored_logins import SECRETS, store_logins, store_what_changed
from totes.errors import UserError

Say = Callable[[str], None]
"""Called with a short sentence at each step."""

_LOOK_SECONDS = 0.5


def up(
    state: Path,
    *,
    source: str | None,
    warehouse: str | None,
    say: Say,
    environment: str | None = None,
    ends_with_caller: bool = False,
    persistent: bool = False,
    scheduled: bool = False,
) -> LocalCloud:
    """Start a local cloud and deploy the stacks into it.

    A persistent one keeps its lake, its secrets and its databases in its folder. When it has stopped, for whatever
    reason, this continues it; what the caller does not say then is as it was before.

    Args:
        state: the folder for everything it makes; new, empty, or that of a local cloud which does not run.
        source: URI of the source; None: an empty database of an embedded PostgreSQL.
        warehouse: URI of the warehouse; None: likewise. A database that is named is neither altered nor dropped.
        say: called with a short sentence at each step.
        environment: whose stacks are deployed, built for this machine (default: local).
        ends_with_caller: whether the cloud ends when this process does, even by kill -9; its folder stays then, until
            `down`.
        persistent: whether it outlives its processes.
        scheduled: whether the stacks' schedules fire.

    Raises:
        UserError: a cloud runs in that folder already, it was made for something else, a database cannot be used, the
            deployment failed, or localhost is not 127.0.0.1.
    """
    check_localhost()
    mode = _Mode(ends_with_caller=ends_with_caller, persistent=persistent, scheduled=scheduled)
    folder = StateFolder(state)
    before = CloudOrigin.of(folder) if persistent and not folder.is_running else None
    named = {login_name: uri for login_name, uri in (("source", source), ("warehouse", warehouse)) if uri is not None}
    if before is not None:
        before.refuse_other_environment(environment, folder)
    origin, logins = _looked_at(folder, before, named, environment, say, persistent=persistent)
    lock = folder.claim(persistent=persistent)
    with folder.coming_up(lock):
        if persistent:
            _refuse_other_origin(folder, before)
        again = None if before is None else _named_otherwise(named, before)
        return _up(folder, lock, origin, logins, again, mode, say)


def stop(state: Path) -> None:
    """End a local cloud, with all that it has started; its folder stays, and `up` continues it.

    Raises:
        UserError: there is no cloud in that folder, or none that can be continued.
    """
    folder = StateFolder(state)
    if not folder.exists:
        raise UserError(f"no local cloud is up in {state}")
    if not folder.can_continue:
        raise UserError(f"the local cloud in {state} keeps nothing; {typed('down', state)} removes it")
    folder.forget(CLOUD)  # so that `wait` knows that this was intended
    folder.stop()


def down(state: Path) -> None:
    """End a local cloud, with all that it has started, and remove its folder; databases named by URI stay.

    What is left of a cloud that was killed is removed as well.

    Raises:
        UserError: there is no cloud in that folder.
    """
    folder = StateFolder(state)
    if not folder.exists:
        raise UserError(f"no local cloud is up in {state}")
    folder.forget(CLOUD)
    folder.remove()


def wait(state: Path) -> None:
    """Return when the cloud of a folder has been stopped or taken down.

    Raises:
        UserError: it has ended by itself; its folder is still there.
    """
    folder = StateFolder(state)
    while folder.is_running:
        time.sleep(_LOOK_SECONDS)
    if folder.read(CLOUD) is not None:
        how = f"{typed('up', state)} continues it, and " if folder.can_continue else ""
        raise UserError(
            f"the local cloud in {state} has stopped; what went wrong is in {folder.log}; {how}"
            f"{typed('down', state)} removes what is left"
        )


def _looked_at(
    folder: StateFolder,
    before: CloudOrigin | None,
    named: Mapping[str, str],
    environment: str | None,
    say: Say,
    *,
    persistent: bool,
) -> tuple[CloudOrigin, dict[str, dict[str, Any]]]:
    """Try the databases that are named; return what the cloud is made for, and the logins of these databases."""
    logins, identities = {}, {}
    with libpq.restored():
        # A continued cloud has the logins of the others in its secrets; those passwords may have changed since.
        for login_name, uri in named.items():
            say(f"Looking at the {login_name}")
            logins[login_name] = login(uri, login_name)
        # By the server's own word: one server has many names.
        if persistent or len(named) > 1:
            identities = {login_name: identity(uri, login_name) for login_name, uri in named.items()}
        if len(named) > 1 and are_one(named["source"], named["warehouse"]):
            raise UserError("source and warehouse are the same database; name another warehouse, to be written to")
        if "warehouse" in named:
            refuse_source(named["warehouse"])
    if before is None:
        return CloudOrigin(environment=environment or "local", named=named, identities=identities), logins
    before.refuse_other_databases(identities, folder)
    return replace(before, named={**before.named, **named}), logins


def _refuse_other_origin(folder: StateFolder, before: CloudOrigin | None) -> None:
    """Raise UserError if somebody stopped a cloud here, or took one down, after it was looked at."""
    if CloudOrigin.of(folder) != before:
        raise UserError(f"the local cloud in {folder.path} was stopped or taken down this moment; try again")


def _named_otherwise(named: Mapping[str, str], before: CloudOrigin) -> dict[str, str]:
    """The databases that are named by another login than before, each with its earlier user."""
    return {
        login_name: parse_dsn(before.named[login_name]).get("user", "")
        for login_name, uri in named.items()
        if uri != before.named[login_name]
    }


@dataclass(frozen=True, kw_only=True)
class _Mode:
    """How a cloud runs; see `up`."""

    ends_with_caller: bool
    persistent: bool
    scheduled: bool


def _up(
    folder: StateFolder,
    lock: int,
    origin: CloudOrigin,
    logins: Mapping[str, Mapping[str, Any]],
    named_again: Mapping[str, str] | None,
    mode: _Mode,
    say: Say,
) -> LocalCloud:
    embed = [login_name for login_name in SECRETS if login_name not in origin.named]
    what = "PostgreSQL and the AWS endpoint" if embed else "the AWS endpoint"
    say(f"Starting {what}" if named_again is None else f"Continuing the earlier cloud: starting {what}")
    daemon, endpoint, uris = _deploy(folder, lock, origin, embed, mode, say)
    cloud = LocalCloud(
        state=folder.path,
        endpoint=endpoint,
        source_uri=uris["source"],
        warehouse_uri=uris["warehouse"],
        environment=origin.environment,
        embedded=frozenset(embed),
        scheduled=mode.scheduled,
    )
    say("Storing the databases' logins")
    if named_again is None:
        store_logins(cloud, uris, logins)
    else:
        store_what_changed(cloud, uris, logins, named_again)
    if mode.persistent:
        origin.write(folder)
    _write_cloud(folder, cloud, daemon.pid, embed)
    if not mode.ends_with_caller:
        daemon.release()
    return cloud


def _deploy(
    folder: StateFolder, lock: int, origin: CloudOrigin, embed: Sequence[str], mode: _Mode, say: Say
) -> tuple[Daemon, str, Mapping[str, str]]:
    """Start the daemon and deploy the stacks, which are synthesised meanwhile.

    Returns:
        The daemon, the endpoint's URL, and the URIs of source and warehouse.
    """
    context = ("target=host", *(("schedule=true",) if mode.scheduled else ()))
    with Cdk(assembly=folder.assembly, log=folder.cdk_log, environment=origin.environment, context=context) as cdk:
        synthesis = cdk.synthesise()
        daemon = Daemon(folder, lock, embed, persistent=mode.persistent, scheduled=mode.scheduled)
        endpoint = daemon.await_document(ENDPOINT)["endpoint"]
        say("Bootstrapping the account")
        toolkit.bootstrap(client(endpoint, "cloudformation"))
        uris = {**origin.named, **(daemon.await_document(DATABASES) if embed else {})}
        say("Synthesising the stacks")
        synthesis.finish()
        toolkit.publish(client(endpoint, "s3"), folder.assembly)
        if recorded := inert_types(folder.assembly, scheduled=mode.scheduled):
            say(f"Deploying the stacks; these are only recorded here: {', '.join(recorded)}")
        else:
            say("Deploying the stacks")
        cdk.deploy(endpoint).finish()
    return daemon, endpoint, uris


def _write_cloud(folder: StateFolder, cloud: LocalCloud, pid: int, embed: Sequence[str]) -> None:
    """Write down how the cloud is reached; from now on it is up."""
    document = {
        "endpoint": cloud.endpoint,
        "region": REGION,
        "pid": pid,
        "environment": cloud.environment,
        "embedded": embed,
        "scheduled": cloud.scheduled,
        "source": cloud.source_uri,
        "warehouse": cloud.warehouse_uri,
    }
    folder.write(CLOUD, document)
