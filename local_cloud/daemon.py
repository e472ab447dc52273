"""The process that is the cloud: endpoint, functions and embedded PostgreSQL, until it has to end.

`python -m local_cloud.daemon --state DIR [--embed LOGIN]... [--owner FD] [--persistent] [--scheduled]`; `launch`
runs it and passes it the folder's lock.
"""

import argparse
import functools
import gc
import logging
import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import FrameType

import psycopg2

from local_cloud.aws_models import share_with_all
from local_cloud.cdk import PROJECT
from local_cloud.folder import CLOUD, DATABASES, ENDPOINT, StateFolder
from local_cloud.network import Network
from local_cloud.persistent_store import PersistentStore
from local_cloud.postgres import EmbeddedPostgres

_EMBEDDED = {"source": "totesys", "warehouse": "warehouse"}


def serve(
    folder: StateFolder,
    embed: Sequence[str],
    owner: int | None,
    *,
    persistent: bool = False,
    scheduled: bool = False,
) -> None:
    """Host a cloud, say in its folder when it is ready, and stay until SIGTERM or the end of its owner.

    Args:
        folder: of the cloud.
        embed: the databases ("source", "warehouse") that an embedded PostgreSQL holds.
        owner: file descriptor of a pipe whose other end closes when the owner ends; once the owner has written to it,
            the daemon outlives the owner. None: it has no owner.
        persistent: whether lake, secrets and databases outlive it, in the folder.
        scheduled: whether schedules fire.
    """
    told_to_end = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
        told_to_end.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    if owner is not None:
        threading.Thread(target=_end_with, args=(owner, told_to_end), daemon=True).start()
    server = EmbeddedPostgres(folder.postgres, survives_power_cut=persistent)
    store = PersistentStore(folder.store) if persistent else None
    with ThreadPoolExecutor(1) as helper:
        if embed:
            helper.submit(_start_databases, server, folder, embed, store)
        try:
            _host(folder, told_to_end, store, scheduled=scheduled)
        finally:
            helper.shutdown()
            server.stop()
            if store is not None:
                store.close()


def _host(folder: StateFolder, told_to_end: threading.Event, store: PersistentStore | None, *, scheduled: bool) -> None:
    share_with_all()
    # Imported here, for this takes two seconds in which PostgreSQL can start.
    from local_cloud.endpoint import Endpoint  # noqa: PLC0415
    from local_cloud.endpoint.authority import assume  # noqa: PLC0415
    from local_cloud.endpoint.invocations import write_log  # noqa: PLC0415
    from local_cloud.endpoint.scheduler import scheduler  # noqa: PLC0415
    from local_cloud.functions import Functions  # noqa: PLC0415

    endpoint = Endpoint(store)
    functions = Functions(
        folder.functions,
        layers=PROJECT / "build" / "unpacked",
        endpoint=endpoint.url,
        processes=folder.processes,
        log=write_log,
        assume=assume,
        network=Network(folder.path),
    )
    endpoint.run_functions_by(functions.invoke)
    endpoint.start()
    folder.write(ENDPOINT, {"endpoint": endpoint.url})
    if scheduled:  # once the cloud is up: a run before it has its logins would fail
        begin = functools.partial(folder.has, CLOUD)
        threading.Thread(target=scheduler().run, args=(begin, told_to_end), daemon=True).start()
    told_to_end.wait()
    functions.close()
    endpoint.stop()


def _end_with(owner: int, told_to_end: threading.Event) -> None:
    if not os.read(owner, 1):  # the owner is no more, and has not released it
        told_to_end.set()


def _start_databases(
    server: EmbeddedPostgres, folder: StateFolder, embed: Sequence[str], store: PersistentStore | None
) -> None:
    try:
        server.start(port=None if store is None else store.port)
        if store is not None:
            store.move(server.port)
        for login_name in embed:
            with suppress(psycopg2.errors.DuplicateDatabase):  # of the cloud that was here before
                server.create_database(_EMBEDDED[login_name])
    except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits to hear of it
        folder.write(DATABASES, {"error": str(error) or repr(error)})
    else:
        folder.write(DATABASES, {login_name: server.uri(_EMBEDDED[login_name]) for login_name in embed})


def main() -> None:
    """Serve the folder that the command line names."""
    parser = argparse.ArgumentParser(description="Host a local cloud.")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--embed", action="append", choices=list(_EMBEDDED), default=[])
    parser.add_argument("--owner", type=int)
    parser.add_argument("--persistent", action="store_true")
    parser.add_argument("--scheduled", action="store_true")
    arguments = parser.parse_args()
    # What moto knows of AWS is hundreds of thousands of objects that stay. To look for garbage among them after every
    # seven hundred new ones took a third of the start's time.
    gc.set_threshold(50_000, 20, 20)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # The result of an execution is in its history, and the interpreter logs each absent optional value as an error.
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)
    serve(
        StateFolder(arguments.state),
        arguments.embed,
        arguments.owner,
        persistent=arguments.persistent,
        scheduled=arguments.scheduled,
    )


if __name__ == "__main__":
    main()
