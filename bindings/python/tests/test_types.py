"""The types that the package declares: mypy --strict over it, its stubs and a user's program."""

import pathlib
import subprocess
import sys

import pytest

import ssmgen

# mypy reads the package as installed: the py.typed marker and the stubs are part of the check.
PACKAGE = pathlib.Path(ssmgen.__file__).parent
USER = """
import numpy as np
import numpy.typing as npt
import ssmgen

model = ssmgen.load("m", max_memory="2G", scratch="/tmp")
logits: npt.NDArray[np.float32] = model.logits("ACGT")
seconds: float = model.plan(1000, estimates_time=True).seconds
"""


def mypy(folder, *arguments):
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(folder / "cache")]
    done = subprocess.run(
        [*command, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        env={"MYPYPATH": str(PACKAGE.parent)},
        timeout=600,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("mypy")


def test_the_package_is_strict(folder):
    code, said = mypy(folder, "-p", "ssmgen")
    assert code == 0, said


@pytest.mark.parametrize(
    "line, word",
    [
        ("", "Success"),
        ("text: str = seconds", "Incompatible types in assignment"),
        ("ssmgen.load('m', memory=2)", "Unexpected keyword argument"),
        ("model.plan('1000')", 'incompatible type "str"'),
    ],
)
def test_a_users_program_is_checked(folder, line, word):
    (folder / "user.py").write_text(USER + line + "\n")
    code, said = mypy(folder, "user.py")
    assert (code == 0) == (line == "") and word in said, said


def test_every_name_of_the_extension_has_a_stub():
    stub = (PACKAGE / "_core.pyi").read_text()
    from ssmgen import _core

    for name in dir(_core):
        if name.startswith("_"):
            continue
        thing = getattr(_core, name)
        assert f"class {name}:" in stub or f"def {name}(" in stub, name
        if isinstance(thing, type):
            body = stub.split(f"class {name}:")[1].split("\nclass ")[0]
            for member in (m for m in vars(thing) if not m.startswith("_")):
                assert f" {member}(" in body or f" {member}:" in body, f"{name}.{member}"
