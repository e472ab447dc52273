"""Whoever falls silent without a word is noticed in time: by the sockets' options, and by S3's client."""

import os
import socket
from typing import Any

import pytest
from psycopg2.extensions import parse_dsn

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
