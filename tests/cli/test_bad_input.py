"""Bad and odd inputs: what the command says, how it exits, and what it leaves behind.

`python tests/cli/test_bad_input.py` prints the table: case, exit code, first line of the message.
"""

import gzip
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TESTS_DIR = pathlib.Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path[:0] = [str(TESTS_DIR / "support"), str(TESTS_DIR.parent / "test_data" / "make")]

import numpy as np
import pytest
from bad_input import CONTIGS, MODEL, TEST_DATA, Case, run_case
from genome_files import (
    BGZF_END,
    bgzf,
    bgzf_blocks,
    fasta_text,
    other_base,
    random_bases,
    snvs,
    vcf_text,
)

CAUSAL_MODEL = TEST_DATA / "golden" / "caduceus_causal"

# -- what is wrong with the variants ---------------------------------------------------------------

SITE = (1200, CONTIGS["chr1"][1199])
BASE = SITE[1]
ALT = other_base(BASE)


def at(alt, ref=BASE, contig="chr1"):
    return lambda bench: bench.vcf([(contig, SITE[0], ref, alt)])


def blocks(bench):
    """A VCF of 4,000 records that need no window, in blocks of 4 kB."""
    records = [("chr1", 1 + i % 3000, CONTIGS["chr1"][i % 3000], "*") for i in range(4000)]
    return bgzf_blocks(vcf_text(sorted(records), CONTIGS).encode())


def cut_bgzip(how, name="in.vcf.gz"):
    return lambda bench: bench.write(name, how(blocks(bench)))


def cut_stream(how):
    return lambda bench: {"input": "-", "stdin": how(blocks(bench))}


def in_the_header(all_blocks):
    return all_blocks[0][:100]


def in_a_block(all_blocks):
    return b"".join(all_blocks[:5]) + all_blocks[5][:400]


def between_blocks(all_blocks):
    return b"".join(all_blocks[:7])


def in_the_end_marker(all_blocks):
    return b"".join(all_blocks) + BGZF_END[:20]


def without_end_marker(all_blocks):
    return b"".join(all_blocks)


def with_a_broken_block(all_blocks):
    middle = bytearray(all_blocks[4])
    middle[200] ^= 0x55
    return b"".join(all_blocks[:4]) + bytes(middle) + b"".join(all_blocks[5:]) + BGZF_END


def lines_of(records=6):
    return vcf_text(snvs(CONTIGS, records), CONTIGS).encode()


def wrong_genome(bench):
    """The right names and lengths, other bases."""
    other = {name: random_bases(len(bases), 99) for name, bases in CONTIGS.items()}
    return {"input": bench.vcf(snvs(CONTIGS, 40)), "fasta": bench.write("o.fa", fasta_text(other))}


def renamed(mapping, bench):
    contigs = {mapping(name): bases for name, bases in CONTIGS.items()}
    return bench.vcf(snvs(contigs, 3, mapping("chr1")), contigs)


def reconciled_from_chr(bench):
    contigs = {name.removeprefix("chr"): bases for name, bases in CONTIGS.items()}
    fasta = bench.write("n.fa", fasta_text(contigs))
    return {"input": bench.vcf(snvs(CONTIGS, 3)), "fasta": fasta}


def mixed_contigs(bench):
    contigs = CONTIGS | {"scaffold7": 1000}
    return bench.vcf([*snvs(CONTIGS, 2), ("scaffold7", 5, "A", "C")], contigs)


def ref_mismatch(bench):
    records = snvs(CONTIGS, 6)
    contig, position, ref, _ = records[3]
    records[3] = (contig, position, other_base(ref), ref)
    return bench.vcf(records)


def mismatch_with(*options):
    return lambda bench: {"input": ref_mismatch(bench), "options": options}


SSM_LINE = '##INFO=<ID=SSM_MASKED,Number=A,Type=Float,Description="x">'

VARIANTS = [
    Case("bgzip cut in the header", cut_bgzip(in_the_header), 1,
         [r"in\.vcf\.gz: truncated: the BGZF end marker is missing", "0 records were read",
          "download the file again"]),
    Case("bgzip cut in a block", cut_bgzip(in_a_block), 1,
         [r"in\.vcf\.gz: truncated: the BGZF end marker is missing"]),
    Case("bgzip cut between blocks (no end marker)", cut_bgzip(between_blocks), 1,
         [r"in\.vcf\.gz: truncated: the BGZF end marker is missing"]),
    Case("bgzip whole but for its end marker", cut_bgzip(without_end_marker), 1,
         [r"in\.vcf\.gz: truncated: the BGZF end marker is missing"]),
    Case("bgzip cut in its end marker", cut_bgzip(in_the_end_marker), 1,
         [r"in\.vcf\.gz: truncated"]),
    Case("bgzip on stdin cut in the header", cut_stream(in_the_header), 1,
         ["standard input: truncated", "0 records were read before"]),
    Case("bgzip on stdin cut in a block", cut_stream(in_a_block), 1,
         ["standard input: truncated", "[1-9][0-9]+ records were read before"]),
    Case("bgzip on stdin cut between blocks", cut_stream(between_blocks), 1,
         ["standard input: .*(truncated|cut)", "[1-9][0-9]+ records were read before"]),
    Case("bgzip on stdin without end marker", cut_stream(without_end_marker), 1,
         ["standard input: truncated: the BGZF end marker is missing", "4000 records were read"]),
    Case("bgzip with a damaged block", cut_bgzip(with_a_broken_block), 1,
         [r"in\.vcf\.gz: truncated or damaged: the BGZF block at byte \d+", "records were read"]),
    Case("plain VCF cut in a line", lambda b: b.write("in.vcf", lines_of()[:-7]), 1,
         [r"in\.vcf: record 6: cut line", "5 records were read before"]),
    Case("plain VCF cut before the last line's end",
         lambda b: b.write("in.vcf", lines_of()[:-1]), 1,
         [r"in\.vcf: record 6: cut line: the last line has no line end", "5 records"]),
    Case("plain VCF cut in the header", lambda b: b.write("in.vcf", lines_of()[:40]), 1,
         [r"in\.vcf: truncated", "0 records were read before"]),
    Case("line of too few columns in the middle",
         lambda b: b.write("in.vcf", lines_of(3).replace(b"\t.\t.\t.\nchr1\t10", b"\nchr1\t10")), 1,
         [r"in\.vcf: record 1: cut line: expected 8 columns", "got 5", "0 records were read"]),
    Case("gzip stream cut", lambda b: b.write("in.vcf.gz", gzip.compress(lines_of())[:-30]),
         1, [r"in\.vcf\.gz: (truncated|record \d+: cut)"]),
    Case("empty file", lambda b: b.write("in.vcf", ""), 1, [r"in\.vcf: the file is empty"]),
    Case("not a VCF", lambda b: b.write("in.vcf", "chrom,pos\n1,2\n"), 1,
         [r"in\.vcf: not VCF or BCF", "##fileformat=VCF"]),
    Case("POS is no number", lambda b: b.vcf([("chr1", "12x", "A", "C")]), 1,
         [r"in\.vcf: record 1: POS: expected a whole number", "12x"]),
    Case("no such input", lambda b: b.folder / "none.vcf", 1, [r"none\.vcf: cannot be opened"]),
    Case("REF mismatch, --check-ref warn (default)", ref_mismatch, 0,
         [r"warning: .*in\.vcf: record 4: REF at chr1:1501 is [ACGT], but .*g\.fa has [ACGT]",
          "not scored, ref_mismatch: 1"], reasons=[".", ".", ".", "ref_mismatch", ".", "."]),
    Case("REF mismatch, --check-ref skip", mismatch_with("--check-ref", "skip"), 0,
         ["^ssmgen: 6 records with 6 ALT alleles: 5 scored, 1 not", "not scored, ref_mismatch: 1"],
         reasons=[".", ".", ".", "ref_mismatch", ".", "."]),
    Case("REF mismatch, --check-ref error", mismatch_with("--check-ref", "error"), 1,
         [r"in\.vcf: record 4: REF at chr1:1501", "give the FASTA .*or --check-ref warn"]),
    Case("lower-case REF", at(ALT, ref=BASE.lower()), 0, ["1 scored, 0 not"], reasons=["."]),
    Case("wrong reference: other bases", wrong_genome, 1,
         [r"wrong reference\? \d+ of the first 40 REF alleles", r"in\.vcf: record \d+", r"o\.fa",
          "give the FASTA the file was called on"]),
    Case("wrong reference: no contig in common", lambda b: renamed("NC_00000".__add__, b), 1,
         [r"wrong reference\? .*in\.vcf: no contig of its 3 records is in .*g\.fa",
          "the file has NC_00000chr1, the FASTA has chr1, chr2: give the FASTA"]),
    Case("one contig missing from the FASTA", mixed_contigs, 0,
         [r"warning: .*in\.vcf: record 3: contig scaffold7 is not in .*g\.fa", "no_contig: 1"],
         reasons=[".", ".", "no_contig"]),
    Case("names without chr, FASTA with", lambda b: renamed(lambda x: x[3:], b), 0,
         ["contig 1 is chr1 of .*g.fa, 2 is chr2", "3 scored, 0 not"], reasons=["."] * 3),
    Case("names with chr, FASTA without", reconciled_from_chr, 0,
         ["contig chr1 is 1 of .*n.fa, chr2 is 2", "3 scored, 0 not"], reasons=["."] * 3),
    Case("ALT *", at("*"), 0, ["not scored, star: 1"], reasons=["star"]),
    Case("ALT <DEL>", at("<DEL>"), 0, ["not scored, symbolic: 1"], reasons=["symbolic"]),
    Case("ALT breakend", at(f"{BASE}[chr2:77["), 0, ["not scored, breakend: 1"],
         reasons=["breakend"]),
    Case("ALT IUPAC code", at("R"), 0, ["not scored, non_acgt: 1"], reasons=["non_acgt"]),
    Case("ALT equal to REF", at(BASE), 0, ["not scored, same_as_ref: 1"], reasons=["same_as_ref"]),
    Case("no ALT", at("."), 0, ["1 records with 0 ALT alleles: 0 scored, 0 not"], reasons=[]),
    Case("ALT of several kinds", at(f"{ALT},{ALT}T,*,<DEL>,N"), 0, ["1 scored, 4 not"],
         reasons=[".,unsupported_kind,star,symbolic,non_acgt"]),
    Case("duplicate records", lambda b: b.vcf(sorted(snvs(CONTIGS, 3) * 2)), 0,
         ["6 records with 6 ALT alleles: 6 scored, 0 not", "3 windows"], reasons=["."] * 6),
    Case("POS past the contig's end", lambda b: b.vcf([("chr2", 801, "A", "C")]), 0,
         ["not scored, off_contig: 1"], reasons=["off_contig"]),
    Case("POS 0 (telomere)", lambda b: b.vcf([("chr1", 0, "N", "<DEL>")]), 0,
         ["not scored, symbolic: 1"], reasons=["symbolic"]),
    Case("unsorted records", lambda b: b.vcf(snvs(CONTIGS, 4)[::-1]), 0, ["4 scored, 0 not"],
         reasons=["."] * 4),
    Case("unsorted records, -W",
         lambda b: {"input": b.vcf(snvs(CONTIGS, 4)[::-1]), "output": b.folder / "o.vcf.gz",
                    "options": ["-W"]},
         1, [r"o\.vcf\.gz: written, but it cannot be indexed: the records are not sorted: record 2",
             "bcftools sort"], completes=True, reasons=["."] * 4),
    Case("INFO clash", lambda b: b.vcf(lines=[SSM_LINE]), 1,
         [r"in\.vcf: the header already declares INFO/SSM_MASKED", "--overwrite", "--tag-prefix"]),
    Case("INFO clash, --overwrite", lambda b: {"input": b.vcf(lines=[SSM_LINE]),
                                               "options": ["--overwrite"]}, 0, reasons=["."] * 6),
    Case("0 records", lambda b: b.vcf([]), 0, ["0 records with 0 ALT alleles: 0 scored, 0 not"],
         reasons=[]),
]  # fmt: skip


# -- what is wrong with the genome -----------------------------------------------------------------


def with_fasta(make):
    return lambda bench: {"input": bench.vcf(), "fasta": make(bench)}


def bgzip_fasta(bench, gzi=None):
    path = bench.write("g.fa.gz", bgzf(bench.fasta.read_bytes(), 512))
    if gzi is not None:
        subprocess.run(["samtools", "faidx", str(path)], check=True)
        index = pathlib.Path(f"{path}.gzi")
        index.write_bytes(gzi(index.read_bytes()))
    return path


def stale_index(bench):
    """Made for a FASTA with longer lines, then the FASTA was written anew."""
    path = bench.write("s.fa", fasta_text(CONTIGS, 80))
    subprocess.run(["samtools", "faidx", str(path)], check=True)
    path.write_text(fasta_text(CONTIGS, 50))
    return path


def false_count(index):
    return (int.from_bytes(index[:8], "little") + 5000).to_bytes(8, "little") + index[8:]


def gzip_fasta(bench):
    return bench.write("g.fa.gz", gzip.compress(bench.fasta.read_bytes()))


def uneven_lines(bench):
    return bench.write("u.fa", ">chr1\nACGT\nACGTACGT\nACG\n")


GENOMES = [
    Case("FASTA missing", with_fasta(lambda b: b.folder / "none.fa"), 1,
         [r"none\.fa: cannot be opened"]),
    Case("FASTA is a directory", with_fasta(lambda b: b.folder), 1, ["this is a directory"]),
    Case("FASTA unreadable", with_fasta(lambda b: "/proc/self/mem"), 1,
         ["/proc/self/mem: cannot be (read|opened)"]),
    Case("FASTA is something else", with_fasta(lambda b: b.vcf(name="g.vcf")), 1,
         [r"g\.vcf: not FASTA: expected '>' first"]),
    Case("FASTA in plain gzip", with_fasta(gzip_fasta), 1,
         [r"g\.fa\.gz: compressed by gzip, which cannot be searched", "bgzip"]),
    Case("FASTA bgzip without end marker",
         with_fasta(lambda b: b.write("g.fa.gz", bgzf(b.fasta.read_bytes())[:-28])), 1,
         [r"g\.fa\.gz: truncated: the BGZF end marker is missing"]),
    Case("FASTA with lines of many lengths", with_fasta(uneven_lines), 1,
         [r"u\.fa: cannot be indexed", "lines of one length"]),
    Case(".gzi with a false count", with_fasta(lambda b: bgzip_fasta(b, false_count)), 1,
         [r"g\.fa\.gz\.gzi: broken: it says \d+ blocks and holds \d+", "samtools faidx"]),
    Case(".gzi cut", with_fasta(lambda b: bgzip_fasta(b, lambda x: x[:-5])), 1,
         [r"g\.fa\.gz\.gzi: broken: expected a size of 8 \+ 16 n bytes"]),
    Case(".fai of another FASTA", with_fasta(stale_index), 1,
         [r"s\.fa\.fai: does not fit .*s\.fa", "samtools faidx"]),
]  # fmt: skip


# -- what is wrong with the model ------------------------------------------------------------------

TENSOR = "caduceus.backbone.layers.1.mixer.submodule.mamba_fwd.conv1d.bias"


def with_model(**edits):
    return lambda bench: {"input": bench.vcf(), "model": bench.model(**edits)}


def without_tensor(tensors):
    del tensors[TENSOR]


def of_wrong_shape(tensors):
    dtype, shape, raw = tensors[TENSOR]
    tensors[TENSOR] = (dtype, [2, shape[0] // 2], raw)


def with_nan(tensors):
    dtype, shape, raw = tensors[TENSOR]
    values = np.frombuffer(raw, "<f4").copy()
    values[7] = np.nan
    tensors[TENSOR] = (dtype, shape, values.tobytes())


def with_unknown_tensor(tensors):
    tensors["extra.weight"] = ("F32", [2], b"\0" * 8)


def cut_weights(bench):
    model = bench.model()
    path = model / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    return {"input": bench.vcf(), "model": model}


def model_without(name):
    def make(bench):
        model = bench.model()
        (model / name).unlink()
        return {"input": bench.vcf(), "model": model}

    return make


MODELS = [
    Case("a tensor missing", with_model(tensors=without_tensor), 1,
         [rf"model: the tensor '{TENSOR}' \[\d+\] is missing"]),
    Case("a tensor of the wrong shape", with_model(tensors=of_wrong_shape), 1,
         [rf"model\.safetensors: tensor '{TENSOR}' has the shape \[2, \d+\], expected \[\d+\]"]),
    Case("a tensor with a NaN", with_model(tensors=with_nan), 1,
         [r"model\.safetensors", TENSOR, "(?i)nan|not finite"]),
    Case("a tensor too many", with_model(tensors=with_unknown_tensor), 0,
         ["warning: .*extra.weight is not used"], reasons=["."] * 6),
    Case("weights cut short", cut_weights, 1,
         [r"model\.safetensors", "beyond the .* bytes of data"]),
    Case("no weights", model_without("model.safetensors"), 1,
         ["model' has no weights: expected model.safetensors"]),
    Case("no config.json", model_without("config.json"), 1, ["config.json is missing"]),
    Case("config.json broken", with_model(config=lambda x: x[: len(x) // 2]), 1,
         [r"config\.json", "(?i)line|byte|column"]),
    Case("config.json of an unknown type",
         with_model(config=lambda x: x.replace('"caduceus"', '"transformer_xl"')), 1,
         [r"config\.json", "transformer_xl", "caduceus.*mamba"]),
    Case("config.json of another width",
         with_model(config=lambda x: re.sub(r'"d_model": \d+', '"d_model": 64', x)), 1,
         [r"model\.safetensors: tensor .* has the shape", "expected .* by config.json"]),
    Case("model directory missing",
         lambda b: {"input": b.vcf(), "model": b.folder / "none"}, 1, ["none' does not exist"]),
    Case("model is a file", lambda b: {"input": b.vcf(), "model": b.fasta}, 1,
         ["expected a model directory", "is no directory"]),
]  # fmt: skip


# -- what is wrong with the output -----------------------------------------------------------------


def big_vcf(bench):
    records = [
        (*record, f"NOTE={random_bases(9000, i)}") for i, record in enumerate(snvs(CONTIGS, 60))
    ]
    line = '##INFO=<ID=NOTE,Number=1,Type=String,Description="Long">'
    return bench.vcf(records, lines=[line])


def onto_full(*options):
    return lambda b: {"input": big_vcf(b), "output": b.full_place(), "options": options}


def into(make):
    return lambda bench: {"input": bench.vcf(), "output": make(bench)}


OUTPUTS = [
    Case("no write permission", into(lambda b: b.unwritable_folder() / "out.vcf"), 1,
         [r"out\.vcf\.part: cannot be written: (Read-only|Permission|No such)"]),
    Case("output in no folder", into(lambda b: b.folder / "none" / "out.vcf"), 2,
         ["the folder .*none does not exist"]),
    Case("output is a directory", into(lambda b: b.folder), 2, ["this is a directory"]),
    Case("disk full", onto_full(), 1, ["writing failed: No space left on device", "make room"]),
    Case("disk full, -O z", onto_full("-Oz1"), 1, ["writing failed: No space left on device"]),
    Case("disk full, -O b", onto_full("-Ob1"), 1, ["writing failed: No space left on device"]),
    Case("a device that is full", into(lambda b: "/dev/full"), 1,
         ["/dev/full: writing failed: No space left on device"]),
    Case("a device that is full, -O z", lambda b: {"input": b.vcf(), "output": "/dev/full",
                                                   "options": ["-Oz"]}, 1,
         ["/dev/full: writing failed: No space left on device"]),
]  # fmt: skip


# -- what is wrong with the command line -----------------------------------------------------------


def with_options(*options, **more):
    return lambda bench: {"input": bench.vcf(), "options": options, **more}


def two_inputs(bench):
    return {"input": bench.vcf(), "options": [bench.vcf(name="other.vcf")]}


COMMAND_LINES = [
    Case("unknown option", with_options("--batch-size", 3), 2,
         ["--batch-size", "Usage: ssmgen score"]),
    Case("beginning of an option", with_options("--overwr"), 2, ["--overwr"]),
    Case("unknown mode", with_options("--score", "magic"), 2,
         ["score mode 'magic' is not known", "masked, unmasked, causal"]),
    Case("mode of a later release", with_options("--score", "pll"), 2, ["score mode 'pll'"]),
    Case("causal score of a masked model", with_options("--score", "causal"), 2,
         ["causal needs a model that reads from left to right", "use masked or unmasked"]),
    Case("masked score of a causal model", with_options("--score", "masked", model=CAUSAL_MODEL), 2,
         ["score mode masked", "is causal: use --score causal"]),
    Case("two inputs", two_inputs, 2, [r"one input file", r"other\.vcf"]),
    Case("output is the input", lambda b: {"input": b.vcf(), "output": b.folder / "in.vcf"}, 2,
         [r"in\.vcf: is the input itself"]),
    Case("--device cuda where there is none", with_options("--device", "cuda:99"), 1, ["cuda:99"]),
    Case("unknown device", with_options("--device", "tpu"), 2, ["tpu", "cpu"]),
    Case("unknown dtype", with_options("--dtype", "f16"), 2, ["f16", "bf16"]),
    Case("window below 0", with_options(window=-5), 2,
         ["window must be 0 .* or 1 to 4294967296 bases, not -5"]),
    Case("window beyond 64 bits of memory", with_options(window=2**63 - 1), 2,
         ["window must be 0 .* or 1 to 4294967296 bases, not 9223372036854775807"]),
    Case("threads below 0", with_options("--threads=-1"), 2,
         ["--threads must be 0 or more, not -1"]),
    Case("batch is no number", with_options("--batch", "many"), 2, ["batch", "many"]),
    Case("unknown output type", with_options("-O", "x"), 2, ["output type: expected v, z, b or u"]),
    Case("unknown index", with_options("-W=bai", "-Oz"), 2,
         ["index 'bai' is not known: choose csi or tbi"]),
    Case("index of plain text", with_options("-W"), 2, ["only compressed output can be indexed"]),
    Case("tbi of BCF", with_options("-Wtbi", "-Ob"), 2, ["BCF takes csi, not tbi"]),
    Case("tag prefix that is none", with_options("--tag-prefix", "1 2"), 2, ["tag prefix '1 2'"]),
    Case("regions without index", with_options("-r", "chr1"), 1,
         [r"in\.vcf: -r and -R need an index", "bgzip .* bcftools index"]),
    Case("regions of stdin",
         lambda b: {"input": "-", "stdin": lines_of(), "options": ["-r", "chr1"]}, 2,
         ["need an index, which standard input has not; use -t"]),
    Case("regions twice", with_options("-r", "chr1", "-R", "x.bed"), 2,
         ["-r and -R cannot be given together"]),
    Case("targets file missing", with_options("-T", "none.bed"), 1, [r"none\.bed"]),
    Case("no --fasta", lambda b: {"arguments": [COMMAND, "score", "--model", MODEL, b.vcf()]}, 2,
         ["fasta", "Usage: ssmgen score"]),
    Case("no such command", lambda b: {"arguments": [COMMAND, "scores"]}, 2,
         ["'scores' is not a command"]),
    Case("no command", lambda b: {"arguments": [COMMAND]}, 2, ["Usage: ssmgen COMMAND"]),
]  # fmt: skip

COMMAND = os.environ.get("SSMGEN_COMMAND", str(TESTS_DIR.parent / "build" / "bin" / "ssmgen"))
CASES = [*VARIANTS, *GENOMES, *MODELS, *OUTPUTS, *COMMAND_LINES]


@pytest.mark.parametrize("old_output", [False, True], ids=["new output", "output exists"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input(case, old_output, tmp_path, ssmgen_path):
    result = run_case(case, tmp_path, str(ssmgen_path), old_output)
    assert result.code == case.exits, result.message
    for pattern in case.says:
        assert re.search(pattern, result.message, re.MULTILINE), f"{pattern}\n{result.message}"
    if case.exits != 0 and case.name != "no command":
        # Every line of the program names it, be it the failure or a warning before.
        assert result.message.startswith("ssmgen: ")


def test_names_of_cases_are_unique():
    assert len({case.name for case in CASES}) == len(CASES)


# -- the table -------------------------------------------------------------------------------------


def told_first(case, message):
    """The failure's line; where there is none, the first warning, else the summary."""
    lines = message.splitlines()
    failures = [x for x in lines if x.startswith("ssmgen: ") and "ssmgen: warning: " not in x]
    chosen = failures if case.exits != 0 else lines
    return chosen[0] if chosen else ""


def print_table():
    print("| Case | Exit | Message |\n|---|---|---|")
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder)
            result = run_case(case, path, COMMAND, old_output=False)
            line = told_first(case, result.message).removeprefix("ssmgen: ")
            line = line.replace(f"{path}/", "").replace(f"{TEST_DATA}/", "test_data/")
            line = line.replace("|", "\\|")
            print(f"| {case.name} | {result.code} | {line} |")


if __name__ == "__main__":
    print_table()
