import json
from typing import Any

from toolchain.audit import verdict

Package = dict[str, Any]

CLEAN: Package = {"name": "six", "version": "1.17.0", "vulns": []}
UNKNOWN: Package = {"name": "totes", "skip_reason": "Dependency not found"}
VULNERABLE: Package = {
    "name": "urllib3",
    "version": "1.0",
    "vulns": [{"id": "CVE-1", "fix_versions": ["1.1", "2.0"], "aliases": [], "description": "bad"}],
}


def output(*packages: Package) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_a_lock_without_vulnerabilities_passes() -> None:
    judged = verdict("some.lock", output=output(CLEAN), complaint="")
    assert judged.passed
    assert judged.lines == ("some.lock: 1 packages audited, 0 vulnerabilities",)


def test_a_vulnerability_fails_and_is_named_with_what_fixes_it() -> None:
    judged = verdict("some.lock", output=output(CLEAN, VULNERABLE), complaint="Found 1 known vulnerability")
    assert not judged.passed
    assert "some.lock: urllib3 1.0 has CVE-1, fixed in 1.1, 2.0" in judged.lines


def test_a_vulnerability_fails_even_where_other_packages_are_unknown() -> None:
    judged = verdict("some.lock", output=output(UNKNOWN, VULNERABLE), complaint="")
    assert not judged.passed
    assert "some.lock: the service does not know totes" in judged.lines


def test_a_service_that_knows_no_package_is_said_and_passes() -> None:
    judged = verdict("some.lock", output=output(UNKNOWN), complaint="No known vulnerabilities found")
    assert judged.passed
    assert len(judged.lines) == 1
    assert "not audited" in judged.lines[0]


def test_a_service_out_of_reach_is_said_in_one_line_and_passes() -> None:
    judged = verdict("some.lock", output="", complaint="requests.exceptions.ConnectionError: no route")
    assert judged.passed
    assert judged.lines == ("some.lock: not audited, the vulnerability service cannot be reached",)


def test_any_other_failure_of_the_tool_fails() -> None:
    judged = verdict("some.lock", output="", complaint="ERROR: six has no hash")
    assert not judged.passed
    assert "six has no hash" in judged.lines[0]
