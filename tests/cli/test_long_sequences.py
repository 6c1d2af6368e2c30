"""Long sequences: whatever the plan, the same bytes; what it may take of memory and disk; what a
run that is stopped leaves."""

import contextlib
import json
import os
import re
import resource
import signal
import subprocess
import time

import pytest
from genome_files import fasta_text, random_bases

LENGTH = 20000
SCRATCH = ("--scratch", "scratch")


@pytest.fixture
def long_fasta(tmp_path):
    (tmp_path / "scratch").mkdir()
    path = tmp_path / "long.fa"
    path.write_text(fasta_text({"c": random_bases(LENGTH, 7), "short": random_bases(900, 8)}))
    return path


@pytest.fixture(scope="module")
def least_memory(ssmgen_path, demo, tmp_path_factory):
    """least_memory(*options): a --max-memory little above what a plan can be made for."""
    folder = tmp_path_factory.mktemp("least")
    (folder / "scratch").mkdir()
    (folder / "in.fa").write_text(fasta_text({"c": random_bases(LENGTH, 7)}))
    found = {}

    def refuses(megabytes, options):
        command = (ssmgen_path, "embed", "--model", demo.model, "--whole", "--dry-run", "-o", "o.npy",
                   "--max-memory", f"{megabytes}M", *options, "in.fa")  # fmt: skip
        return subprocess.run(list(map(str, command)), cwd=folder, capture_output=True).returncode

    def run(*options):
        if options not in found:
            found[options] = next(n for n in range(10, 400, 2) if not refuses(n, options)) + 8
        return f"{found[options]}M"

    return run


@pytest.fixture
def plans(least_memory):
    """{plan: its options}, from the fastest to that of the least memory."""

    def run(*options):
        return {
            "kept": options,
            "folded": (*options, "--max-memory", least_memory(*options)),
            "chunk": (*options, *SCRATCH, "--max-memory", "400M", "--chunk", 3000),
            "scratch": (*options, *SCRATCH, "--max-memory", least_memory(*options, *SCRATCH)),
        }

    return run


def plan_of(done):
    return re.search(r"model: (.*)", done.stderr).group(1)


def run_plans(ssmgen, tmp_path, plans, command, out, *arguments):
    """{plan: (what was said, the bytes of `out`)}"""
    found = {}
    for name, options in plans.items():
        done = ssmgen(command, "--no-version", "-o", out, *options, *arguments)
        found[name] = plan_of(done), (tmp_path / out).read_bytes()
        assert list((tmp_path / "scratch").iterdir()) == []
    return found


@pytest.mark.parametrize(
    "dtype, options",
    [
        ("f32", ("--pool", "mean")),
        ("f32", ("--layer", "all")),
        ("bf16", ("--strand", "concat", "--layer", 2)),
    ],
)
def test_embed_gives_the_same_bytes_for_every_plan(
    ssmgen, demo, tmp_path, long_fasta, plans, dtype, options
):
    given = ("--model", demo.model, "--whole", *options, long_fasta)
    found = run_plans(ssmgen, tmp_path, plans("--dtype", dtype), "embed", "out.npy", *given)
    assert "all inputs kept" in found["kept"][0]
    assert "a strand in memory" in found["folded"][0]
    assert "chunks of 3,072" in found["chunk"][0]
    assert dtype == "bf16" or "in a scratch file" in found["scratch"][0]
    assert len({data for _, data in found.values()}) == 1


@pytest.mark.parametrize("score", ["logp", "channel:3"])
def test_track_gives_the_same_bytes_for_every_plan(ssmgen, demo, tmp_path, long_fasta, plans, score):
    given = ("--model", demo.model, "--whole", "--score", score, long_fasta)
    # Where every position is read a strand's rows wait for the other's, so that memory alone does
    # not do in as little as for pooling.
    chosen = {name: options for name, options in plans().items() if name != "folded"}
    found = run_plans(ssmgen, tmp_path, chosen, "track", "out.bw", *given)
    assert "in a scratch file" in found["scratch"][0]
    assert len({data for _, data in found.values()}) == 1


def test_a_causal_model_keeps_nothing(ssmgen, demo, tmp_path, long_fasta):
    given = ("--model", demo.causal_model, "--whole", "--pool", "mean", "-o", "out.npy", long_fasta)
    assert "nothing kept" in plan_of(ssmgen("embed", *given))
    bytes_of = (tmp_path / "out.npy").read_bytes()
    ssmgen("embed", *given, "--chunk", 30000)
    assert (tmp_path / "out.npy").read_bytes() == bytes_of


def test_scores_of_a_long_window_do_not_depend_on_the_plan(ssmgen, demo, tmp_path, plans):
    source = tmp_path / "in.vcf"
    lines = demo.vcf.read_text().splitlines()
    head = [line for line in lines if line.startswith("#")]
    source.write_text("\n".join(head + [line for line in lines if line[0] != "#"][:3]) + "\n")
    given = ("--model", demo.model, "--fasta", demo.fasta, "--window", 20000, "--no-version")
    (tmp_path / "scratch").mkdir()
    found = set()
    for options in plans().values():
        ssmgen("score", *given, *options, "-o", "out.vcf", source)
        found.add((tmp_path / "out.vcf").read_bytes())
    assert len(found) == 1


def test_a_dry_run_tells_the_plan_and_writes_nothing(ssmgen, demo, tmp_path, long_fasta, plans):
    before = set(tmp_path.iterdir())
    for command, more in {
        "embed": ("--whole", "-o", "out.npy", long_fasta),
        "track": ("--whole", "-o", "out.bw", long_fasta),
        "score": ("--fasta", demo.fasta, "--window", LENGTH, demo.vcf),
    }.items():
        done = ssmgen(command, "--model", demo.model, "--dry-run", *more, *plans()["scratch"])
        told = plan_of(done)
        assert f"up to {LENGTH:,} bases a sequence" in told
        assert re.search(r"takes [\d.]+ MB of memory, [\d.]+ MB of scratch, about [\d.]+ s", told)
        assert done.stdout == ""
    told = ssmgen("bench", "--model", demo.model, "--length", 100, "--dry-run").stdout
    assert re.match(r"up to 100 bases a sequence, in one piece; takes [\d.]+ MB of memory, ", told)
    # But for the index that reading a FASTA by place makes.
    assert {path for path in tmp_path.iterdir() if path.suffix != ".fai"} == before


def test_bench_tells_its_plan(ssmgen, demo, least_memory):
    given = ("--model", demo.model, "--length", LENGTH, "--repeats", 1, "--no-warm-up", "--json")
    # The measuring of rates takes some memory, too.
    limit = f"{int(least_memory()[:-1]) + 24}M"
    found = json.loads(ssmgen("bench", *given, "--max-memory", limit).stdout)
    assert (found["mode"], found["stream_place"]) == ("folded", "device")
    assert found["chunk"] % 1024 == 0
    assert json.loads(ssmgen("bench", *given).stdout)["mode"] == "kept"


def test_what_does_not_fit_is_refused_with_what_helps(ssmgen, demo, tmp_path, long_fasta):
    given = ("embed", "--model", demo.model, "--whole", "-o", "out.npy", long_fasta)
    done = ssmgen(*given, "--max-memory", "40M", exits=1)
    for part in ("20000 bases", "of --max-memory", "--scratch DIR"):
        assert part in done.stderr
    assert not (tmp_path / "out.npy").exists()
    assert "bytes, as 500M" in ssmgen(*given, "--max-memory", "much", exits=2).stderr
    assert "--max-memory" in ssmgen(*given, "--device-memory", "1G", exits=2).stderr
    done = ssmgen(*given, "--max-memory", "40M", "--scratch", "/nowhere/at/all", exits=1)
    assert "/nowhere/at/all" in done.stderr


def measured(command, limit_bytes, folder):
    """Peak memory of a run under a limit of address space, in bytes."""

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, limit_bytes))

    process = subprocess.Popen(list(map(str, command)), cwd=folder, preexec_fn=limit,
                               stderr=subprocess.PIPE, text=True)  # fmt: skip
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said
    return usage.ru_maxrss * 1024


def test_memory_stays_below_the_limit_and_does_not_grow(
    ssmgen_path, demo, tmp_path, least_memory
):
    """Three times the bases under the same limit, in as much memory."""
    (tmp_path / "scratch").mkdir()
    peaks = []
    for length in (LENGTH, 3 * LENGTH):
        (tmp_path / "in.fa").write_text(fasta_text({"c": random_bases(length, 9)}))
        command = (ssmgen_path, "embed", "--model", demo.model, "--whole", "--pool", "mean",
                   *SCRATCH, "--max-memory", least_memory(*SCRATCH), "--threads", 1,
                   "-o", "out.npy", "in.fa")  # fmt: skip
        peaks.append(measured(command, 400 * 10**6, tmp_path))
    # The stream of the longer one is 20 MB larger, a strand's rows as much again.
    assert peaks[1] - peaks[0] < 8e6
    assert max(peaks) < 90e6


def open_files(pid):
    """What a process has open by now; a descriptor may be closed while they are listed."""
    paths = []
    for descriptor in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            paths.append(os.readlink(f"/proc/{pid}/fd/{descriptor}"))
    return paths


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_leaves_nothing_in_the_scratch_folder(
    ssmgen_path, demo, tmp_path, long_fasta, least_memory, number
):
    scratch = tmp_path / "scratch"
    command = (ssmgen_path, "embed", "--model", demo.model, "--whole", "--pool", "mean",
               *SCRATCH, "--max-memory", least_memory(*SCRATCH), "-o", "out.npy", long_fasta)  # fmt: skip
    process = subprocess.Popen(list(map(str, command)), cwd=tmp_path, stderr=subprocess.PIPE)
    end = time.monotonic() + 60
    # Until the file without a name is in use.
    while time.monotonic() < end and process.poll() is None:
        if any(str(scratch) in path for path in open_files(process.pid)):
            break
        time.sleep(0.005)
    assert process.poll() is None and time.monotonic() < end
    time.sleep(0.2)
    process.send_signal(number)
    assert process.wait(30) != 0
    assert list(scratch.iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} <= {
        "scratch", "long.fa", *[f"out.npy{x}.part" for x in ("", ".tsv", ".json")]
    }  # fmt: skip
