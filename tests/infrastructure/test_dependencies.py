import hashlib
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.tags import compatible_tags, cpython_tags, parse_tag

from stacks import config
from stacks.certificates import built_certificates
from stacks.dependencies import LOCK, ROOT, LayerNotBuilt, built_layer, fingerprint
from stacks.target import LAMBDA, Target

ELF, AARCH64 = b"\x7fELF", 183


def content(layer: Path) -> dict[str, tuple[str, int]]:
    """Every file's hash and mode, by its path."""
    return {
        str(path.relative_to(layer)): (hashlib.sha256(path.read_bytes()).hexdigest(), stat.S_IMODE(path.stat().st_mode))
        for path in layer.rglob("*")
        if path.is_file()
    }


def machines(layer: Path) -> Iterator[tuple[str, int]]:
    """The processor that each binary of a layer is for, in ELF's numbers."""
    for path in layer.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                header = file.read(20)
            if header.startswith(ELF):
                yield path.name, int.from_bytes(header[18:20], "little")


@pytest.mark.parametrize("target", [Target.host(), LAMBDA], ids=["host", "lambda"])
def test_the_same_lock_gives_the_same_bytes_whatever_the_umask(target: Target, tmp_path: Path) -> None:
    ready = content(built_layer(target))
    before = os.umask(0o077)
    try:
        again = content(built_layer(target, store=tmp_path))
    finally:
        os.umask(before)
    assert again == ready


def test_a_layer_that_is_there_is_not_built_again(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = built_layer(LAMBDA)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("built again"))
    assert built_layer(LAMBDA) == layer


def test_lock_machine_and_python_each_make_another_layer(tmp_path: Path) -> None:
    longer = tmp_path / "requirements.lock"
    longer.write_bytes(LOCK.read_bytes() + b"\n")
    targets = [
        LAMBDA,
        Target(python="3.14", machine="arm64", wheels=LAMBDA.wheels),
        Target(python="3.13", machine="x86_64", wheels="x86_64-manylinux_2_28"),
        Target(python="3.13", machine="x86_64", wheels=None),
    ]
    prints = {fingerprint(target, lock) for target in targets for lock in (LOCK, longer)}
    assert len(prints) == len(targets) * 2
    assert fingerprint(LAMBDA) == fingerprint(LAMBDA)


def test_lambdas_layer_is_all_aarch64() -> None:
    found = dict(machines(built_layer(LAMBDA)))
    assert set(found.values()) == {AARCH64}
    assert any("psycopg" in name for name in found)
    assert any("polars" in name for name in found)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where interpreters that import from a layer keep what they compile, which takes most of their time."""
    return tmp_path_factory.mktemp("compiled")


def test_the_hosts_layer_is_enough_for_the_functions_imports(compiled: Path) -> None:
    layer = built_layer(Target.host()) / "python"
    script = (
        "import polars, psycopg2, botocore.session, aws_lambda_powertools\n"
        "assert polars.DataFrame({'a': [1, 2]}).select(polars.col('a').sum()).item() == 3\n"
        "for module in (polars, psycopg2, botocore, aws_lambda_powertools): print(module.__file__)"
    )
    ran = subprocess.run(
        [sys.executable, "-S", "-X", f"pycache_prefix={compiled}", "-c", script],
        env={"PYTHONPATH": str(layer)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert all(Path(line).is_relative_to(layer) for line in ran.stdout.splitlines())


def test_a_layer_knows_the_services_that_functions_call_and_no_others() -> None:
    called = {
        service
        for path in (*(ROOT / "layers").rglob("*.py"), *(ROOT / "lambdas").rglob("*.py"))
        for service in re.findall(r"(?:create_client|client)\(\s*\"([a-z0-9-]+)\"", path.read_text(encoding="utf-8"))
    }
    data = built_layer(LAMBDA) / "python" / "botocore" / "data"
    assert {path.name for path in data.iterdir() if path.is_dir()} == called
    assert (data / "endpoints.json").exists()


@pytest.mark.parametrize("target", [Target.host(), LAMBDA], ids=["host", "lambda"])
def test_a_layer_says_nothing_of_who_built_it(target: Target) -> None:
    layer = built_layer(target)
    assert [path.name for path in layer.iterdir()] == ["python"]
    assert not (layer / "python" / "bin").exists()
    assert not [path for path in layer.rglob("*") if path.name in {"RECORD", "INSTALLER", "REQUESTED", ".lock"}]


def test_a_package_that_is_not_the_locked_one_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"six==1.17.0 --hash=sha256:{'0' * 64}\n")
    store = tmp_path / "store"
    with pytest.raises(LayerNotBuilt, match=r"Python 3\.13 on aarch64-manylinux_2_28 was not built.*uv says: .+"):
        built_layer(LAMBDA, lock, store)
    assert list(store.iterdir()) == []


# What is deployed to Lambda: wheels of its Python, its machine and its system


def deployed_packages() -> Path:
    return built_layer(config.named("prod").target) / "python"


def test_every_wheel_of_the_deployed_layer_is_for_lambdas_python_and_system() -> None:
    fitting = {
        *cpython_tags((3, 13), platforms=[f"manylinux_2_{minor}_aarch64" for minor in range(17, 35)]),
        *cpython_tags((3, 13), platforms=["manylinux2014_aarch64"]),
        *compatible_tags((3, 13)),
    }
    wheels = list(deployed_packages().glob("*.dist-info/WHEEL"))
    assert len(wheels) > 5
    for wheel in wheels:
        tags = re.findall(r"^Tag: (.+)$", wheel.read_text(), flags=re.MULTILINE)
        assert any(parse_tag(tag) & fitting for tag in tags), f"{wheel.parent.name}: {tags}"


@pytest.mark.parametrize("function", sorted(path.parent.name for path in (ROOT / "lambdas").glob("*/handler.py")))
def test_every_function_imports_from_its_own_packages_alone(function: str, compiled: Path) -> None:
    """As Lambda has them: nothing of this environment's is on the path."""
    packages = [built_layer(Target.host()) / "python", built_certificates() / "python", ROOT / "layers/totes/python"]
    path = [str(ROOT / "lambdas" / function), *map(str, packages)]
    program = f"import sys; sys.path[:0] = {path!r}; import handler; assert callable(handler.handler)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-X", f"pycache_prefix={compiled}", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={"AWS_DEFAULT_REGION": "eu-west-2"},
    )
    assert done.returncode == 0, done.stderr
