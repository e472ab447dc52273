"""Followed to the letter, the recipes of docs/extending.md give a project that works; a forgotten step is named."""

import json
from pathlib import Path

import pytest

from tests.support.recipes import ProjectCopy, recipes

RECIPES = recipes()

BY_HAND = {"docs/costs.md"}
"""What a recipe says in words: it has no block."""

SYNTH = """
import json, sys
from pathlib import Path
from tests.support.templates import environment_of, synthesise

found = synthesise(environment_of("staging"), Path(sys.argv[1]))
print(json.dumps([each["Properties"]["AlarmName"] for each in found.resources("AWS::CloudWatch::Alarm").values()]))
"""

QUICK = (
    *(
        "tests/unit/totes/test_table_lists.py",
        "tests/unit/totes/test_questions.py",
        "tests/unit/simulator/test_schema.py",
    ),
    *("tests/unit/toolchain/test_commands_page.py", "tests/unit/toolchain/test_dbt_sources.py"),
    *("tests/unit/toolchain/test_star_page.py", "tests/unit/toolchain/test_reports_page.py"),
    *("tests/unit/command_line/test_program.py", "tests/unit/stacks"),
)
"""Those of the unit tests that see a step forgotten."""

OF_LISTS = ("tests/unit/totes/test_table_lists.py", "tests/unit/command_line/test_program.py")
"""Those of them that see a file which no list names."""

COMMAND = "from command_line.commands import main; main()"


STALE_PAGES = """
from toolchain import commands_page, dbt_sources, reports_page, star_page

for page in (commands_page, dbt_sources, reports_page, star_page):
    if page.FILE.read_text(encoding="utf-8") != page.document():
        print(page.FILE.name)
"""


class Extended(ProjectCopy):
    """The project with all seven recipes followed, one after the other; after each, the pages that it has forgotten."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.forgotten: dict[str, str] = {}
        for recipe in RECIPES.values():
            self.follow(recipe)
            done = self.run("-c", STALE_PAGES)
            self.forgotten[recipe.name] = done.stdout + done.stderr


@pytest.fixture(scope="module")
def extended(folder: Path) -> Extended:
    return Extended(folder / "extended")


def test_there_are_seven() -> None:
    assert list(RECIPES) == [
        *("A source table", "A star table", "A dimension column", "A question", "An alarm", "A command"),
        "An environment",
    ]


def test_a_recipe_names_every_file_that_it_touches(extended: Extended) -> None:
    named = frozenset().union(*(recipe.files for recipe in RECIPES.values()))
    assert extended.changed() <= named
    only_mentioned = {
        "layers/totes/python/totes/telemetry.py",
        "command_line/commands/target.py",
        "simulator/history.py",
        "simulator/orders.py",
    }
    itself = {"tests/integration/test_extending.py"}
    assert named - extended.changed() <= only_mentioned | BY_HAND | itself


def test_each_recipe_writes_every_page_that_it_changes_itself(extended: Extended) -> None:
    assert extended.forgotten == dict.fromkeys(RECIPES, "")


def test_what_the_recipes_write_is_in_the_projects_own_form(extended: Extended) -> None:
    files = sorted(name for name in extended.changed() if name.endswith(".py"))
    for words in (("format", "--check"), ("check",)):
        done = extended.run("-m", "ruff", *words, *files)
        assert done.returncode == 0, done.stdout


def test_a_new_table_and_a_new_column_reach_a_warehouse_that_was_there_before(
    extended: Extended, empty_database: str, another_database: str
) -> None:
    done = extended.run("-m", "tests.support.extended", empty_database, another_database)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("the source's role may not read complaint: type totes init source, ")


def test_a_new_environment_is_synthesised_with_the_new_alarm(extended: Extended, tmp_path: Path) -> None:
    done = extended.run("-c", SYNTH, str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "totes-staging-drift" in json.loads(done.stdout)


def test_a_new_command_answers(extended: Extended) -> None:
    assert "Name the star's tables, each with what it holds." in extended.run("-c", COMMAND, "tables", "--help").stdout
    assert "fact_complaint: Every captured version of a complaint.\n" in extended.run("-c", COMMAND, "tables").stdout


def test_the_quick_tests_hold_once_the_snapshots_are_written(extended: Extended) -> None:
    said = extended.run("-m", "pytest", "-q", "-n", "0", *QUICK).stdout
    failures = {line for line in said.splitlines() if line.startswith("E       AssertionError: ")}
    assert failures == {
        f"E       AssertionError: {sentence}"
        for sentence in (
            "tests/infrastructure/snapshots/prod/watch.json lacks the alarm drift: make snapshots",
            "tests/infrastructure/snapshots/staging lacks the templates of staging: make snapshots",
        )
    }


def test_each_forgotten_step_is_named_with_its_file(folder: Path) -> None:
    forgotten = ProjectCopy(folder / "forgotten")
    kept = (
        *("capture/tables/complaint.py", "capture/tables/__init__.py", "star/tables/fact_complaint.py"),
        *("star/tables/__init__.py", "star/tables/dim_staff.py"),
    )
    whole = [f"layers/totes/python/totes/{name}" for name in (*kept, "report/questions/payments_by_kind.sql")]
    whole += [
        "stacks/constructs/alarms.py",
        "stacks/config.py",
        "command_line/commands/tables.py",
        "command_line/commands/app.py",
    ]
    for recipe in RECIPES.values():
        forgotten.follow(recipe, leaving_out=[name for name in recipe.files if name not in whole])
    said = forgotten.run("-m", "pytest", "-q", "-n", "0", *QUICK).stdout
    for sentence in (
        "simulator/tables.sql lacks the table complaint, which totes reads",
        "simulator/opening.py gives these no rows",
        "tests/support/oracle.py: EXPECTED lacks fact_complaint",
        "report/rows/open_quarantine.sql lacks fact_complaint",
        "tests/support/oracle.py: ACTUAL of dim_staff",
        "dim_staff.manager: layers/totes/python/totes/capture/tables/department.py lacks manager",
        "python toolchain/dbt_sources.py writes docs/dbt/models/sources.yml",
        "python toolchain/star_page.py writes docs/star-schema.md",
        "python toolchain/reports_page.py writes docs/reports.md",
        "totes tables is under no heading: give it one in _SECTIONS of toolchain/commands_page.py",
        "docs/runbook.md lacks the line of drift: ## Drift",
        "tests/end_to_end/test_alarms.py never sets off drift",
        "tests/infrastructure/snapshots/prod/watch.json lacks the alarm drift: make snapshots",
        "tests/infrastructure/snapshots/staging lacks the templates of staging: make snapshots",
    ):
        assert sentence in said, said


def test_a_file_without_its_line_is_named(folder: Path) -> None:
    forgotten = ProjectCopy(folder / "unlisted")
    for name, recipe in RECIPES.items():
        if name in {"A source table", "A star table", "A command"}:
            lists = [file for file in recipe.files if file.endswith(("__init__.py", "app.py"))]
            forgotten.follow(recipe, leaving_out=lists)
    said = forgotten.run("-m", "pytest", "-q", "-n", "0", *OF_LISTS).stdout
    for sentence in (
        "capture/tables/__init__.py lists each file beside it",
        "star/tables/__init__.py lists each file beside it",
        "command_line/commands/app.py",
    ):
        assert sentence in said, said
