"""Subinterpreters, which cannot use the package and are told so. Forks are in test_model.py."""

import importlib.util
import subprocess
import sys

import pytest

MODULES = ("_interpreters", "_xxsubinterpreters")

# What each Python has of PEP 554 differs; run_string is in all of them.
CODE = """
import importlib
{first}
interpreters = importlib.import_module({module!r})
number = interpreters.create()
said = interpreters.run_string(number, {inner!r})
assert said is None, said
interpreters.destroy(number)
{last}
print("main goes on")
"""

INNER = """
import sys
try:
    import ssmgen
    print("imported")
except ImportError as error:
    print(type(error).__name__, error)
print("numpy" in sys.modules, flush=True)
"""


@pytest.mark.parametrize("main_has_it", [False, True])
def test_a_subinterpreter_is_told(data, main_has_it):
    module = next((name for name in MODULES if importlib.util.find_spec(name)), None)
    if module is None:
        pytest.skip("this Python has no subinterpreters to make")
    model = f"ssmgen.load({str(data.small)!r}).logits('ACGT')"
    code = CODE.format(
        first=f"import ssmgen; {model}" if main_has_it else "",
        module=module,
        inner=INNER,
        last=f"import ssmgen; assert {model}.shape[0] == 4",
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    told, has_numpy, end = done.stdout.splitlines()
    assert told.startswith("ImportError") and "subinterpreter" in told
    assert sys.version_info >= (3, 12) or "use threads, which may share a model" in told
    # Nothing half made is left behind, and what the main interpreter has goes on.
    assert (has_numpy, end) == ("False", "main goes on")
