"""The demo: a shop is simulated, the stack deployed into a local cloud, and its runs are watched."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import local_cloud
from command_line.commands import display, interrupts, run_view, status_view
from command_line.commands.local import to_try
from command_line.commands.teardown import take_down
from command_line.dashboard import serving
from command_line.deployment import Deployment
from command_line.execution import RunResult
from command_line.execution import run as run_execution
from command_line.functions import ask
from command_line.status import status_of
from local_cloud import LocalCloud
from local_cloud.temporary import STATE, temporary_folder
from simulator import Shop, build, move_to_yesterday
from totes.errors import UserError

_HOME = Path(".totes")
_EVENTS_OF_A_TICK = 60
_EVENTS_A_SECOND = 3.0
_WRITERS = 2
_SECONDS_BETWEEN_RUNS = 5.0
"""The deployed schedule waits five minutes; whoever watches would not."""

_LOOK_INTO_IT = (
    "to look into it, use a cloud that stays: totes local up --detach, totes simulate --orders 1000 --for 0, "
    "totes run --local"
)
"""What to do about a failure: the demo's own cloud, with its logs, is removed when the demo ends."""


@dataclass(frozen=True)
class Demo:
    """A demo whose cloud is up and whose shop is open."""

    running: LocalCloud
    deployment: Deployment
    orders: int
    seed: int

    @classmethod
    @contextmanager
    def up(cls, *, orders: int, seed: int) -> Iterator["Demo"]:
        """Bring the cloud up and build the shop; at the end, also after an error, leave nothing behind."""
        with temporary_folder(_HOME, _show_removed) as folder:
            state = folder / STATE
            try:
                running = local_cloud.up(state, source=None, warehouse=None, say=display.step, ends_with_caller=True)
                with display.progress("Building a shop") as progress:
                    build(running.source_uri, orders=orders, seed=seed, progress=progress)
                move_to_yesterday(running.source_uri)
                display.done(f"the cloud is up and a shop with {orders:,} sales orders is open")
                deployment = Deployment.local(state)
                ask(deployment, "RatesFunction", {})  # its schedule is four times a day
                with serving(deployment.snapshots, 0) as address:
                    display.done(f"the dashboard is at {address}: open it and watch it move")
                    yield cls(running, deployment, orders, seed)
            finally:
                if state.exists():
                    take_down(state)

    def three_ticks(self) -> None:
        """Show the initial load, a tick with changes, an idle tick, and a summary.

        Raises:
            UserError: a run did not do what it should have.
        """
        started = time.monotonic()
        first = self._run("Initial load")
        events = Shop(self.running.source_uri, seed=self.seed).trade(_EVENTS_OF_A_TICK)
        display.done(f"the shop made {events}")
        second = self._run("A tick with changes")
        idle = self._run("An idle tick")
        if first.batch is None or second.batch is None or idle.batch is not None:
            raise UserError(f"the demo's ticks did not come out as expected; {_LOOK_INTO_IT}")
        status_view.show(status_of(self.deployment))
        display.done(f"three ticks in {time.monotonic() - started:.1f} s; the cloud goes down now and leaves nothing")

    def until_interrupted(self) -> None:
        """Let the shop live and run after run follow it, until Ctrl-C."""
        _show_demo(self.running, to_try(self.running.state))
        self._run("Initial load")
        stop = threading.Event()
        shop = threading.Thread(
            target=Shop(self.running.source_uri, seed=self.seed).live,
            args=(_EVENTS_A_SECOND, _WRITERS, stop, None),
            daemon=True,
        )
        shop.start()
        display.step(f"The shop lives on; a run begins {_SECONDS_BETWEEN_RUNS:g} s after the last one (Ctrl-C ends it)")
        try:
            with status_view.watching() as show:
                while True:
                    show(status_of(self.deployment), None)
                    time.sleep(_SECONDS_BETWEEN_RUNS)
                    self._run_quietly()
        except KeyboardInterrupt:
            interrupts.ignore_signals()
            display.console.print()
            display.step("Closing the shop and taking the cloud down")
        finally:
            stop.set()
            shop.join(timeout=10)

    def _run(self, title: str) -> RunResult:
        display.step(title)
        result = run_execution(self.deployment, run_view.state)
        run_view.result(result)
        return _succeeded(result)

    def _run_quietly(self) -> RunResult:
        return _succeeded(run_execution(self.deployment, run_view.silent))


def _show_removed(folder: Path, size: int) -> None:
    """Say which folder of an earlier demo was removed."""
    display.step(f"Removed {folder}, which a demo that was killed had left ({size / 1e6:,.0f} MB)")


def _show_demo(cloud: LocalCloud, commands: Sequence[str]) -> None:
    """Show where a demo's databases are, and what to try; the passwords are of no use when it has ended."""
    for name, value in (("source", cloud.source_uri), ("warehouse", cloud.warehouse_uri), ("folder", str(cloud.state))):
        display.show(f"    {name:<9} {value}", soft_wrap=True)
    display.step("To try, in another terminal:")
    for command in commands:
        display.show(f"    {command}", soft_wrap=True)


def _succeeded(result: RunResult) -> RunResult:
    if not result.succeeded:
        raise UserError(f"a run failed: {result.error}; {_LOOK_INTO_IT}")
    return result
