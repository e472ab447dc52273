"""Whoever falls silent without a word is noticed in time: by the sockets' options, and by S3's client."""

import os
import socket
import struct
from contextlib import closing
from typing import Any

import pytest
from psycopg2.extensions import parse_dsn

from tests.faults.proxy import Proxy
from tests.faults.world import Ground
from totes.databases import open_session
from totes.lake import Bucket

DATABASES, STORES = 90, 60
"""Seconds until each is noticed."""


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="this machine's sockets have other options")
@pytest.mark.parametrize("role", ["source", "warehouse"])
def test_a_database_that_is_gone_without_a_word_is_noticed_in_a_minute_and_a_half(
    common_ground: Ground, role: str
) -> None:
    named = parse_dsn(common_ground.postgres.uri("shop"))
    connection = open_session(named, role)
    with socket.socket(fileno=os.dup(connection.fileno())) as end:
        idle, interval, count, unanswered = (
            end.getsockopt(socket.IPPROTO_TCP, option)
            for option in (
                socket.TCP_KEEPIDLE,
                socket.TCP_KEEPINTVL,
                socket.TCP_KEEPCNT,
                socket.TCP_USER_TIMEOUT,
            )
        )
    connection.close()
    assert idle + interval * count <= DATABASES
    assert 0 < unanswered <= DATABASES * 1000


def test_a_store_that_is_gone_without_a_word_is_asked_again_in_time() -> None:
    config: Any = Bucket("any").client.meta.config
    assert config.connect_timeout + config.read_timeout <= STORES


@pytest.mark.skipif(not Proxy.falls_silent(), reason="who runs the tests may not let a connection fall silent")
def test_a_connection_that_is_closed_is_none_that_falls_silent(common_ground: Ground) -> None:
    proxy = Proxy(int(parse_dsn(common_ground.postgres.uri("shop"))["port"]))
    asks_for_tls = struct.pack("!II", 8, 80877103)
    with socket.create_connection(("127.0.0.1", proxy.port)) as left, closing(proxy):
        left.sendall(asks_for_tls)
        assert left.recv(1), "the proxy has forwarded the question and the answer"
        left.shutdown(socket.SHUT_WR)
        assert not left.recv(1), "the proxy has closed its end"
        assert proxy.silence() == 0
