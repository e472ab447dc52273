"""Asks the vulnerability services about every package of the given locks, Python's and Node's.

A vulnerability fails. A service that cannot be reached, or that knows none of the packages (as behind a package mirror
that has no vulnerability feed), is said in one line and fails nothing: being offline is no defect of the code. With
`--required` it fails too, for whoever runs this just to know.
"""

import argparse
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_UNREACHABLE = ("your network may be blocking", "ConnectionError", "ConnectTimeout", "ReadTimeout", "ServiceError")
_NODES = "package-lock.json"


@dataclass(frozen=True)
class AuditResult:
    """What an audit came to: one line per thing to know, whether it may pass, and whether a service has answered."""

    lines: tuple[str, ...]
    passed: bool
    answered: bool = True


def verdict(lock: str, *, output: str, complaint: str) -> AuditResult:
    """Judge what pip-audit said about a lock of Python's.

    Args:
        lock: the lock's path.
        output: its standard output; a JSON document if it came to a result.
        complaint: its standard error.
    """
    if not output.strip():
        if any(sign in complaint for sign in _UNREACHABLE):
            return _not_answered(lock, "the vulnerability service cannot be reached")
        return AuditResult((f"{lock}: pip-audit failed: {complaint.strip()}",), passed=False)
    packages = json.loads(output)["dependencies"]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if len(unknown) == len(packages):
        return _not_answered(lock, "the vulnerability service that is reached here knows none of the packages")
    found = tuple(
        f"{lock}: {package['name']} {package['version']} has {each['id']}, fixed in {', '.join(each['fix_versions'])}"
        for package in packages
        for each in package.get("vulns", ())
    )
    summary = f"{lock}: {len(packages) - len(unknown)} packages audited, {len(found)} vulnerabilities"
    missed = (f"{lock}: the service does not know {', '.join(unknown)}",) if unknown else ()
    return AuditResult((*found, *missed, summary), passed=not found)


def nodes_verdict(lock: str, *, output: str, complaint: str) -> AuditResult:
    """Judge what `npm audit --json` said about a lock of Node's.

    Args:
        lock: the lock's path.
        output: its standard output, a JSON document: the audit report, version 2, or what the registry refused.
        complaint: its standard error.
    """
    told: dict[str, Any] = json.loads(output) if output.strip() else {}
    if "vulnerabilities" not in told:
        if "audit endpoint returned an error" in complaint:
            return _not_answered(lock, "the registry that is reached here answers no audit")
        return AuditResult((f"{lock}: npm audit failed: {complaint.strip() or output.strip()}",), passed=False)
    # What is named by a word alone is told where that package is.
    advisories = {
        f"{lock}: {each['name']} {each['range']} has {each['url']} ({each['severity']})"
        for package in told["vulnerabilities"].values()
        for each in package["via"]
        if not isinstance(each, str)
    }
    count = told["metadata"]["dependencies"]["total"]
    summary = f"{lock}: {count} packages audited, {len(advisories)} vulnerabilities"
    return AuditResult((*sorted(advisories), summary), passed=not advisories)


def _not_answered(lock: str, why: str) -> AuditResult:
    return AuditResult((f"{lock}: not audited, {why}",), passed=True, answered=False)


def audit(lock: str) -> AuditResult:
    """Audit a lock."""
    if Path(lock).name == _NODES:
        asked = _run("npm", "audit", "--json", "--package-lock-only", "--prefix", str(Path(lock).parent))
        return nodes_verdict(lock, output=asked.stdout, complaint=asked.stderr)
    words = ("--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json", "-r", lock)
    asked = _run(sys.executable, "-m", "pip_audit", *words)
    return verdict(lock, output=asked.stdout, complaint=asked.stderr)


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words


def main(arguments: list[str] | None = None) -> int:
    """Audit the locks that are named, at once, and print what was found; 1 if not all is well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("locks", nargs="+")
    parser.add_argument("--required", action="store_true", help="fail where no service answers")
    said = parser.parse_args(arguments)
    with ThreadPoolExecutor() as pool:
        verdicts = list(pool.map(audit, said.locks))
    for line in (line for each in verdicts for line in each.lines):
        sys.stdout.write(f"{line}\n")
    return int(not all(each.passed and (each.answered or not said.required) for each in verdicts))


if __name__ == "__main__":
    sys.exit(main())
