import subprocess
import sys
from pathlib import Path

import pytest

LAMBDAS = Path(__file__).parents[2] / "lambdas"

LOOK = """
import gc, sys
import handler
print(gc.isenabled(), gc.get_freeze_count() > 10_000, *({"boto3", "s3transfer"} & set(sys.modules)))
"""


@pytest.mark.parametrize("function", sorted(folder.name for folder in LAMBDAS.iterdir() if folder.is_dir()))
def test_a_function_imports_no_boto3_and_looks_for_garbage_only_when_it_is_ready(function: str) -> None:
    said = subprocess.run(
        [sys.executable, "-c", LOOK], cwd=LAMBDAS / function, capture_output=True, text=True, check=True
    ).stdout
    assert said.split() == ["True", "True"]
