"""The suite's command line.

python -m tests.benchmark.suite run --orders 100000,1000000 --batches 100,1000 --repeats 3 --only extract,load
python -m tests.benchmark.suite show RESULT.json
python -m tests.benchmark.suite compare EARLIER.json LATER.json
"""

import argparse
import os
import platform
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil
from rich.console import Console

from local_cloud.postgres import EmbeddedPostgres
from tests.benchmark.suite.comparison import comparison, limits
from tests.benchmark.suite.ground import SETTINGS, Ground
from tests.benchmark.suite.measuring import ROOT
from tests.benchmark.suite.picture import picture
from tests.benchmark.suite.repeats import Suite
from tests.benchmark.suite.results import Result
from tests.benchmark.suite.subjects import GROUPS
from tests.benchmark.suite.table import tables
from tests.support.databases import value

_WIDTH = 170
"""Of what goes to a file: nothing is broken there."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the suite, show a result or compare two."""
    asked = _parser().parse_args(arguments)
    screen = Console() if Console().is_terminal else Console(width=_WIDTH)
    if asked.command == "run":
        run(asked, screen)
    elif asked.command == "show":
        screen.print(tables(_read(asked.result)))
    else:
        before, after = _read(asked.before), _read(asked.after)
        screen.print(comparison(before, after), limits(before, after))


def run(asked: argparse.Namespace, screen: Console) -> None:
    """Measure, and write result and picture."""
    began = datetime.now(UTC).replace(microsecond=0)
    asked.out.mkdir(parents=True, exist_ok=True)
    files = {kind: asked.out / f"{began:%Y%m%dT%H%M%SZ}.{kind}" for kind in ("json", "svg")}
    with tempfile.TemporaryDirectory(prefix="totes-bench-") as name:
        server = EmbeddedPostgres(Path(name) / "server", settings=SETTINGS)
        server.start()
        try:
            result = Result(began=began.isoformat(), machine=_machine(server), repeats=asked.repeats)

            def save() -> None:
                files["json"].write_text(result.to_json(), encoding="utf-8")
                files["svg"].write_text(picture(result), encoding="utf-8")

            lake = Path(name) / "lake"
            lake.mkdir()
            suite = Suite(Ground(server), lake, result, asked.only, say=lambda said: screen.print(f"[dim]· {said}"))
            suite.run(asked.orders, asked.batches, asked.repeats, save)
        finally:
            server.stop()
    screen.print(tables(result))
    screen.print(f"written: {files['json']} and {files['svg']}")


def _machine(server: EmbeddedPostgres) -> dict[str, str]:
    return {
        "cores": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 1e9:.0f} GB",
        "load before": f"{os.getloadavg()[0]:.1f}",
        "Python": platform.python_version(),
        "PostgreSQL": str(value(server.uri("postgres"), "SHOW server_version")).partition(" ")[0],
    }


def _read(file: Path) -> Result:
    return Result.from_json(file.read_text(encoding="utf-8"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark.suite", description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="measure")
    running.add_argument("--orders", type=_numbers, default=[100_000, 1_000_000], help="sizes of the shops")
    running.add_argument("--batches", type=_numbers, default=[100, 1000], help="sizes of the old lakes, in tens")
    running.add_argument("--repeats", type=int, default=3)
    running.add_argument("--only", type=_groups, default=GROUPS, help=f"some of {', '.join(GROUPS)}")
    running.add_argument("--out", type=Path, default=ROOT / "build" / "bench", help="the folder for result and picture")
    showing = commands.add_parser("show", help="show a result again")
    showing.add_argument("result", type=Path)
    comparing = commands.add_parser("compare", help="hold a result against an earlier one")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    return parser


def _numbers(said: str) -> list[int]:
    return sorted({int(number) for number in said.split(",")})


def _groups(said: str) -> tuple[str, ...]:
    groups = tuple(said.split(","))
    if unknown := set(groups) - set(GROUPS):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: there are {', '.join(GROUPS)}")
    return groups


if __name__ == "__main__":
    main()
