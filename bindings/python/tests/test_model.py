"""Models in Python: the bits of the command line, and what is said of bad input."""

import gzip
import importlib.metadata
import os
import pathlib
import subprocess
import sys
import threading

import numpy as np
import pytest
from safetensors_files import read_safetensors
from score_bits import bits_of_the_command, scores_of_both, vcf_rows
from torch_files import View, write_checkpoint

import ssmgen
from ssmgen.convert import convert

SOURCE_DIR = pathlib.Path(__file__).resolve().parents[3]
BASES = np.random.default_rng(5).choice(list("ACGT"), 3000)
READS = ["".join(BASES[i : i + 200 + i % 7]) for i in range(0, 2600, 130)] + ["acgtN", "NNNN", "A"]


def fasta_of(path, reads):
    path.write_text("".join(f">r{i}\n{read}\n" for i, read in enumerate(reads)))
    return path


def test_the_version_is_that_of_the_library():
    cmake = (SOURCE_DIR / "CMakeLists.txt").read_text()
    assert f"  VERSION {ssmgen.__version__}\n" in cmake
    assert importlib.metadata.version("ssmgen") == ssmgen.__version__


def test_import_needs_numpy_alone():
    code = (
        "import sys, numpy; before = set(sys.modules); import ssmgen\n"
        "new = {m.split('.')[0] for m in set(sys.modules) - before}\n"
        "print(*sorted(new - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) - {"numpy"} == {"ssmgen"}


# -- logits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["small", "causal"])
def test_logits_are_those_of_the_reference(data, name):
    folder = getattr(data, name)
    expected = read_safetensors(folder / "expected.safetensors")[0]
    logits = ssmgen.load(folder).logits(expected["input_ids"])
    assert logits.dtype == np.float32 and logits.shape == expected["logits"].shape
    error = np.linalg.norm(logits - expected["logits"]) / np.linalg.norm(expected["logits"])
    assert error < 5e-6


def test_logits_do_not_depend_on_the_batch_or_the_layout(small):
    ids = np.random.default_rng(1).integers(7, 11, (90, 70))
    whole = small.logits(ids)
    assert whole.shape == (90, 70, small.info.vocabulary)
    for row in (0, 44, 89):
        assert np.array_equal(whole[row], small.logits(ids[row].astype(np.uint8)))
    assert np.array_equal(whole, small.logits(np.asfortranarray(ids.astype(np.int16))))
    assert np.array_equal(whole[:, ::-1], small.logits(ids)[:, ::-1])


def test_logits_of_letters_are_those_of_their_ids(small):
    assert small.encode("acgtN").tolist() == [7, 8, 9, 10, 11]
    assert np.array_equal(small.logits("acgtN"), small.logits([7, 8, 9, 10, 11]))


def test_letters_that_are_no_dna_are_warned_of(small, caplog):
    small.logits("acgtNRYSWKMBDHVn")
    small.embed(["ACGT", "NNNN"])
    assert not caplog.records
    small.embed(["ACGT", "ACMTQ", "ACGU"])
    assert caplog.messages == [
        "sequence 1: 'Q' at 4 is no letter of DNA and is read as a base that is not known; so in 2 "
        "of 3 sequences"
    ]
    caplog.clear()
    small.logits("MKVL")
    assert "'L' at 3 is no letter of DNA" in caplog.messages[0]


# -- embeddings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, settings",
    [
        (["--pool", "mean"], {}),
        (["--pool", "max", "--layer", "1", "--strand", "minus"],
         {"pool": "max", "layer": 1, "strand": "minus"}),
        (["--pool", "center:9", "--strand", "concat", "--skip-n"],
         {"pool": "center:9", "strand": "concat", "skip_n": True}),
        (["--pool", "mean", "--layer", "all", "--window", "64", "--stride", "48"],
         {"layer": "all", "window": 64, "stride": 48}),
    ],
)  # fmt: skip
def test_embeddings_have_the_bits_of_the_command(small, data, command, tmp_path, options, settings):
    fasta = fasta_of(tmp_path / "in.fa", READS)
    command("embed", "--model", data.small, *options, "-o", tmp_path / "out.npy", fasta)
    found = small.embed(READS, **settings)
    expected = np.load(tmp_path / "out.npy")
    assert found.shape == expected.shape and found.tobytes() == expected.tobytes()


def test_rows_of_bases_have_the_bits_of_the_command(small, data, command, tmp_path):
    fasta = fasta_of(tmp_path / "in.fa", READS)
    command("embed", "--model", data.small, "-o", tmp_path / "out.npy", fasta)
    expected = np.load(tmp_path / "out.npy")
    found = small.embed(READS, pool="none")
    assert [len(part) for part in found] == [len(read) for read in READS]
    assert np.concatenate(found).tobytes() == expected.tobytes()
    assert small.embed(READS[3], pool="none").tobytes() == found[3].tobytes()
    assert small.embed(READS[3], pool="none", layer="all").shape[1:] == found[3].shape
    assert small.embed(READS[3]).tobytes() == small.embed(READS)[3].tobytes()


def test_files_are_those_of_the_command(small, data, command, tmp_path):
    command(
        "embed", "--model", data.small, "--fasta", data.fasta, "--bed", data.bed, "--pool", "mean",
        "--no-version", "-o", tmp_path / "a.npy",
    )  # fmt: skip
    plans, told = [], []
    summary = ssmgen.embed_files(
        small, None, tmp_path / "b.npy", fasta=data.fasta, bed=data.bed, pool="mean",
        write_version=False, plan=plans.append, progress=told.append,
    )  # fmt: skip
    for suffix in (".npy", ".npy.tsv"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    assert summary.records == summary.rows == 44
    assert [plan["shape"] for plan in plans] == [[44, np.load(tmp_path / "b.npy").shape[1]]]
    assert all(set(step) == {"records", "bases", "bases_total", "seconds"} for step in told)


# -- scores ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("modes", [["masked"], ["masked", "unmasked"]])
def test_files_have_the_bits_of_the_command(small, data, command, tmp_path, modes):
    expected = bits_of_the_command(
        command, data.small, data.fasta, data.edge_cases, "--score", ",".join(modes)
    )
    summary = ssmgen.score_vcf(
        small, data.edge_cases, data.fasta, tmp_path / "out.bcf", modes=modes, write_version=False
    )
    raw = gzip.decompress((tmp_path / "out.bcf").read_bytes())
    assert raw[9 + int.from_bytes(raw[5:9], "little") :] == expected
    assert (summary.records, summary.alleles, summary.scored_alleles) == (43, 48, 25)
    assert summary.unscored_by_reason["ref_mismatch"] == 3
    assert not list(tmp_path.glob("*.part"))


def test_variants_have_the_bits_of_the_command(data, command, tmp_path):
    variants = [(r[0], int(r[1]), r[3], r[4]) for r in vcf_rows(data.demo)[:40]]
    found = scores_of_both(command, data.model, tmp_path, data.fasta, variants)
    assert found.reason == [""] * 40


def test_the_zero_shot_golden_has_the_bits_of_the_command(data, command, tmp_path):
    """Every thirteenth row, so that each of the three ALTs of a site has its turn."""
    golden = SOURCE_DIR.parent / "shared" / "golden" / "zero_shot"
    if not golden.is_dir():
        pytest.skip(f"no golden folder {golden}")
    lines = (golden / "expected.tsv").read_text().splitlines()
    assert lines[0].split("\t") == ["chrom", "pos", "ref", "alt", "masked_llr", "unmasked_llr"]
    rows = [line.split("\t") for line in lines[1::13]]
    variants = [(chrom, int(pos), ref, alt) for chrom, pos, ref, alt, _, _ in rows]
    (tmp_path / "ref.fa").write_bytes((golden / "ref.fa").read_bytes())
    found = scores_of_both(
        command, data.model, tmp_path, tmp_path / "ref.fa", variants, window=512, edge="pad"
    )
    assert found.reason == [""] * len(variants)
    for column, mode in ((4, "masked"), (5, "unmasked")):
        expected = np.array([float(row[column]) for row in rows])
        assert abs(found.scores[mode] - expected).max() < 1e-3


def test_what_cannot_be_scored_says_why(small, data):
    variants = [
        ("synth_main", 900, "C", "A"),
        ("synth_main", 1600, "A", "C"),
        ("nowhere", 5, "A", "C"),
        ("synth_main", 100, "T", "TACG"),
        ("synth_main", 40_000_000, "A", "C"),
        ("synth_main", 1000, "A", "<DEL>"),
        ("synth_main", 900, "c", "t"),
    ]
    found = small.score_variants(variants, data.fasta, window=64)
    assert found.reason == [
        "", "ref_mismatch", "no_contig", "unsupported_kind", "off_contig", "symbolic", "",
    ]  # fmt: skip
    masked = found.scores["masked"]
    assert np.isnan(masked).tolist() == [bool(reason) for reason in found.reason]
    assert found.pos.tolist() == [v[1] for v in variants] and found.alt[3] == "TACG"


class PysamRecord:
    chrom, pos, ref, alts = "synth_main", 900, "C", ("A", "G", "T")


class Cyvcf2Record:
    CHROM, POS, REF, ALT = "synth_main", 900, "C", ["A"]


class Column(list):
    def to_list(self):
        return list(self)


class Frame:
    columns = ["#CHROM", "POS", "REF", "ALT", "more"]

    def __getitem__(self, name):
        values = {"#CHROM": "synth_main", "POS": np.int64(900), "REF": "C", "ALT": "A"}
        return Column([values[name]] * 2)


def test_variants_come_in_many_forms(small, data):
    def score(variants):
        return small.score_variants(variants, data.fasta, window=64)

    expected = score([("synth_main", 900, "C", alt) for alt in "AGT"]).scores["masked"]
    assert len(set(expected.tolist())) == 3
    of_records = score(iter([PysamRecord, Cyvcf2Record]))
    assert of_records.variant.tolist() == [0, 0, 0, 1]
    assert of_records.scores["masked"].tolist() == [*expected, expected[0]]
    assert score(Frame()).scores["masked"].tolist() == [expected[0]] * 2
    columns = {"chrom": ["synth_main"], "pos": np.array([900]), "ref": ["C"], "alt": ["G"]}
    assert score(columns).scores["masked"].tolist() == [expected[1]]


def test_a_causal_model_scores_causally(data):
    found = ssmgen.load(data.causal).score_variants(
        [("synth_main", 900, "C", "A")], data.fasta, window=64
    )
    assert list(found.scores) == ["causal"] and np.isfinite(found.scores["causal"]).all()


# -- converted weights -----------------------------------------------------------------------------


def test_a_converted_model_gives_the_same_bits(small, data, tmp_path):
    """The weights of a model as torch.save would write them, tied ones as one storage."""
    raw, _ = read_safetensors(data.small / "model.safetensors")
    storages = {str(i): ("float32", a.tobytes()) for i, a in enumerate(raw.values())}
    views = {name: View(str(i), a.shape) for i, (name, a) in enumerate(raw.items())}
    (tmp_path / "m").mkdir()
    for tied, stored in small.info.tied:
        assert tied not in views
        views[tied] = views[stored]
    write_checkpoint(tmp_path / "m" / "pytorch_model.bin", views, storages)
    for path in data.small.glob("*.json"):
        (tmp_path / "m" / path.name).write_bytes(path.read_bytes())
    with pytest.raises(ssmgen.FormatError, match="python -m ssmgen.convert"):
        ssmgen.load(tmp_path / "m")
    convert(tmp_path / "m")
    converted, metadata = read_safetensors(tmp_path / "m" / "model.safetensors")
    assert set(converted) == set(raw) and set(metadata) > {name for name, _ in small.info.tied}
    again = ssmgen.load(tmp_path / "m")
    assert np.array_equal(again.logits(READS[0]), small.logits(READS[0]))


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call, kind, word",
    [
        (lambda m, d: ssmgen.load("/no/such/model"), ssmgen.FormatError, "/no/such/model"),
        (lambda m, d: ssmgen.load(d.small, dtype="f64"), ValueError, "f64"),
        (lambda m, d: ssmgen.load(d.small, device="tpu"), ValueError, "tpu"),
        (lambda m, d: ssmgen.load(d.small, threads=-1), ValueError, "threads"),
        (lambda m, d: m.logits(""), ValueError, "empty"),
        (lambda m, d: m.logits([]), ValueError, "float64 (0,)"),
        (lambda m, d: m.logits([7.0, np.nan]), ValueError, "float64"),
        (lambda m, d: m.logits([7, 99]), ValueError, "99"),
        (lambda m, d: m.logits([-1, 7]), ValueError, "-1"),
        (lambda m, d: m.logits([2**40]), ValueError, str(2**40)),
        (lambda m, d: m.logits([[[7]]]), ValueError, "(1, 1, 1)"),
        (lambda m, d: m.logits("ACGT ACG"), ValueError, "' ' at 4"),
        (lambda m, d: m.logits("ACé"), ValueError, "'é' at 2"),
        (lambda m, d: m.embed([]), ValueError, "none"),
        (lambda m, d: m.embed(["ACGT", ""]), ValueError, "sequence 1"),
        (lambda m, d: m.embed(["ACGT", np.nan]), ValueError, "sequence 1"),
        (lambda m, d: m.embed("ACGT", layer=99), ValueError, "99"),
        (lambda m, d: m.embed("ACGT", pool="median"), ValueError, "median"),
        (lambda m, d: m.embed("ACGT", strand="both"), ValueError, "both"),
        (lambda m, d: m.score_variants([], d.fasta), ValueError, "none"),
        (lambda m, d: m.score_variants("chr1:5", d.fasta), ValueError, "tuples"),
        (lambda m, d: m.score_variants(3, d.fasta), ValueError, "int"),
        (lambda m, d: m.score_variants([("c", -5, "A", "C")], d.fasta), ValueError, "-5"),
        (lambda m, d: m.score_variants([("c", 0, "A", "C")], d.fasta), ValueError, "from 1"),
        (lambda m, d: m.score_variants([("c", np.nan, "A", "C")], d.fasta), ValueError, "nan"),
        (lambda m, d: m.score_variants([("c", 5, "A")], d.fasta), ValueError, "variant 0"),
        (lambda m, d: m.score_variants([("c", 5, "A", "C,G")], d.fasta), ValueError, "C,G"),
        (lambda m, d: m.score_variants([("c\t", 5, "A", "C")], d.fasta), ValueError, "contig"),
        (lambda m, d: m.score_variants({"chrom": ["c"]}, d.fasta), ValueError, "'pos'"),
        (lambda m, d: m.score_variants([("synth_main", 900, "C", "A")], "/no.fa"),
         ssmgen.FormatError, "/no.fa"),
        (lambda m, d: m.score_variants([("synth_main", 900, "C", "A")], d.fasta, modes="best"),
         ValueError, "best"),
        (lambda m, d: m.score_variants([("synth_main", 1600, "A", "C")] * 2 +
                                       [("synth_main", 900, "C", "A")] * 3, d.fasta,
                                       check_ref="error"), ssmgen.FormatError,
         "or check_ref warn to"),
        (lambda m, d: ssmgen.score_vcf(m, "-", d.fasta, "x.vcf"), ValueError, "'-'"),
        (lambda m, d: ssmgen.score_vcf(m, "/no.vcf", d.fasta, "x.vcf"), ssmgen.FormatError,
         "/no.vcf"),
        (lambda m, d: ssmgen.embed_files(m, d.fasta, "x.csv"), ValueError, "x.csv"),
    ],
)  # fmt: skip
def test_bad_input_is_named(small, data, tmp_path, monkeypatch, call, kind, word):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind) as error:
        call(small, data)
    assert word in str(error.value)
    assert error.type is kind


def test_a_long_sequence_is_no_trouble(small):
    found = small.embed("ACGTTGCA" * 25_000, whole=True)
    assert found.shape == (small.info.d_model,) and np.isfinite(found).all()


# -- threads, signals, forks -----------------------------------------------------------------------


def test_threads_take_turns_and_get_the_same_bits(small):
    expected = small.embed(READS)
    found = [None] * 4

    def work(i):
        found[i] = small.embed(READS)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(one, expected) for one in found)


def resident_bytes():
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_nothing_leaks(small, data):
    """Over 1,000 rounds of calls of every kind, those that fail among them."""
    told = []

    def stop(step):
        raise KeyError("enough")

    def call():
        small.logits("ACGTTGCA" * 20)
        small.hidden("ACGTTGCA" * 20, output="device").__dlpack__()
        small.embed(["ACGT" * 30, "ACG"], pool="none", progress=told.append)
        small.score_variants([("synth_main", 900, "C", "A")], data.fasta, window=64)
        with pytest.raises(ValueError):
            small.embed("ACGT", layer=99)
        with pytest.raises(KeyError):
            small.embed("ACGT", progress=stop)
        told.clear()

    for _ in range(100):
        call()
    before = resident_bytes()
    for _ in range(1000):
        call()
    # One result a call that stayed would be 30 kB, and 30 MB of them.
    assert resident_bytes() - before < 4_000_000


def test_the_gil_is_released(small):
    """Another thread counts on while the model computes."""
    counted, stop = [0], threading.Event()

    def count():
        while not stop.wait(0.001):
            counted[0] += 1

    thread = threading.Thread(target=count)
    thread.start()
    small.embed("ACGTTGCA" * 40_000, whole=True)
    stop.set()
    thread.join()
    assert counted[0] > 5


@pytest.mark.parametrize(
    "call",
    [
        "model.embed(['ACGTTGCA' * 64] * 200_000)",
        "model.logits(np.full((200_000, 500), 7))",
        "ssmgen.score_vcf(model, vcf, fasta, out)",
        "ssmgen.embed_files(model, big, out + '.npy', pool='mean')",
    ],
)
def test_ctrl_c_is_heard_within_a_second(data, tmp_path, call):
    big = tmp_path / "big.fa"
    big.write_text("".join(f">c{i}\n{'ACGTTGCA' * 500}\n" for i in range(20_000)))
    vcf = tmp_path / "in.vcf"
    bases = data.fasta.read_text().split(">")[1].split("\n", 1)[1].replace("\n", "").upper()
    rows = "".join(
        f"synth_main\t{i + 1}\t.\t{ref}\t{'A' if ref != 'A' else 'C'}\t.\t.\t.\n"
        for i, ref in enumerate(bases)
    )
    vcf.write_text("##fileformat=VCFv4.2\n##contig=<ID=synth_main>\n"
                   "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n" + rows)  # fmt: skip
    code = f"""
import os, signal, sys, threading, time
import numpy as np
import ssmgen
model = ssmgen.load({str(data.small)!r})
big, vcf, fasta = {str(big)!r}, {str(vcf)!r}, {str(data.fasta)!r}
out = {str(tmp_path / "out.vcf")!r}
sent = []
def interrupt():
    sent.append(time.monotonic())
    os.kill(os.getpid(), signal.SIGINT)
threading.Timer(1.5, interrupt).start()
try:
    {call}
except KeyboardInterrupt:
    print(time.monotonic() - sent[0])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout, "it was done before the signal came"
    assert float(done.stdout) < 10  # within one, where nothing else runs; the call takes minutes
    assert not (tmp_path / "out.vcf").exists() and not (tmp_path / "out.vcf.npy").exists()


def test_what_a_callback_raises_stops_the_run(small, data, tmp_path):
    def stop(plan):
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        ssmgen.embed_files(small, data.fasta, tmp_path / "out.npy", plan=stop)
    with pytest.raises(RuntimeError, match="busy"):
        ssmgen.embed_files(
            small, data.fasta, tmp_path / "out.npy", plan=lambda plan: small.logits("ACGT")
        )
    assert not (tmp_path / "out.npy").exists()


def test_a_forked_child_is_told_and_may_load_its_own(data):
    code = f"""
import os, ssmgen
model = ssmgen.load({str(data.small)!r})
expected = model.logits("ACGT").tobytes()
child = os.fork()
if child == 0:
    try:
        model.logits("ACGT")
        os._exit(3)
    except RuntimeError as error:
        if "load the model in the child" not in str(error):
            os._exit(4)
    del model
    own = ssmgen.load({str(data.small)!r})
    os._exit(0 if own.logits("ACGT").tobytes() == expected else 5)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
