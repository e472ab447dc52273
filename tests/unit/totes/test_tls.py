"""Without TLS a database is reached on this very machine, and nowhere else."""

import pytest

from totes.tls import is_here


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "/var/run/postgresql"])
def test_this_machine_is_known_by_its_own_names(host: str) -> None:
    assert is_here(host)


@pytest.mark.parametrize("host", ["localhost.shop.example", "127.0.0.1.nip.io", "shop.example", ""])
def test_a_name_that_begins_as_this_machines_does_is_elsewhere(host: str) -> None:
    assert not is_here(host)
