"""totes simulate: a shop of any size, which lives on."""

import threading
from contextlib import nullcontext
from typing import Annotated

import typer

from command_line.commands import display, interrupts
from command_line.commands.target import DEFAULT_STATE, State
from local_cloud import LocalCloud, libpq
from local_cloud.databases import login, refuse_where_no_shop_is
from local_cloud.named_databases import verified
from simulator import MOST, Shop, build, move_to_yesterday


def simulate(
    source: Annotated[str | None, typer.Option(help="The database's URI (default: the local cloud's source).")] = None,
    state: State = None,
    orders: Annotated[
        int | None,
        typer.Option(min=1, max=MOST, help="Build the shop with so many sales orders first, in an empty database."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same shop; its last sale is of yesterday.")] = 1,
    rate: Annotated[float, typer.Option(min=0.0, help="Events a second that the shop then lives on with.")] = 2.0,
    writers: Annotated[int, typer.Option(min=1, help="Writers at once.")] = 2,
    seconds: Annotated[
        float | None, typer.Option("--for", min=0.0, help="Seconds to live on; 0: only build (default: until Ctrl-C).")
    ] = None,
) -> None:
    """Build a totesys database from nothing, and let the shop live on."""
    if source is not None:
        uri, theirs = source, True
    else:
        running = LocalCloud.attach(state or DEFAULT_STATE)
        uri, theirs = running.source_uri, "source" not in running.embedded
    with libpq.restored() if theirs else nullcontext():
        login(uri, "source")  # it says what is wrong with the way there
        with verified(uri, "source"):
            _simulate(uri, orders, seed, rate, writers, seconds)


def _simulate(uri: str, orders: int | None, seed: int, rate: float, writers: int, seconds: float | None) -> None:
    if orders is None:
        refuse_where_no_shop_is(uri)
    else:
        with display.progress("Building the shop") as progress:
            build(uri, orders=orders, seed=seed, progress=progress)
        move_to_yesterday(uri)
        display.done(f"a shop with {orders:,} sales orders")
    if seconds == 0 or rate == 0:
        return
    stop = threading.Event()
    display.done(f"the shop lives on: about {rate:g} events a second by {writers} writers (Ctrl-C ends it)")
    with interrupts.stopping(stop):
        counts = Shop(uri, seed=seed).live(rate, writers, stop, seconds)
    display.done(f"the shop made {counts}")
