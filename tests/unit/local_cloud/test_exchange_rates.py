"""The local cloud answers what a function asks of the source of rates, and nothing else that is not there."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from local_cloud.endpoint.exchange_rates import WithExchangeRates


def asked(days: Path, path: str) -> tuple[str, bytes]:
    """The status and the body of an answer."""
    said: list[str] = []

    def otherwise(_: dict[str, Any], start: Any) -> Iterable[bytes]:
        start("299 Elsewhere", [])
        return [b"aws"]

    def start(status: str, _headers: list[tuple[str, str]], _error: Any = None, /) -> Callable[[bytes], object]:
        said.append(status)
        return lambda _: None

    body = WithExchangeRates(otherwise, days)({"PATH_INFO": path}, start)
    return said[0], b"".join(body)


@pytest.fixture
def days(tmp_path: Path) -> Path:
    for version in ("2024.3.9", "2024.3.10"):
        folder = tmp_path / f"exchange-rates-{version}" / "v1" / "currencies"
        folder.mkdir(parents=True)
        (folder / "gbp.min.json").write_text(version)
    return tmp_path


@pytest.mark.parametrize(
    ("version", "answer"),
    [
        ("2024.3.9", ("200 OK", b"2024.3.9")),
        ("latest", ("200 OK", b"2024.3.10")),
        ("2024.3.11", ("404 Not Found", b"")),
    ],
)
def test_a_day_that_is_installed_is_answered_and_another_was_never_published(
    days: Path, version: str, answer: tuple[str, bytes]
) -> None:
    assert asked(days, f"/npm/@fawazahmed0/currency-api@{version}/v1/currencies/gbp.min.json") == answer


@pytest.mark.parametrize(
    "path", ["/", "/bucket/key", "/npm/@fawazahmed0/currency-api@2024.3.9/v1/currencies/../gbp.min.json"]
)
def test_all_else_is_the_endpoints(days: Path, path: str) -> None:
    assert asked(days, path) == ("299 Elsewhere", b"aws")
