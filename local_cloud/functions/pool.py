"""All functions of a cloud: warm workers where there are, new ones where there are not."""

import threading
from collections import defaultdict
from pathlib import Path

from local_cloud.functions.forks import Forking
from local_cloud.functions.package import CodeStore, Package
from local_cloud.functions.runtime import Runtime, runtime
from local_cloud.functions.runtime_api import Answer
from local_cloud.functions.worker import Assume, Log, Surroundings, Worker
from local_cloud.network import Network
from local_cloud.processes import ProcessRegister


class Functions:
    """Runs functions, each invocation in a worker that does nothing else meanwhile.

    Args:
        directory: a folder of their own.
        layers: a folder of unpacked layers, which clouds share: what one function's interpreter has compiled there, no
            other compiles again.
        endpoint: of AWS, as a URL.
        processes: where every process is noted.
        log: where output goes.
        assume: gives a worker the credentials of its role.
        network: the network that some of them are in; None: there is none.
        runs_under: interpreter and runtime client (default: those of this program).
    """

    def __init__(
        self,
        directory: Path,
        *,
        layers: Path,
        endpoint: str,
        processes: ProcessRegister,
        log: Log,
        assume: Assume,
        network: Network | None = None,
        runs_under: Runtime | None = None,
    ) -> None:
        under = runs_under or runtime(directory / "runtime")
        self._forking = None if under.client is None else Forking(under.client)
        self._surroundings = Surroundings(
            endpoint=endpoint,
            runtime=under,
            forking=self._forking,
            codes=CodeStore(directory / "code"),
            layers=CodeStore(layers),
            processes=processes,
            log=log,
            assume=assume,
            scratch=directory / "workers",
            network=network,
        )
        self._lock = threading.Lock()
        self._idle: defaultdict[str, list[Worker]] = defaultdict(list)
        self._all: set[Worker] = set()
        self._closed = False

    def invoke(self, package: Package, event: bytes) -> Answer:
        """Run a function on an event, as it is deployed now.

        Args:
            package: the function.
            event: a JSON document.
        """
        worker = self._warm(package) or self._new(package)
        try:
            answer = worker.invoke(event)
        except BaseException:
            self._end(worker)
            raise
        self._return(worker)
        return answer

    def close(self) -> None:
        """End every worker, also one that is at work."""
        with self._lock:
            self._closed = True
            workers, self._all = self._all, set()
            self._idle.clear()
        for worker in workers:
            worker.stop()
        if self._forking is not None:
            self._forking.close()

    def _warm(self, package: Package) -> Worker | None:
        with self._lock:
            idle = self._idle[package.name]
            outdated = [worker for worker in idle if worker.package != package or not worker.is_alive]
            current = [worker for worker in idle if worker not in outdated]
            chosen = current.pop() if current else None
            self._idle[package.name] = current
        for worker in outdated:
            self._end(worker)
        return chosen

    def _new(self, package: Package) -> Worker:
        worker = Worker(package, self._surroundings)
        with self._lock:
            self._all.add(worker)
            closed = self._closed
        if closed:
            self._end(worker)
            raise RuntimeError("the local cloud is going down")
        return worker

    def _return(self, worker: Worker) -> None:
        if worker.is_alive:
            with self._lock:
                if not self._closed:
                    self._idle[worker.package.name].append(worker)
                    return
        self._end(worker)

    def _end(self, worker: Worker) -> None:
        with self._lock:
            ours = worker in self._all
            self._all.discard(worker)
        if ours:
            worker.stop()
