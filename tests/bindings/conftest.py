"""The command, and R where it is installed."""

import os
import pathlib
import shutil
import subprocess

import pytest

SOURCE_DIR = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def command():
    """command(*arguments): runs ssmgen, which must succeed."""
    path = os.environ.get("SSMGEN_COMMAND", SOURCE_DIR / "build" / "bin" / "ssmgen")

    def run(*arguments):
        done = subprocess.run([str(path), *map(str, arguments)], capture_output=True, timeout=600)
        assert done.returncode == 0, done.stderr.decode()

    return run


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
