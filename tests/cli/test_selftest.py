"""`ssmgen selftest`: passes on what the references computed, and fails when it should."""

import re
import shutil
import subprocess

import numpy as np
import pytest
from make_goldens import read_safetensors, write_safetensors

LINE = re.compile(
    r"^  (\S+) +([0-9.e+-]+|nan|inf) +([0-9.e+-]+|nan|inf) +([0-9.e+-]+)  (PASS|FAIL)$"
)


def checks(text):
    """[(tensor, max abs, relative norm, tolerance, verdict)]"""
    found = [LINE.match(line) for line in text.splitlines()]
    return [(m[1], float(m[2]), float(m[3]), float(m[4]), m[5]) for m in found if m is not None]


@pytest.fixture
def golden(tmp_path, demo):
    """edited(name, change): a golden whose expected tensor was changed by change(values)."""

    def edited(name, change, source=demo.causal_model):
        folder = tmp_path / "golden"
        shutil.copytree(source, folder)
        tensors = dict(read_safetensors(folder / "expected.safetensors"))
        dtype, shape, raw = tensors[name]
        values = np.frombuffer(raw, "<f4").copy()
        change(values)
        tensors[name] = (dtype, shape, values.tobytes())
        write_safetensors(folder / "expected.safetensors", tensors)
        return folder

    return edited


def test_each_bundled_golden_passes(ssmgen, test_data):
    folders = sorted(x for x in (test_data / "golden").iterdir() if x.is_dir())
    assert len(folders) == 4
    given = [x for folder in folders for x in ("--golden", folder)]
    done = ssmgen("selftest", *given)
    found = checks(done.stdout)
    assert {x[4] for x in found} == {"PASS"}
    assert all(relative <= tolerance == 5e-6 for _, _, relative, tolerance, _ in found)
    assert sum(x[0] == "logits" for x in found) == 4
    assert [line.split(" (")[0] for line in done.stdout.splitlines() if line.startswith("/")] == [
        str(folder) for folder in folders
    ]
    assert f"{len(found)} tensors passed, 0 failed" in done.stdout


def test_without_a_name_the_bundled_ones_are_run(ssmgen_path, tmp_path, test_data):
    """Those of the sources that a build folder lies in; the command is copied to such a place."""
    place = tmp_path / "project" / "build" / "bin" / "ssmgen"
    place.parent.mkdir(parents=True)
    shutil.copy2(ssmgen_path, place)
    bundled = tmp_path / "project" / "test_data"
    bundled.symlink_to(test_data)

    def run():
        environment = {"LD_LIBRARY_PATH": str(ssmgen_path.parent.parent / "lib")}
        return subprocess.run([place, "selftest"], capture_output=True, text=True, env=environment)

    done = run()
    assert done.returncode == 0, done.stderr
    assert sum(x[0] == "logits" for x in checks(done.stdout)) == 4 and "0 failed" in done.stdout
    bundled.unlink()
    lost = run()
    assert lost.returncode == 1 and "name one with --golden" in lost.stderr


def test_every_golden_of_the_first_models(ssmgen, shared_dir):
    names = ["caduceus_*", "mamba_lm", "hf_mamba"]
    folders = sorted(x for name in names for x in (shared_dir / "golden").glob(name))
    assert len(folders) == 8
    found = checks(ssmgen("selftest", *folders).stdout)
    assert {x[4] for x in found} == {"PASS"}
    assert max(x[2] for x in found) < 5e-6


@pytest.mark.parametrize("name", ["logits", "hidden_states.1"])
def test_one_wrong_value_fails_its_tensor_alone(ssmgen, golden, name):
    def change(values):
        values[len(values) // 2] += 1.0

    done = ssmgen("selftest", "--golden", golden(name, change), exits=1)
    found = {x[0]: x for x in checks(done.stdout)}
    assert {tensor for tensor, check in found.items() if check[4] == "FAIL"} == {name}
    assert found[name][1] == pytest.approx(1.0, abs=1e-3)
    assert f"{len(found) - 1} tensors passed, 1 failed" in done.stdout


def test_an_error_just_above_the_tolerance_fails(ssmgen, golden):
    def scaled(factor):
        def change(values):
            values *= np.float32(factor)

        return change

    folder = golden("logits", scaled(1 + 2e-5))
    done = ssmgen("selftest", "--golden", folder, exits=1)
    (logits,) = [x for x in checks(done.stdout) if x[0] == "logits"]
    assert logits[2] == pytest.approx(2e-5, rel=0.05) and logits[4] == "FAIL"


def test_a_nan_fails(ssmgen, golden):
    def change(values):
        values[3] = np.nan

    done = ssmgen("selftest", "--golden", golden("logits", change), exits=1)
    assert {x[4] for x in checks(done.stdout) if x[0] == "logits"} <= {"FAIL"}
    assert "PASS" not in "".join(x for x in done.stdout.splitlines() if "logits" in x)


def test_a_failure_does_not_hide_behind_a_golden_that_passes(ssmgen, golden, demo):
    def change(values):
        values[0] += 1.0

    broken = golden("logits", change)
    for order in ((broken, demo.small_model), (demo.small_model, broken)):
        given = [x for folder in order for x in ("--golden", folder)]
        done = ssmgen("selftest", *given, exits=1)
        assert "1 failed" in done.stdout and done.stdout.count("PASS") == 4


def test_bf16_has_its_own_tolerance(ssmgen, demo):
    found = checks(ssmgen("selftest", "--golden", demo.small_model, "--dtype", "bf16").stdout)
    assert {x[4] for x in found} == {"PASS"}
    assert all(1e-4 < relative and tolerance > 1e-3 for _, _, relative, tolerance, _ in found)


def test_a_folder_that_is_no_golden_is_refused(ssmgen, demo, tmp_path):
    done = ssmgen("selftest", "--golden", demo.model, exits=1)
    assert "expected.safetensors" in done.stderr
    done = ssmgen("selftest", "--golden", tmp_path / "none", exits=1)
    assert "none" in done.stderr
