"""The tree keeps its rules: data and imports go one way, every command is documented, nothing names a registry."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Collection, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.support.tiers import TIERS
from totes.star import code

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "layers" / "totes" / "python" / "totes"

MAY_KNOW = {
    "answers": {"answers", "capture", "catalog", "databases", "errors", "references", "star_schema", "warehouse"},
    "athena": {"athena", "lake", "star_schema"},
    "capture": {"capture", "catalog", "copy_out", "lake", "errors", "sqlstate"},
    "star": {"star", "lake", "errors", "outcomes", "star_schema", "texts"},
    "rates": {"rates", "lake", "errors"},
    "warehouse": {
        "warehouse",
        "lake",
        "catalog",
        "errors",
        "names",
        "outcomes",
        "rates",
        "references",
        "report",
        "roles",
        "savepoints",
        "sqlstate",
        "star_schema",
        "texts",
    },
    "report": {"report"},
    "dashboard_snapshot": {"dashboard_snapshot", "lake", "errors", "consistent_read", "names", "report"},
    "lake": {"lake", "clients", "errors"},
    "verify": {
        "verify",
        "capture",
        "catalog",
        "consistent_read",
        "copy_out",
        "errors",
        "lake",
        "star",
        "star_schema",
        "warehouse",
    },
}

OF_CAPTURE_MAY_KNOW = {
    "tables": {"tables", "source_schema"},
    "source": {"source", "source_schema"},
    "rows": {"rows", "sizes", "source", "source_schema"},
    "holdings": {"holdings", "sizes"},
    "pieces": {"pieces", "changes", "holdings", "rows", "source", "source_schema", "table_writer"},
}
"""Of the packages of the capture, in which the source and the lake meet only above `source`, `rows` and `holdings`."""


def import_statements(file: Path) -> Iterator[tuple[str, set[str]]]:
    """Each module that a file imports, anywhere in it, and the full names of what is taken from it, if anything is."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, set()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, {f"{node.module}.{alias.name}" for alias in node.names}


def imports(file: Path) -> set[str]:
    """The modules that a file imports."""
    names = set()
    for module, members in import_statements(file):
        names.add(module)
        if module in {"totes", "totes.capture"}:  # whose members are modules
            names |= members
    return names


@pytest.mark.parametrize("part", MAY_KNOW)
def test_a_part_of_the_library_knows_those_that_it_may_and_no_other(part: str) -> None:
    for file in (LIBRARY / part).rglob("*.py"):
        known = {name.split(".")[1] for name in imports(file) if name.startswith("totes.")}
        assert known <= MAY_KNOW[part], f"{file.relative_to(ROOT)} imports {known - MAY_KNOW[part]}"


@pytest.mark.parametrize("package", OF_CAPTURE_MAY_KNOW)
def test_a_package_of_the_capture_knows_those_that_it_may_and_no_other(package: str) -> None:
    for file in (LIBRARY / "capture" / package).rglob("*.py"):
        known = {name.split(".")[2] for name in imports(file) if name.startswith("totes.capture.")}
        strangers = known - OF_CAPTURE_MAY_KNOW[package]
        assert not strangers, f"{file.relative_to(ROOT)} imports {strangers}"


def test_the_star_is_made_by_no_code_that_its_fingerprint_leaves_out() -> None:
    tells_where_rows_are = {"lake", "errors", "outcomes"}
    beside = {module.__name__.removeprefix("totes.") for module in code.BESIDE}
    assert beside == MAY_KNOW["star"] - tells_where_rows_are - {"star"}


def test_an_edit_of_any_file_that_makes_a_star_is_other_code(monkeypatch: pytest.MonkeyPatch) -> None:
    files = code._files.__wrapped__
    prints = [files()]
    for left_out in code.BESIDE:
        with monkeypatch.context() as patch:
            patch.setattr(code, "BESIDE", [module for module in code.BESIDE if module is not left_out])
            prints.append(files())
    assert len(set(prints)) == 1 + len(code.BESIDE)


def test_every_package_of_the_library_says_what_it_may_know() -> None:
    assert {package.parent.name for package in LIBRARY.glob("*/__init__.py")} == MAY_KNOW.keys()
    assert {package.parent.name for package in LIBRARY.glob("capture/*/__init__.py")} == OF_CAPTURE_MAY_KNOW.keys()


def test_no_module_of_the_library_comes_back_to_itself_by_its_imports() -> None:
    TopologicalSorter(imports_in_the_library()).prepare()  # raises CycleError, which tells the cycle


def test_no_package_of_the_warehouse_comes_back_to_itself_by_its_imports() -> None:
    """A package counts as a whole, and so does a module beside the packages."""
    top = "totes.warehouse."
    graph: dict[str, set[str]] = {}
    for name, imported in imports_in_the_library().items():
        if name.startswith(top):
            part = name.split(".")[2]
            others = {each.split(".")[2] for each in imported if each.startswith(top)}
            graph.setdefault(part, set()).update(others - {part})
    TopologicalSorter(graph).prepare()


def imports_in_the_library() -> dict[str, set[str]]:
    """The modules of the library that each of them imports."""

    def name_of(file: Path) -> str:
        return ".".join(file.relative_to(LIBRARY.parent).with_suffix("").parts).removesuffix(".__init__")

    modules = {name_of(file): file for file in LIBRARY.rglob("*.py")}
    return {name: set(imported_modules(file, modules)) for name, file in modules.items()}


def imported_modules(file: Path, modules: Collection[str]) -> Iterator[str]:
    """Those of some modules that a file imports: a package's module, or else the package that has the name."""
    for module, members in import_statements(file):
        if module in modules:
            yield from members & set(modules) or {module}


def test_the_library_knows_nothing_of_lambda_cdk_or_the_command_line() -> None:
    of_others = {"aws_cdk", "aws_lambda_powertools", "moto"}
    ours = {"stacks", "lambdas", "totes_runtime", "command_line", "local_cloud", "simulator", "costs"}
    for file in LIBRARY.rglob("*.py"):
        strangers = {name for name in imports(file) if name.split(".")[0] in of_others | ours}
        assert not strangers, f"{file.relative_to(ROOT)} imports {strangers}"


@pytest.mark.parametrize("part", ["local_cloud", "simulator", "costs"])
def test_what_the_command_line_uses_does_not_use_the_command_line(part: str) -> None:
    for file in (ROOT / part).rglob("*.py"):
        strangers = {name for name in imports(file) if name.split(".")[0] == "command_line"}
        assert not strangers, f"{file.relative_to(ROOT)} imports {strangers}"


def test_handlers_are_a_few_lines() -> None:
    for file in (ROOT / "lambdas").glob("*/*.py"):
        assert len(file.read_text().splitlines()) < 40, file.relative_to(ROOT)


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text()
    assert [file.name for file in folder.glob("0*.md") if f"({file.name})" not in index] == []


def test_decisions_have_one_form() -> None:
    for file in (ROOT / "docs" / "decisions").glob("0*.md"):
        text = file.read_text()
        assert re.match(r"# \d+\. .+\n\nStatus: (accepted|superseded)", text), file.name
        assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == ["Context", "Decision", "Consequences"], file.name


NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


@pytest.mark.parametrize("document", ["guarantees.md", "laws.md", "disasters.md"])
def test_every_test_that_a_document_of_promises_names_is_there(document: str) -> None:
    named = NAMED_TEST.findall((ROOT / "docs" / document).read_text())
    assert len(named) > 1
    for file, test in named:
        assert (f"def {test}(" if test else "def test_") in (ROOT / file).read_text(), f"{file}::{test}"


@pytest.mark.parametrize("document", ["guarantees.md", "laws.md"])
def test_every_guarantee_and_law_names_a_test(document: str) -> None:
    tables = re.findall(
        r"^\|[^\n]+\n\|[-|: ]+\n((?:\|[^\n]+\n)+)", (ROOT / "docs" / document).read_text(), re.MULTILINE
    )
    rows = [row for table in tables for row in table.splitlines()]
    assert len(rows) > 1
    assert [row for row in rows if not NAMED_TEST.search(row.rpartition(" | ")[2])] == []


def test_every_procedure_of_a_disaster_is_rehearsed() -> None:
    _, *procedures = re.split(r"^## ", (ROOT / "docs" / "disasters.md").read_text(), flags=re.MULTILINE)
    steps = {each.partition("\n")[0]: each for each in procedures if re.search(r"^1\. ", each, flags=re.MULTILINE)}
    assert len(steps) > 1
    assert [heading for heading, each in steps.items() if "`tests/end_to_end/" not in each] == []


def test_locks_record_hashes_and_no_address() -> None:
    locks = [
        found
        for folder in ("dashboard", "layers/dependencies", "toolchain", "toolchain/versions")
        for found in ROOT.glob(f"{folder}/*lock*")
    ]
    assert len(locks) > 7
    for lock in locks:
        text = lock.read_text()
        assert not re.search(r"https?://", text), lock.name
        assert "sha256:" in text or "sha512-" in text, lock.name


def test_the_layer_and_the_tools_agree_on_every_version() -> None:
    def pins(file: Path) -> dict[str, str]:
        return dict(re.findall(r"^([a-z0-9-]+)==([^\s;\\]+)", file.read_text(), flags=re.MULTILINE))

    layer = pins(ROOT / "layers/dependencies/requirements.lock")
    tools = pins(ROOT / "toolchain/python.lock")
    assert {name: tools.get(name) for name in layer} == layer


def test_mypy_reads_every_part_of_the_cdk_that_is_used_and_no_other() -> None:
    [followed] = [
        set(override["module"])
        for override in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["overrides"]
        if "aws_cdk" in override["module"]
    ]
    files = [ROOT / "app.py"]
    for folder in ("stacks", "costs", "command_line", "local_cloud", "tests"):
        files += (ROOT / folder).rglob("*.py")
    used = {name for file in files for name in parts_of_the_cdk(file)}
    assert followed == {"aws_cdk", "aws_cdk.interfaces.*", *used}


def parts_of_the_cdk(file: Path) -> Iterator[str]:
    """The CDK's modules that a file imports, the CDK itself left out."""
    for module, members in import_statements(file):
        if module == "aws_cdk":
            yield from (name for name in members if name.rpartition(".")[2].islower())
        elif module.startswith("aws_cdk."):
            yield module


def test_make_help_names_every_target_a_person_needs() -> None:
    answer = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tiers = [tier.replace("_", "-") for tier in TIERS]
    assert all(
        f"make {target} " in answer for target in ("acceptance", "demo", "test", "check", "synth", "setup", *tiers)
    )


def test_every_folder_of_tests_is_a_tier_that_its_target_runs_or_no_test_at_all() -> None:
    folders = {file.relative_to(ROOT / "tests").parts[0] for file in (ROOT / "tests").rglob("test_*.py")}
    assert folders == set(TIERS)
    for tier in TIERS:
        said = subprocess.run(
            ["make", "--no-print-directory", "-n", tier.replace("_", "-")],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert said.rstrip().endswith(f" tests/{tier}")


def drawn(root: str) -> set[str]:
    """What the tree of that name in docs/architecture.md has: files, and folders with a slash behind."""
    document = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    picture = document.split(f"```\n{root}/\n")[1].split("```")[0]
    told: set[str] = set()
    folders: list[str] = []
    for indent, name in re.findall(r"^( +)(\S+) ", picture, re.MULTILINE):
        del folders[len(indent) // 2 - 1 :]
        told.add("".join(folders) + name)
        if name.endswith("/"):
            folders.append(name)
    return told


def test_the_picture_of_the_library_is_the_library() -> None:
    """Every module of the library is in docs/architecture.md, and nothing else is."""
    modules = {file for file in LIBRARY.rglob("*.py") if file.name != "__init__.py" and file.parent.name != "tables"}
    folders = {path for path in LIBRARY.rglob("*") if path.is_dir() and path.name != "__pycache__"}
    found = {path.relative_to(LIBRARY).as_posix() for path in modules}
    found |= {f"{path.relative_to(LIBRARY).as_posix()}/" for path in folders}
    assert drawn("totes") == found, "docs/architecture.md draws the tree"


def test_the_picture_of_the_page_is_the_page() -> None:
    source = ROOT / "dashboard" / "src"
    found = {path.relative_to(source).as_posix() + "/" * path.is_dir() for path in source.rglob("*")}
    assert drawn("src") == found, "docs/architecture.md draws the tree"
