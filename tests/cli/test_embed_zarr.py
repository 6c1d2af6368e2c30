"""`ssmgen embed` into Zarr v3, and what a stopped run of any kind of output leaves."""

import json
import signal
import subprocess
import time

import numpy as np
import pytest
import zarr
from genome_files import fasta_text, random_bases

CONTIGS = {"one": random_bases(2500, 1), "two": random_bases(150, 2), "three": random_bases(900, 3)}


@pytest.fixture
def embed(ssmgen, demo, tmp_path):
    (tmp_path / "in.fa").write_text(fasta_text(CONTIGS))

    def run(out, *options, source="in.fa", **how):
        return ssmgen("embed", "--model", demo.small_model, "-o", out, *options, source, **how)

    return run


def files_of(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("rows", [0, 7, 100, 100_000])
@pytest.mark.parametrize(
    "options",
    [(), ("--layer", "all"), ("--pool", "mean", "--layer", "all"), ("--pool", "max")],
    ids=lambda options: " ".join(options) or "per base",
)
def test_zarr_python_reads_what_npy_holds(embed, tmp_path, rows, options):
    options = ("--window", 300, *options)
    embed("a.npy", *options)
    embed("a.zarr", *options, "--chunk-rows", rows)
    array = zarr.open_array(tmp_path / "a.zarr", mode="r")
    expected = np.load(tmp_path / "a.npy")
    assert array.shape == expected.shape and array.dtype == np.float32
    assert np.array_equal(array[:], expected)
    assert array.metadata.zarr_format == 3
    assert array.metadata.dimension_names == (("layer",) if len(array.shape) == 3 else ()) + (
        "row", "channel")  # fmt: skip
    assert array.attrs["embed"]["window"] == 300 and len(array.attrs["model"]["sha256"]) == 64
    if rows:
        assert array.chunks[-2] == rows
    assert (tmp_path / "a.npy.tsv").read_bytes() == (tmp_path / "a.zarr.tsv").read_bytes()
    names = {path.name for path in tmp_path.iterdir()}
    assert {name for name in names if name.startswith("a.zarr")} == {
        "a.zarr", "a.zarr.tsv", "a.zarr.json"}  # fmt: skip
    provenance = json.loads((tmp_path / "a.zarr.json").read_text())
    assert provenance["output"]["type"] == "zarr"


def test_bytes_do_not_depend_on_threads_and_batches(embed, tmp_path):
    expected = None
    for number, plan in enumerate([(), ("--threads", 1), ("--threads", 6, "--batch", 2)]):
        embed(f"{number}.zarr", "--window", 200, "--chunk-rows", 50, "--layer", "all", *plan)
        files = files_of(tmp_path / f"{number}.zarr")
        files["zarr.json"] = files["zarr.json"].replace(f"{number}.zarr".encode(), b"x.zarr")
        expected = expected or files
        assert files == expected
        assert len(files) > 100


def test_a_stream_gives_the_same_array(embed, tmp_path):
    embed("a.zarr", "--layer", "all", "--chunk-rows", 64)
    embed("b.zarr", "--layer", "all", "--chunk-rows", 64, source="-", stdin=fasta_text(CONTIGS))
    a, b = (zarr.open_array(tmp_path / name, mode="r")[:] for name in ("a.zarr", "b.zarr"))
    assert np.array_equal(a, b)


def test_an_older_array_is_replaced_at_the_end(embed, tmp_path):
    embed("a.zarr", "--pool", "mean")
    embed("a.zarr", "--pool", "max", "--chunk-rows", 2)
    assert zarr.open_array(tmp_path / "a.zarr", mode="r").attrs["embed"]["pool"] == "max"
    assert not (tmp_path / "a.zarr.old").exists()


@pytest.mark.parametrize("name", ["a.zarr", "a.zarr.part"])
def test_what_is_no_array_is_left_alone(embed, tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "thesis.txt").write_text("mine")
    assert f"{name}: is there and" in embed("a.zarr", exits=2).stderr
    assert (tmp_path / name / "thesis.txt").read_text() == "mine"


# -- runs that are stopped -------------------------------------------------------------------------


@pytest.fixture
def long_command(ssmgen_path, demo, tmp_path):
    """A command line that takes many seconds."""
    (tmp_path / "long.fa").write_text(fasta_text({"c": random_bases(60000, 31)}))

    def command(out, *options):
        given = ("--model", demo.model, "--window", 256, "--stride", 64, "--quiet", "-o", out)
        return [str(x) for x in (ssmgen_path, "embed", *given, *options, tmp_path / "long.fa")]

    return command


def chunks_there(part):
    return len([path for path in part.glob("c/*/0")])


def stop(command, is_time, number, folder):
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE)
    end = time.monotonic() + 60
    while not is_time() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.005)
    assert is_time(), process.communicate()[1]
    process.send_signal(number)
    assert process.wait(30) != 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL, signal.SIGHUP])
@pytest.mark.parametrize("out", ["out.npy", "out.zarr", "out.tsv"])
def test_a_stopped_run_leaves_no_finished_looking_file(long_command, tmp_path, out, number):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    command = long_command(out, "--scratch", scratch, *(["--pool", "mean"] if "tsv" in out else []))
    part = tmp_path / f"{out}.part"
    stop(command, part.exists, number, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names <= {"scratch", "long.fa", *[f"{out}{x}.part" for x in ("", ".tsv", ".json")]}
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_stopped_run_is_gone_on_with_to_the_same_bytes(long_command, tmp_path, number):
    options = ("--chunk-rows", 500, "--no-version")
    (tmp_path / "whole").mkdir()
    subprocess.run(long_command("out.zarr", *options), cwd=tmp_path / "whole", check=True)
    part = tmp_path / "out.zarr.part"
    stops = 0
    for wanted in (5, 40, 80):
        resume = ("--resume",) if stops else ()
        stop(long_command("out.zarr", *options, *resume), lambda: chunks_there(part) >= wanted,
             number, tmp_path)  # fmt: skip
        assert not (tmp_path / "out.zarr").exists()
        stops += 1
    assert chunks_there(part) >= 80
    kept = {path: path.stat().st_mtime_ns for path in part.glob("c/*/0")}
    subprocess.run(long_command("out.zarr", *options, "--resume"), cwd=tmp_path, check=True)
    for name in ("out.zarr.tsv", "out.zarr.json"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    files = files_of(tmp_path / "out.zarr")
    assert files == files_of(tmp_path / "whole" / "out.zarr")
    assert not part.exists()
    for path, written in kept.items():
        again = tmp_path / "out.zarr" / path.relative_to(part)
        assert again.stat().st_mtime_ns == written, "a chunk that was there was made again"


def test_only_the_same_run_is_gone_on_with(long_command, tmp_path, ssmgen):
    part = tmp_path / "out.zarr.part"
    options = {"--chunk-rows": 500}
    command = long_command("out.zarr", "--chunk-rows", 500)
    stop(command, lambda: chunks_there(part) >= 3, signal.SIGKILL, tmp_path)
    for other in ({"--strand": "plus"}, {"--chunk-rows": 400}, {"--layer": "1"}):
        given = [word for pair in {**options, **other}.items() for word in pair]
        command = long_command("out.zarr", *given)
        done = subprocess.run([*command, "--resume"], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 2 and "another input, model or options" in done.stderr
    assert chunks_there(part) >= 3
    # Without --resume it begins anew.
    stop(long_command("out.zarr", "--chunk-rows", 400), lambda: chunks_there(part) == 1,
         signal.SIGKILL, tmp_path)  # fmt: skip


def test_resume_is_for_zarr(embed):
    assert "--resume goes on with Zarr" in embed("a.npy", "--resume", exits=2).stderr

