import json
from typing import Any

import pytest

from toolchain import audit
from toolchain.audit import AuditResult, nodes_verdict, verdict

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


ADVISORY = {
    "source": 1,
    "name": "minimist",
    "url": "https://github.com/advisories/GHSA-1",
    "severity": "high",
    "range": "<1.2.6",
}


def report(**vulnerabilities: list[Any]) -> str:
    found = {name: {"name": name, "via": via} for name, via in vulnerabilities.items()}
    return json.dumps({"auditReportVersion": 2, "vulnerabilities": found, "metadata": {"dependencies": {"total": 7}}})


def test_a_lock_of_nodes_without_vulnerabilities_passes() -> None:
    judged = nodes_verdict("package-lock.json", output=report(), complaint="")
    assert judged == AuditResult(("package-lock.json: 7 packages audited, 0 vulnerabilities",), passed=True)


def test_a_vulnerability_of_a_package_of_node_is_named_once_whoever_depends_on_it() -> None:
    output = report(minimist=[ADVISORY], mkdirp=["minimist"], other=[ADVISORY])
    judged = nodes_verdict("package-lock.json", output=output, complaint="")
    assert not judged.passed
    assert judged.lines == (
        "package-lock.json: minimist <1.2.6 has https://github.com/advisories/GHSA-1 (high)",
        "package-lock.json: 7 packages audited, 1 vulnerabilities",
    )


def test_a_registry_that_answers_no_audit_is_said_and_passes() -> None:
    complaint = "npm warn audit 405 Method Not Allowed\nnpm error audit endpoint returned an error"
    judged = nodes_verdict("package-lock.json", output='{"message": "405 Method Not Allowed"}', complaint=complaint)
    assert (judged.passed, judged.answered) == (True, False)
    assert judged.lines == ("package-lock.json: not audited, the registry that is reached here answers no audit",)


def test_any_other_failure_of_npm_fails() -> None:
    judged = nodes_verdict("package-lock.json", output="", complaint="npm error code EUSAGE")
    assert not judged.passed
    assert "EUSAGE" in judged.lines[0]


@pytest.mark.parametrize(("words", "code"), [([], 0), (["--required"], 1)])
def test_where_an_answer_is_required_none_is_a_failure(
    words: list[str], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unanswered = AuditResult(("some.lock: not audited",), passed=True, answered=False)
    monkeypatch.setattr(audit, "audit", lambda _: unanswered)
    assert audit.main(["some.lock", *words]) == code
    assert capsys.readouterr().out == "some.lock: not audited\n"
