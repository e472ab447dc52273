"""The tiers of tests, quick ones first, and what of them a worker takes at a time."""

from pathlib import PurePath

from xdist.scheduler import LoadScopeScheduling

TIERS = ("unit", "infrastructure", "integration", "end_to_end", "faults")
"""In the order that they run in: a broken rule is named before a whole cloud is deployed."""

_TEST_BY_TEST = ("tests/faults/", "tests/integration/totes/")
"""Where tests share nothing that is not made once a worker anyhow."""


_LONG = ("test_old_lake.py", "test_acceptance.py")
"""Modules whose tests share what takes long to make: one worker's, and begun before what is taken test by test."""


def rank(path: PurePath) -> tuple[int, bool]:
    """A test file's place: by its tier, and in that those that take long first; what is in no tier comes last."""
    tier = next((number for number, tier in enumerate(TIERS) if tier in path.parts), len(TIERS))
    return tier, path.name not in _LONG


_TOGETHER = {
    f"tests/end_to_end/test_{name}.py": cloud
    for cloud, names in {
        "production": ("alarms", "alarm_mails"),
        "development": ("reach", "secrets"),
        "deployed": ("bad_input", "dashboard", "dashboard_users", "generated_shop", "quarantine", "rebuild", "verify"),
    }.items()
    for name in names
}
"""Modules that share a cloud, which is the name of the fixture that makes it."""


_BY_THE_CDK = "tests/infrastructure/"
"""Where modules share what the CDK has loaded and synthesised, which takes a worker longer than all of their tests."""

_WITHOUT_THE_CDK = "test_dependencies.py"
"""The one of them that takes long by itself."""


class ByWhatTestsShare(LoadScopeScheduling):  # type: ignore[misc] # xdist's own class, for which mypy has no types
    """Hands a worker a module at a time, for its tests share a cloud; where they share none, a single test.

    The fault tier, single tests, comes last, so that no worker is left with a long module when all others are done.
    """

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        if nodeid.startswith(_TEST_BY_TEST) and not module.endswith(_LONG):
            return nodeid
        if module.startswith(_BY_THE_CDK) and not module.endswith(_WITHOUT_THE_CDK):
            return _BY_THE_CDK
        return _TOGETHER.get(module, module)
