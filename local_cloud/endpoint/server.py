"""The server: moto, patched, on a free port of localhost."""

import functools
import os
import threading

from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from local_cloud.endpoint import (
    alarms,
    asynchronous,
    authority,
    buckets,
    catalogs,
    databases,
    distributed_maps,
    distributions,
    exchange_rates,
    forgetting,
    histories,
    identity_pools,
    instances,
    interpreter,
    invocations,
    lambdas,
    listings,
    metrics,
    networks,
    persistence,
    public_access,
    queues,
    quotas,
    resources,
    roles,
    rotations,
    scheduler,
    secrets,
    security_groups,
    sessions,
    sleeping,
    stacks,
    state_machines,
    subnets,
    this_machine,
    topics,
    user_pools,
    ways_out,
)
from local_cloud.persistent_store import PersistentStore

_CORRECTED = (
    *(alarms, authority, buckets, instances, interpreter, lambdas, metrics, networks, quotas, roles, rotations),
    *(state_machines, histories, listings, secrets, security_groups, sessions, topics, ways_out, user_pools),
    *(identity_pools, distributed_maps, stacks, subnets, public_access, forgetting),
)

_WITH_TYPES = (
    *(alarms, asynchronous, buckets, catalogs, databases, distributions, identity_pools, queues, scheduler),
    *(secrets, security_groups, subnets, topics, user_pools, ways_out),
)
"""Each has types of resources, its MODELS."""

_HOSTS = 1024
"""Of which moto's answer is kept whose they are; there are a dozen."""


class Endpoint:
    """An AWS endpoint in this process; there can be one a process, since moto keeps its state in its modules.

    Attributes:
        url: where clients reach it. It says localhost: of 127.0.0.1 moto would take the first part for a bucket.
    """

    def __init__(self, store: PersistentStore | None) -> None:
        """Patch moto; it does not answer yet.

        Args:
            store: where what outlives the process is kept; None: nothing does.
        """
        default_user_config["lambda"] = {"use_docker": False}
        default_user_config["stepfunctions"] = {"execute_state_machine": True}
        for each in _CORRECTED:
            each.install()
        resources.install(model for each in _WITH_TYPES for model in each.MODELS)
        if store is not None:
            persistence.install(store)
        application = DomainDispatcherApplication(create_backend_app)
        # It lists a folder and tries two hundred patterns, each request: a host's answer never changes.
        application.get_backend_for_host = functools.lru_cache(_HOSTS)(application.get_backend_for_host)
        served = this_machine.ForThisMachine(exchange_rates.WithExchangeRates(application))
        self._server = make_server("127.0.0.1", 0, served, threaded=True, request_handler=_QuietHandler)
        self.url = f"http://localhost:{self._server.server_port}"
        os.environ["MOTO_PORT"] = str(self._server.server_port)  # where the state machines' interpreter calls

    def run_functions_by(self, invoke: invocations.Invoke) -> None:
        """Let functions be invoked.

        Args:
            invoke: runs a package on an event.
        """
        invocations.install(invoke)
        asynchronous.install()
        sleeping.install()

    def start(self) -> None:
        """Serve, in threads."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


class _QuietHandler(MotoRequestHandler):  # type: ignore[misc] # moto has no types
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of a request that went well or was refused: a client hears of it itself."""
