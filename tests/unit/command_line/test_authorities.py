"""What a person names as a database's authority is a certificate, and nothing secret."""

from pathlib import Path

import pytest

from command_line.authorities import certificates_in
from tests.support.authorities import Authority
from totes.errors import UserError


def test_certificates_are_taken_without_what_stands_around_them(tmp_path: Path) -> None:
    one, other = Authority("one").pem, Authority("other").pem
    file = tmp_path / "ca.pem"
    file.write_text(f"# our authority, Käse\n{one}\n{other}")
    assert certificates_in(file) == f"{one}{other}"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "holds no certificate in PEM"),
        ("ssh-rsa AAAA hidden", "holds no certificate in PEM"),
        ("-----BEGIN CERTIFICATE-----\nhidden\n-----END CERTIFICATE-----\n", "holds no certificate in PEM, or one"),
        (b"\xff\xfe hidden", "it is no text"),
    ],
)
def test_what_is_none_is_refused_and_not_shown(tmp_path: Path, content: str | bytes, sentence: str) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=sentence) as refused:
        certificates_in(file)
    assert "hidden" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"ca\.pem cannot be read .*: No such file"):
        certificates_in(tmp_path / "ca.pem")


def test_a_private_key_is_not_taken_along(tmp_path: Path) -> None:
    signed = Authority("one").sign("db.example.com")
    file = tmp_path / "server.pem"
    file.write_text(signed.certificate + signed.key)
    with pytest.raises(UserError, match="holds a private key, which belongs to the server alone"):
        certificates_in(file)


def test_more_than_a_secret_takes_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("".join(Authority(f"authority {number}").pem for number in range(100)))
    with pytest.raises(UserError, match="keep those of the database's own authority"):
        certificates_in(file)
