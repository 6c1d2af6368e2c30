"""R, where it is installed."""

import shutil
import subprocess

import pytest


@pytest.fixture(scope="session")
def r():
    """r(code, *arguments): runs R code, which must succeed."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        pytest.skip("R is not installed")

    def run(code, *arguments):
        done = subprocess.run(
            [rscript, "--vanilla", "-e", code, *map(str, arguments)],
            capture_output=True, text=True, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    return run
