"""`ssmgen track`: a value for every base, read back by pyBigWig."""

import gzip
import json
import re
import signal
import subprocess
import time

import numpy as np
import pyBigWig
import pytest
from caduceus_f64 import CaduceusPS, tokens_of
from genome_files import fasta_text, random_bases

TOLERANCE = 5e-6  # relative norm, of a model in f32
CONTIGS = {
    "z": random_bases(700, 1),
    "b": random_bases(90, 3) + "N" * 260 + random_bases(60, 4) + "RYAC",
    "a": random_bases(150, 2).lower(),
    "n": "N" * 40,
}


@pytest.fixture
def track(ssmgen, demo, tmp_path):
    """track(*options) -> {contig: values}, NaN where there is none."""
    (tmp_path / "g.fa").write_text(fasta_text(CONTIGS))

    def run(*options, model=demo.small_model, fasta=tmp_path / "g.fa", out="out.bw", **how):
        ssmgen("track", "--model", model, "-o", tmp_path / out, *options, fasta, **how)
        with pyBigWig.open(str(tmp_path / out)) as file:
            return {
                name: np.array(file.values(name, 0, length))
                for name, length in file.chroms().items()
            }

    return run


def error(got, expected):
    return np.linalg.norm(got - expected) / np.linalg.norm(expected)


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[x], b[x], equal_nan=True) for x in a)


def is_base(bases):
    return np.array([base in "ACGT" for base in bases.upper()])


@pytest.mark.parametrize("score", ["logp", "entropy"])
def test_predictions_are_those_of_the_reference(track, demo, score):
    got = track("--score", score, "--whole", model=demo.model)
    reference = CaduceusPS(demo.model)
    assert list(got) == sorted(CONTIGS)
    for name, bases in CONTIGS.items():
        known = is_base(bases)
        assert np.array_equal(~np.isnan(got[name]), known)
        if not known.any():
            continue
        four = reference.base_log_probabilities(tokens_of(bases)[None])[0]
        if score == "logp":
            index = ["ACGT".find(base) for base in bases.upper()]
            expected = four[np.arange(len(bases)), index]
        else:
            expected = -(np.exp(four) * four).sum(-1)
        assert error(got[name][known], expected[known]) < 2 * TOLERANCE


@pytest.mark.parametrize("strand", ["plus", "minus", "mean"])
def test_a_channel_is_that_of_the_embedding(track, ssmgen, demo, tmp_path, strand):
    options = ("--strand", strand, "--window", 200, "--layer", 1)
    got = track("--score", "channel:5", *options)
    ssmgen("embed", "--model", demo.small_model, *options, "-o", "e.npy", tmp_path / "g.fa")
    values = np.load(tmp_path / "e.npy")[:, 5]
    first = 0
    for name, bases in CONTIGS.items():
        expected = np.where(is_base(bases), values[first : first + len(bases)], np.nan)
        assert np.array_equal(got[name], expected, equal_nan=True)
        first += len(bases)


def test_a_causal_model_predicts_a_base_by_those_before_it(track, ssmgen, demo, tmp_path):
    options = {"model": demo.causal_model}
    plus = track("--whole", "--strand", "plus", **options)
    assert np.isnan(plus["z"][0]) and not np.isnan(plus["z"][1:]).any()
    # Another last base changes the value of that base alone.
    contigs = CONTIGS | {"z": CONTIGS["z"][:-1] + ("A" if CONTIGS["z"][-1] != "A" else "C")}
    (tmp_path / "h.fa").write_text(fasta_text(contigs))
    changed = track("--whole", "--strand", "plus", fasta=tmp_path / "h.fa", **options)
    assert np.array_equal(changed["z"][1:-1], plus["z"][1:-1])
    assert changed["z"][-1] != plus["z"][-1]
    complement = {name: bases.upper().translate(str.maketrans("ACGTRYN", "TGCAYRN"))[::-1]
                  for name, bases in CONTIGS.items()}  # fmt: skip
    (tmp_path / "c.fa").write_text(fasta_text(complement))
    of_complement = track("--whole", "--strand", "plus", fasta=tmp_path / "c.fa", **options)
    minus = track("--whole", "--strand", "minus", **options)
    mean = track("--whole", **options)
    for name in ("z", "a"):
        assert np.array_equal(minus[name], of_complement[name][::-1], equal_nan=True)
        expected = (plus[name] + minus[name]) / 2
        assert np.allclose(mean[name], expected, rtol=1e-6, atol=0, equal_nan=True)
        assert np.isnan(mean[name]).sum() == 2  # the first base of either strand


def test_regions_hold_the_values_of_the_whole_track(track, tmp_path):
    regions = [("z", 600, 650), ("b", 0, 100), ("b", 340, 414), ("z", 10, 20), ("z", 15, 30)]
    (tmp_path / "r.bed").write_text("".join(f"{x[0]}\t{x[1]}\t{x[2]}\n" for x in regions))
    expected = track("--window", 100)
    for name, values in expected.items():
        inside = np.zeros(len(values), bool)
        for contig, begin, end in regions:
            if contig == name:
                inside[begin:end] = True
        values[~inside] = np.nan
    assert same(track("--window", 100, "--bed", tmp_path / "r.bed", out="r.bw"), expected)


@pytest.mark.parametrize(
    "options",
    [("--score", "logp"), ("--score", "entropy", "--whole"),
     ("--score", "channel:3", "--strand", "minus")],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize("model", ["small_model", "causal_model"])
def test_same_bytes_for_every_batch_thread_count_and_chunk(track, demo, tmp_path, model, options):
    how = {"model": getattr(demo, model)}
    window = () if "--whole" in options else ("--window", 128)
    track(*options, *window, **how)
    for plan in [("--batch", 1), ("--batch", 3, "--threads", 1), ("--threads", 5), ("--chunk", 64)]:
        track(*options, *window, *plan, out="other.bw", **how)
        assert (tmp_path / "other.bw").read_bytes() == (tmp_path / "out.bw").read_bytes(), plan


def test_many_values_zoom_levels_and_summary(track, tmp_path):
    """More values than a block of the format holds, in runs with gaps between."""
    contigs = {"big": random_bases(30000, 5) + "N" * 10 + random_bases(20000, 6) + "N"}
    contigs |= {f"c{i}": random_bases(100 + i, i) for i in range(30)}
    (tmp_path / "big.fa").write_text(fasta_text(contigs))
    got = track("--window", 512, fasta=tmp_path / "big.fa")
    assert got.keys() == contigs.keys()
    known = {name: values[~np.isnan(values)] for name, values in got.items()}
    everything = np.concatenate(list(known.values()))
    assert len(everything) == 50000 + sum(100 + i for i in range(30))
    assert everything.max() < 0
    with pyBigWig.open(str(tmp_path / "out.bw")) as file:
        header = file.header()
        assert header["nBasesCovered"] == len(everything) and header["nLevels"] > 1
        assert header["maxVal"] == int(everything.max()) and header["minVal"] == int(everything.min())
        for begin, end in ((0, 50000), (1000, 41000)):
            values = got["big"][begin:end]
            coarse = file.stats("big", begin, end, type="mean", nBins=2)
            exact = [np.nanmean(half) for half in np.split(values, 2)]
            assert np.allclose(coarse, exact, rtol=1e-3)
            assert np.isclose(file.stats("big", begin, end, type="max")[0], np.nanmax(values))
    alone = track("--window", 512, "--batch", 1, fasta=tmp_path / "big.fa", out="alone.bw")
    assert same(alone, got)


def test_the_provenance_and_the_plan(track, ssmgen, demo, tmp_path):
    track("--score", "entropy", "--window", 100)
    provenance = json.loads((tmp_path / "out.bw.json").read_text())
    assert provenance["track"] == {
        "score": "entropy", "strand": "both", "window": 100, "stride": 50}  # fmt: skip
    assert {x["name"] for x in provenance["input"]["contigs"]} == set(CONTIGS)
    values = sum(is_base(bases).sum() for bases in CONTIGS.values())
    assert provenance["output"]["values"] == values
    options = ("--model", demo.small_model, "-o", "plan.bw", "--window", 100)
    done = ssmgen("track", *options, "--dry-run", tmp_path / "g.fa")
    assert "4 records, 1,304 bases" in done.stderr and "to plan.bw, plan.bw.json" in done.stderr
    assert not (tmp_path / "plan.bw").exists()
    done = ssmgen("track", *options, "--max-output", "1k", tmp_path / "g.fa", exits=2)
    assert "more than the 1000 of --max-output" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_leaves_no_finished_looking_file(ssmgen_path, demo, tmp_path, number):
    (tmp_path / "g.fa").write_text(fasta_text({"c": random_bases(60000, 31)}))
    command = [ssmgen_path, "track", "--model", demo.model, "--window", 128, "--stride", 32]
    process = subprocess.Popen([str(x) for x in (*command, "-o", "o.bw", "g.fa")], cwd=tmp_path,
                               stderr=subprocess.DEVNULL)  # fmt: skip
    part, end = tmp_path / "o.bw.part", time.monotonic() + 30
    while not part.exists() and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.2)
    process.send_signal(number)
    assert process.wait(30) != 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names <= {"g.fa", "g.fa.fai", "o.bw.part", "o.bw.json.part"}


# The header, the values, the last of them, the index and the zoom levels are what does not fit.
@pytest.mark.parametrize("kilobytes", [4, 64, 116, 120, 124, 140, 180, 200])
def test_a_full_disk_is_an_error(ssmgen, demo, tmp_path, kilobytes):
    (tmp_path / "g.fa").write_text(fasta_text({"c": random_bases(40000, 31)}))
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("nobody may mount a small file system here")
    try:
        options = ("--model", demo.small_model, "--window", 512, "-o", folder / "o.bw")
        done = ssmgen("track", *options, tmp_path / "g.fa", exits=1)
        assert "writing failed: No space left on device" in done.stderr
        assert not (folder / "o.bw").exists() and not (folder / "o.bw.json").exists()
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize(
    "arguments, exits, says",
    [
        (("--score", "loss"), 2, "score 'loss' of a track is not known: choose entropy, logp or"),
        (("--score", "channel:48"), 2, "channel 48 is none of the 48 of caduceus_ps"),
        (("--strand", "concat"), 2, "--strand is plus, minus or mean"),
        (("--layer", "1"), 2, "--layer is for --score channel:N"),
        (("--score", "channel:1", "--layer", "all"), 2, "not --layer all"),
        (("--score", "channel:1", "--layer", "9"), 2, "layer '9' is not one of caduceus_ps"),
        (("--bed", "far.bed"), 1, "far.bed: line 2: the region z:690-701 runs past the end"),
        (("--bed", "unknown.bed"), 1, "unknown.bed: line 1: contig q is not in .*g.fa"),
        (("--bed", "none.bed"), 1, "none.bed: cannot be opened"),
        (("-o", "-"), 2, "cannot go to standard output"),
        (("-o", "/dev/null"), 2, "/dev/null: .*must be a file"),
        (("-o", "none/o.bw"), 2, "the folder none does not exist"),
        (("-o", "g.fa"), 2, "g.fa: is the input itself"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told(ssmgen, demo, tmp_path, arguments, exits, says):
    (tmp_path / "g.fa").write_text(fasta_text(CONTIGS))
    (tmp_path / "far.bed").write_text("z\t0\t10\nz\t690\t701\n")
    (tmp_path / "unknown.bed").write_text("q\t0\t10\n")
    given = () if "-o" in arguments else ("-o", "o.bw")
    done = ssmgen("track", "--model", demo.small_model, *given, *arguments, "g.fa", exits=exits)
    assert re.search(says, done.stderr), done.stderr
    assert not (tmp_path / "o.bw").exists()


def test_a_genome_without_a_base_is_told(ssmgen, demo, tmp_path):
    (tmp_path / "g.fa").write_text(">n\nNNNN\n")
    done = ssmgen("track", "--model", demo.small_model, "-o", "o.bw", "g.fa", exits=1)
    assert "no base has a value" in done.stderr


def test_a_human_megabase(track, demo, shared_dir, tmp_path):
    """160,000 of its bases are N: they have no value and windows of them alone are not run."""
    packed = (shared_dir / "data" / "hg38_chr1_1m.fa.gz").read_bytes()
    (tmp_path / "h.fa").write_bytes(gzip.decompress(packed))
    got = track("--window", 8192, fasta=tmp_path / "h.fa")
    (values,) = got.values()
    assert len(values) == 1_000_000
    bases = "".join((tmp_path / "h.fa").read_text().split("\n")[1:])
    assert np.array_equal(~np.isnan(values), is_base(bases))
    assert np.nanmax(values) < 0
