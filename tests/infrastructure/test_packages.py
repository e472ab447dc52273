import os
import stat
from pathlib import Path

import pytest

from app import make_stacks
from stacks import config, packages
from stacks.dependencies import built_layer
from stacks.packages import LIMIT_BYTES, PackageTooLarge, check_size, code_of, size_of
from tests.support.templates import Synthesised, new_app


def test_the_limit_is_lambdas() -> None:
    assert LIMIT_BYTES == 262_144_000


def test_a_package_within_the_limit_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "module.py").write_bytes(b"x" * 100)
    monkeypatch.setattr(packages, "LIMIT_BYTES", 100)
    check_size("it", {tmp_path: size_of(tmp_path)})


def test_a_package_over_the_limit_is_refused_with_the_size_of_each_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, size in (("function", 60), ("layer", 41)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "module.py").write_bytes(b"x" * size)
    monkeypatch.setattr(packages, "LIMIT_BYTES", 100)
    with pytest.raises(PackageTooLarge, match=r"it with its layers is 101 bytes.*allows 100.*function 60, layer 41"):
        check_size("it", {folder: size_of(folder) for folder in (tmp_path / "function", tmp_path / "layer")})


def test_a_synth_whose_functions_do_not_fit_into_lambda_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "LIMIT_BYTES", 1_000_000)
    with pytest.raises(PackageTooLarge, match="totes-dev-raw_data_to_ingestion_bucket with its layers is"):
        make_stacks(new_app(tmp_path), config.named("dev"))


def test_what_an_interpreter_leaves_behind_is_not_counted(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_bytes(b"x")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "module.cpython-311.pyc").write_bytes(b"x" * 50)
    assert size_of(tmp_path) == 1


def test_a_package_is_readable_by_lambda_whatever_the_umask_of_the_clone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "_PACKAGES", tmp_path / "packages")
    before = os.umask(0o077)
    try:
        (tmp_path / "function" / "parts").mkdir(parents=True)
        (tmp_path / "function" / "parts" / "module.py").write_bytes(b"x")
        code_of(tmp_path / "function")
    finally:
        os.umask(before)
    [packed] = (tmp_path / "packages").iterdir()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (packed, *packed.rglob("*"))}
    assert modes == {packed.name: 0o755, "parts": 0o755, "module.py": 0o644}


def layer(synthesised: Synthesised, name: str) -> Path:
    """The folder that a layer is packed from."""
    [key] = [
        each["Properties"]["Content"]["S3Key"]
        for logical_id, each in synthesised.resources("AWS::Lambda::LayerVersion").items()
        if logical_id.startswith(f"Layers{name}")
    ]
    return synthesised.folder / f"asset.{key.removesuffix('.zip')}"


def test_what_an_interpreter_leaves_behind_is_not_packed(synthesised: Synthesised) -> None:
    packed = set(synthesised.folder.glob("asset.*")) - {layer(synthesised, "Dependencies")}
    functions = synthesised.resources("AWS::Lambda::Function")
    assert len(packed) == len(functions) + len(["the library", "the certificates"])
    assert not [path for asset in packed for path in asset.rglob("*") if path.name in {"__pycache__", ".DS_Store"}]


def test_the_library_layer_is_importable_as_totes(synthesised: Synthesised) -> None:
    assert (layer(synthesised, "Library") / "python" / "totes" / "errors.py").is_file()


def test_the_dependency_layer_is_the_one_that_was_built(synthesised: Synthesised) -> None:
    built = built_layer(config.named(synthesised.name).target)
    assert size_of(layer(synthesised, "Dependencies")) == size_of(built)
