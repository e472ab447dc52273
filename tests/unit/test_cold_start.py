import subprocess
import sys
from pathlib import Path

import pytest

LAMBDAS = Path(__file__).parents[2] / "lambdas"

LOOK = """
import gc, logging, sys
import handler
library = logging.getLogger("totes")
print(gc.isenabled(), gc.get_freeze_count() > 10_000, len(library.handlers), logging.getLevelName(library.level))
print(*({"boto3", "s3transfer"} & set(sys.modules)))
"""


@pytest.mark.parametrize("function", sorted(folder.name for folder in LAMBDAS.iterdir() if folder.is_dir()))
def test_a_function_imports_no_boto3_looks_for_garbage_when_it_is_ready_and_logs_what_the_library_says(
    function: str,
) -> None:
    said = subprocess.run(
        [sys.executable, "-c", LOOK], cwd=LAMBDAS / function, capture_output=True, text=True, check=True
    ).stdout
    assert said.split() == ["True", "True", "1", "INFO"]
