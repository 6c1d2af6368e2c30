"""`ssmgen embed` on bad input: what it says, how it exits and what it leaves behind."""

import gzip
import re
import subprocess

import pytest
from genome_files import bgzf, bgzf_blocks, fasta_text, random_bases

CONTIGS = {"chr1": random_bases(3000, 21), "chr2": random_bases(800, 22)}
OLD = b"what an earlier run wrote\n"
TEXT = fasta_text(CONTIGS).encode()

# name of the input file, its bytes; arguments; exit code; what stderr says
CASES = {
    "no such file": (None, ("none.fa",), 1, r"none\.fa: cannot be opened"),
    "a folder": (None, (".",), 1, "directory"),
    "an empty file": (b"", ("in.fa",), 1, r"in\.fa: the file is empty"),
    "no FASTA": (b"chrom,pos\n1,2\n", ("in.fa",), 1, r"in\.fa: line 1: not FASTA: expected '>'"),
    "FASTQ": (b"@r\nACGT\n+\nIIII\n", ("in.fa",), 1, "by its '@', FASTQ: 'samtools fasta'"),
    "a record without a name": (TEXT + b">\nACGT\n", ("in.fa",), 1, r"in\.fa: line \d+: .* no name"),
    "a digit in a sequence": (TEXT + b">x\nAC7T\n", ("in.fa",), 1, "in record 'x', got '7'"),
    "gzip cut": (gzip.compress(TEXT)[:-30], ("in.fa",), 1, r"in\.fa: truncated: the gzip stream"),
    "bgzip without end marker": (b"".join(bgzf_blocks(TEXT, 512)), ("in.fa",), 1,
                                 r"in\.fa: truncated: the BGZF end marker is missing"),
    "bgzip cut in a block": (bgzf(TEXT, 512)[:900], ("in.fa",), 1, r"in\.fa: truncated"),
    "two inputs": (TEXT, ("in.fa", "in.fa"), 2, "one input file is embedded at a time"),
    "no input": (TEXT, (), 2, "no input: give a FASTA, SAM, BAM or CRAM file"),
    "BED without a genome": (TEXT, ("--bed", "r.bed"), 2, "--bed needs the genome: give --fasta"),
    "BED and an input": (TEXT, ("--bed", "r.bed", "--fasta", "in.fa", "in.fa"), 2,
                         "give no other input"),
    "BED and flags": (TEXT, ("--bed", "r.bed", "--fasta", "in.fa", "-F", "4"), 2,
                      "leave them out with --bed"),
    "a region past the end": (TEXT, ("--bed", "far.bed", "--fasta", "in.fa"), 1,
                              r"far\.bed: line 2: the region chr2:790-801 runs past the end of "
                              "chr2, which has 800 bases in in.fa"),
    "an unknown contig": (TEXT, ("--bed", "unknown.bed", "--fasta", "in.fa"), 1,
                          r"unknown\.bed: line 1: contig chrX is not in in\.fa, whose first is chr1"),
    "no region": (TEXT, ("--bed", "empty.bed", "--fasta", "in.fa"), 1, r"empty\.bed: holds no region"),
    "BED that is none": (TEXT, ("--bed", "in.fa", "--fasta", "in.fa"), 1, r"in\.fa: line 1: expected"),
    "a genome in plain gzip": (gzip.compress(TEXT), ("--bed", "r.bed", "--fasta", "in.fa"), 1,
                               "compressed by gzip, which cannot be searched"),
    "FASTA without need": (TEXT, ("--fasta", "in.fa", "in.fa"), 2, "--fasta without --bed"),
    "unknown layer": (TEXT, ("--layer", "9", "in.fa"), 2, "layer '9' .* choose last, all or 0 to 3"),
    "unknown pool": (TEXT, ("--pool", "median", "in.fa"), 2, "none, mean, max or center:K"),
    "unknown strand": (TEXT, ("--strand", "both", "in.fa"), 2, "auto, plus, minus, mean or concat"),
    "window and whole": (TEXT, ("--whole", "--window", "9", "in.fa"), 2, "leave --window and"),
    "window below 0": (TEXT, ("--window", "-9", "in.fa"), 2, "window must be 0 .* not -9"),
    "stride over window": (TEXT, ("--window", "9", "--stride", "10", "in.fa"), 2, "stride must be 1 to 9"),
    "skip-n of bases": (TEXT, ("--skip-n", "in.fa"), 2, "--skip-n leaves bases out of pooling"),
    "windows of bases": (TEXT, ("--per-window", "in.fa"), 2, "--per-window pools each window"),
    "batch below 0": (TEXT, ("--batch", "-1", "in.fa"), 2, "batch must be"),
    "chunk rows below 0": (TEXT, ("--chunk-rows", "-1", "in.fa"), 2, "--chunk-rows must be 0 or more"),
    "max-output of no size": (TEXT, ("--max-output", "10X", "in.fa"), 2, "as 500M, 24G or 1.5T, not '10X'"),
    "unknown option": (TEXT, ("--layers", "1", "in.fa"), 2, "--layers"),
    "beginning of an option": (TEXT, ("--per", "in.fa"), 2, "--per"),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "r.bed").write_text("chr1\t0\t10\n")
    (tmp_path / "far.bed").write_text("chr1\t0\t10\nchr2\t790\t801\n")
    (tmp_path / "unknown.bed").write_text("chrX\t0\t10\n")
    (tmp_path / "empty.bed").write_text("# nothing\n")
    return tmp_path


@pytest.mark.parametrize("old_output", [False, True], ids=["new output", "output exists"])
@pytest.mark.parametrize("name", CASES)
def test_bad_input(ssmgen, demo, folder, name, old_output):
    content, arguments, exits, says = CASES[name]
    if content is not None:
        (folder / "in.fa").write_bytes(content)
    for suffix in ("", ".tsv", ".json"):
        if old_output:
            (folder / f"out.npy{suffix}").write_bytes(OLD)
    options = ("--model", demo.small_model, "-o", "out.npy")
    done = ssmgen("embed", *options, *arguments, exits=exits)
    assert re.search(says, done.stderr), done.stderr
    assert all(line.startswith(("ssmgen: ", "Usage: ", " ")) for line in done.stderr.splitlines())
    for suffix in ("", ".tsv", ".json"):
        path = folder / f"out.npy{suffix}"
        assert path.exists() == old_output
        assert not old_output or path.read_bytes() == OLD


def test_a_protein_is_told_of(ssmgen, demo, tmp_path):
    """It is embedded as bases that are not known, as the reference does, but not in silence."""
    options = ("--model", demo.small_model, "--pool", "mean", "-o", "out.tsv", "in.fa")
    for text, says in (
        (">dna\nACGTN\nry\n", []),
        (">dna\nACGT\n>gene product\nMVKE\n", ["record 'gene': 'E' at 4 is no letter of DNA"]),
        (">a\nACGU\n>b\nACGT\n>c\nEF\n", ["record 'a': 'U' at 4", "2 of 3 records have letters"]),
    ):
        (tmp_path / "in.fa").write_text(text)
        done = ssmgen("embed", *options)
        warnings = [line for line in done.stderr.splitlines() if "warning: in.fa: " in line]
        assert len(warnings) == len(says), done.stderr
        assert all(part in line for part, line in zip(says, warnings, strict=True)), warnings


@pytest.mark.parametrize(
    "output, exits, says",
    [
        (("-o", "out.dat"), 2, "end it in .npy, .zarr or .tsv, or give -O"),
        (("-o", "out.npy", "-O", "parquet"), 2, "choose npy, zarr or tsv"),
        (("-O", "npy"), 2, "npy is written at many places at once.*give -o NAME.npy"),
        (("-O", "zarr"), 2, "zarr is written at many places at once"),
        (("-o", "out.tsv"), 2, "TSV is for pooled rows"),
        ((), 2, "TSV is for pooled rows"),
        (("-o", "none/out.npy"), 2, "the folder none does not exist"),
        (("-o", "none/out.zarr"), 2, "the folder none does not exist"),
        (("-o", "."), 2, "end it in|this is a directory"),
        (("-o", "/dev/null", "-O", "npy"), 2, "must be a file"),
        (("-o", "in.fa", "-O", "npy"), 2, "in.fa: is the input itself"),
        (("-o", "/proc/out.npy"), 1, "/proc/out.npy.part: cannot be written"),
        (("-o", "/proc/out.zarr"), 1, "/proc/out.zarr.part: cannot be made"),
        (("-o", "/dev/full", "-O", "tsv", "--pool", "mean"), 1, "/dev/full: writing failed: No space"),
    ],
)  # fmt: skip
def test_bad_output(ssmgen, demo, tmp_path, output, exits, says):
    (tmp_path / "in.fa").write_bytes(TEXT)
    done = ssmgen("embed", "--model", demo.small_model, *output, "in.fa", exits=exits)
    assert re.search(says, done.stderr), done.stderr
    assert (tmp_path / "in.fa").read_bytes() == TEXT


@pytest.mark.parametrize("stream", [False, True], ids=["file", "stream"])
@pytest.mark.parametrize("name", ["out.npy", "out.zarr", "out.tsv"])
def test_a_full_disk_is_an_error(ssmgen, demo, tmp_path, name, stream):
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("nobody may mount a small file system here")
    try:
        pool = ("--pool", "mean", "--window", 64, "--stride", 8, "--per-window")
        options = ("--model", demo.small_model, "-o", folder / name, "--chunk-rows", 50)
        (tmp_path / "in.fa").write_bytes(TEXT)
        given = {"stdin": TEXT.decode()} if stream else {}
        source = "-" if stream else tmp_path / "in.fa"
        done = ssmgen("embed", *options, *pool, source, exits=1, **given)
        assert "No space left on device" in done.stderr and "make room" in done.stderr
        assert all(path.name.endswith(".part") for path in folder.iterdir())
    finally:
        subprocess.run(["umount", str(folder)], check=True)
