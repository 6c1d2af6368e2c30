"""What the Python tests share: where things are, and a way to run the command."""

import os
import pathlib
import subprocess

import pytest

SOURCE_DIR = pathlib.Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def source_dir():
    return SOURCE_DIR


@pytest.fixture(scope="session")
def test_data():
    return SOURCE_DIR / "test_data"


@pytest.fixture(scope="session")
def shared_dir():
    """The folder of large goldens and public data beside the checkout; the test skips without it."""
    path = SOURCE_DIR.parent / "shared"
    if not (path / "golden").is_dir():
        pytest.skip(f"no golden folder in {path}")
    return path


@pytest.fixture(scope="session")
def ssmgen_path():
    """The built command; ctest names it in SSMGEN_COMMAND."""
    path = pathlib.Path(os.environ.get("SSMGEN_COMMAND", SOURCE_DIR / "build" / "bin" / "ssmgen"))
    assert path.is_file(), f"no command at {path}: build it, or set SSMGEN_COMMAND"
    return path


@pytest.fixture
def ssmgen(ssmgen_path, tmp_path):
    """ssmgen(*arguments, exits=0): runs the command in an empty folder, checks how it exits.

    `stdin` may be text or bytes. Returns the finished process: args, returncode, stdout, stderr as
    text (bytes with text=False).
    """

    def run(*arguments, exits=0, stdin=None, text=True, cwd=tmp_path, env=None):
        command = [str(ssmgen_path), *map(str, arguments)]
        done = subprocess.run(
            command,
            input=stdin if stdin is not None else ("" if text else b""),
            capture_output=True,
            text=text,
            cwd=cwd,
            env={**os.environ, "LC_ALL": "C", **(env or {})},
            timeout=600,
        )
        assert done.returncode == exits, (
            f"exit {done.returncode}, expected {exits}: {' '.join(command)}\n"
            f"stdout: {done.stdout}\nstderr: {done.stderr}"
        )
        return done

    return run
