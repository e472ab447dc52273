"""Asks the vulnerability service about every package of the given locks.

A vulnerability fails; a service that cannot be reached, or that knows none of the packages (as behind a package mirror
that has no vulnerability feed), is said in one line and fails nothing: being offline is no defect of the code.
"""

import json
import subprocess
import sys
from dataclasses import dataclass

_UNREACHABLE = ("your network may be blocking", "ConnectionError", "ConnectTimeout", "ReadTimeout", "ServiceError")


@dataclass(frozen=True)
class AuditResult:
    """What an audit came to: one line per thing to know, and whether it may pass."""

    lines: tuple[str, ...]
    passed: bool


def verdict(lock: str, *, output: str, complaint: str) -> AuditResult:
    """Judge what pip-audit said about a lock.

    Args:
        lock: the lock's path.
        output: its standard output; a JSON document if it came to a result.
        complaint: its standard error.
    """
    if not output.strip():
        if any(sign in complaint for sign in _UNREACHABLE):
            return AuditResult((f"{lock}: not audited, the vulnerability service cannot be reached",), passed=True)
        return AuditResult((f"{lock}: pip-audit failed: {complaint.strip()}",), passed=False)
    packages = json.loads(output)["dependencies"]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if len(unknown) == len(packages):
        return AuditResult(
            (f"{lock}: not audited, the vulnerability service that is reached here knows none of the packages",),
            passed=True,
        )
    found = tuple(
        f"{lock}: {package['name']} {package['version']} has {each['id']}, fixed in {', '.join(each['fix_versions'])}"
        for package in packages
        for each in package.get("vulns", ())
    )
    summary = f"{lock}: {len(packages) - len(unknown)} packages audited, {len(found)} vulnerabilities"
    missed = (f"{lock}: the service does not know {', '.join(unknown)}",) if unknown else ()
    return AuditResult((*found, *missed, summary), passed=not found)


def audit(lock: str) -> AuditResult:
    """Audit a lock."""
    command = [sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip", "--progress-spinner", "off"]
    asked = subprocess.run(  # noqa: S603 - our own words
        [*command, "--format", "json", "-r", lock], capture_output=True, text=True, check=False
    )
    return verdict(lock, output=asked.stdout, complaint=asked.stderr)


if __name__ == "__main__":
    verdicts = [audit(lock) for lock in sys.argv[1:]]
    for line in (line for each in verdicts for line in each.lines):
        sys.stdout.write(f"{line}\n")
    sys.exit(not all(each.passed for each in verdicts))
