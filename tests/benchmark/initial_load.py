"""How long the initial load takes through the deployed stack, against psql's own COPY of the same rows, in one run.

And what a tick costs after it: one without changes, one of ten thousand, and one that has a delete to find in the
largest table.

    make bench ORDERS=1000000

The figures are whole invocations as Lambda would bill them: connecting, reading, writing and all. psql's are whole
processes: it writes CSV of the source's tables to a file, and reads CSV of the warehouse's tables into bare copies of
them, one after the other, on the same server. A reload is what a shop without totes would do instead: the source's
tables go by COPY over two connections at once into bare tables of the warehouse.
"""

import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from psycopg2.extensions import parse_dsn

import local_cloud
from command_line.commands import display
from command_line.deployment import Deployment
from command_line.execution import run
from command_line.logs import log_lines
from local_cloud import LocalCloud
from local_cloud.postgres import EmbeddedPostgres
from simulator import build
from totes.capture import SOURCE_TABLES
from totes.errors import UserError
from totes.star import STAR_TABLES

FUNCTIONS = ("raw_data_to_ingestion_bucket", "ingestion_to_processed_bucket", "processed_bucket_to_warehouse")
REPORT = re.compile(r"REPORT .*?Duration: ([\d.]+) ms.*Max Memory Used: (\d+) MB")


def main(orders: int) -> None:
    """Build a shop, load it, copy it with psql, and print what each took."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        running = local_cloud.up(state, source=None, warehouse=None, progress=display.step)
        try:
            build(running.source_uri, orders=orders, seed=1)
            reload = reload_by_copy(running)
            out = psql_copies_out(running, Path(folder))
            deployment = Deployment.local(state)
            result = run(deployment, display.state)
            if not result.succeeded:
                raise UserError(f"the run failed: {result.error}")
            back = psql_copies_in(running, Path(folder))
            figures = [reported(deployment, function) for function in FUNCTIONS]
            ticks = {
                "nothing has changed": tick(deployment, running, "SELECT"),
                "10,000 payments are paid": tick(
                    deployment, running, "UPDATE payment SET paid = NOT paid WHERE payment_id <= 10000"
                ),
                "a payment is deleted": tick(deployment, running, "DELETE FROM payment WHERE payment_id = 7"),
            }
        finally:
            local_cloud.down(state)
    rows = sum(counts["rows_in"] for counts in result.tables.values())
    print(f"\n{orders:,} sales orders: {rows:,} star rows in {result.seconds:.1f} s")
    functions = sum(seconds for seconds, _memory in figures)
    print(f"the functions took {functions:.1f} s, {functions / reload:.2f} of a reload by COPY ({reload:.1f} s)\n")
    print(f"{'':32}{'seconds':>9}{'memory':>10}{'against psql COPY':>20}")
    for function, (seconds, memory), reference in zip(FUNCTIONS, figures, (out, None, back), strict=True):
        ratio = f"{seconds / reference:.2f} ({reference:.1f} s)" if reference else ""
        print(f"{function:32}{seconds:9.1f}{memory:7} MB{ratio:>20}")
    print(f"\n{'raw_data_to_ingestion_bucket':32}{'seconds':>9}{'memory':>10}")
    for change, (seconds, memory) in ticks.items():
        print(f"{change:32}{seconds:9.1f}{memory:7} MB")


def tick(deployment: Deployment, running: LocalCloud, change: str) -> tuple[float, int]:
    """Seconds and megabytes that the capture takes in one more run, after a change of the source."""
    psql(running.source_uri, [change])
    result = run(deployment, display.state)
    if not result.succeeded:
        raise UserError(f"the run failed: {result.error}")
    return reported(deployment, FUNCTIONS[0])


def reported(deployment: Deployment, function: str) -> tuple[float, int]:
    """Seconds and megabytes of a function's last invocation."""
    reports = [match for line in log_lines(deployment, function) if (match := REPORT.search(line))]
    return float(reports[-1][1]) / 1000, int(reports[-1][2])


def psql_copies_out(running: LocalCloud, folder: Path) -> float:
    """Seconds that psql takes to copy the source's tables to files."""
    script = [f"\\copy {table.name} TO '{folder}/{table.name}.csv' CSV" for table in SOURCE_TABLES]
    return psql(running.source_uri, script)


def psql_copies_in(running: LocalCloud, folder: Path) -> float:
    """Seconds that psql takes to copy the star's rows into tables without keys."""
    for table in STAR_TABLES:
        psql(running.warehouse_uri, [f"\\copy {table.name} TO '{folder}/{table.name}.csv' CSV"])
        psql(running.warehouse_uri, [f"CREATE TABLE bare_{table.name} AS SELECT * FROM {table.name} WITH NO DATA"])
    script = [f"\\copy bare_{table.name} FROM '{folder}/{table.name}.csv' CSV" for table in STAR_TABLES]
    return psql(running.warehouse_uri, script)


def reload_by_copy(running: LocalCloud) -> float:
    """Seconds that a reload of the source's tables takes, over two connections at once."""
    tables = [table.name for table in SOURCE_TABLES]
    schema = subprocess.run(
        [program("pg_dump"), "--schema-only", "--section=pre-data", "--no-owner"],
        env=environment(running.source_uri),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    psql(running.warehouse_uri, ["CREATE DATABASE reload"])
    target = f"{running.warehouse_uri.rpartition('/')[0]}/reload"
    psql(target, [schema])
    waiting = iter(sorted(tables, key=lambda name: name not in {"payment", "transaction", "sales_order"}))
    started = time.monotonic()
    with ThreadPoolExecutor(2) as connections:
        for done in [connections.submit(copy_table, running.source_uri, target, name) for name in waiting]:
            done.result()
    seconds = time.monotonic() - started
    psql(running.warehouse_uri, ["DROP DATABASE reload"])
    return seconds


def copy_table(source: str, target: str, table: str) -> None:
    """Copy a table's rows from one database to another."""
    command: list[str | Path] = [program("psql"), "-qv", "ON_ERROR_STOP=1", "-c"]
    with subprocess.Popen(
        [*command, f"COPY {table} TO STDOUT"], env=environment(source), stdout=subprocess.PIPE
    ) as reading:
        subprocess.run(
            [*command, f"COPY {table} FROM STDIN"], env=environment(target), stdin=reading.stdout, check=True
        )
    if reading.returncode:
        raise UserError(f"psql could not read {table}")


def psql(uri: str, script: list[str]) -> float:
    """Run a script; return the seconds that it took. The password goes by the environment, not by the arguments."""
    started = time.monotonic()
    subprocess.run(
        [program("psql"), "-qv", "ON_ERROR_STOP=1"],
        input="\n".join(script),
        text=True,
        check=True,
        env=environment(uri),
        stdout=subprocess.DEVNULL,
    )
    return time.monotonic() - started


def program(name: str) -> Path:
    """One of PostgreSQL's programs."""
    return EmbeddedPostgres(Path()).binaries / name


def environment(uri: str) -> dict[str, str]:
    """What libpq needs to connect, the password too."""
    dsn = parse_dsn(uri)
    return {f"PG{name.upper()}": str(dsn[key]) for name, key in KEYS.items() if key in dsn}


KEYS = {"host": "host", "port": "port", "user": "user", "password": "password", "database": "dbname"}

if __name__ == "__main__":
    main(int(sys.argv[1]))
