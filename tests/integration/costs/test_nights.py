"""What the nightly comparison reads over the network is what an estimate assumes."""

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from psycopg2.extensions import make_dsn, parse_dsn

from costs.measured import READ_BYTES_A_ROW
from simulator import build
from tests.support.databases import own_session, value
from tests.support.listening import listening
from tests.support.memory_store import MemoryStore
from tests.support.pipeline import Pipeline
from totes.capture import SOURCE_TABLES
from totes.star import STAR_TABLES
from totes.verify import verify


class Wire:
    """The way to a server.

    Attributes:
        bytes: how many have gone through it, either way.
    """

    def __init__(self) -> None:
        self.bytes = 0

    @contextmanager
    def to(self, uri: str) -> Iterator[str]:
        """A URI that leads to a database by this way."""
        dsn = parse_dsn(uri)
        with listening(lambda client: self._serve(client, int(dsn["port"]))) as port:
            yield make_dsn(uri, port=port)

    def _serve(self, client: socket.socket, port: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as server:
            other = {client: server, server: client}
            while True:
                for end in select.select([client, server], [], [])[0]:
                    piece = end.recv(65536)
                    if not piece:
                        return
                    self.bytes += len(piece)
                    other[end].sendall(piece)


def test_each_night_all_of_the_source_is_read_by_so_many_bytes_a_row(
    another_database: str, empty_database: str, store: MemoryStore
) -> None:
    build(another_database, orders=2000, seed=1)
    shop = Pipeline(
        source=another_database,
        warehouse=empty_database,
        ingestion=store.bucket("ingestion"),
        processed=store.bucket("processed"),
    )
    shop.tick()
    wire = Wire()
    with (
        wire.to(shop.source) as source,
        own_session(source, "source") as connection,
        own_session(shop.warehouse, "warehouse") as warehouse,
    ):
        assert not verify(connection, warehouse, shop.ingestion, SOURCE_TABLES, STAR_TABLES).differences
    rows = sum(value(shop.source, f"SELECT count(*) FROM {table.name}") for table in SOURCE_TABLES)
    assert wire.bytes / rows == pytest.approx(READ_BYTES_A_ROW, rel=0.1)
