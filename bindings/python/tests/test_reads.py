"""embed_bam(): the rows and the descriptions that `ssmgen embed` gives of SAM, BAM and CRAM."""

import shutil
import subprocess

import numpy as np
import pytest

import ssmgen

BASES = {
    name: "".join(np.random.default_rng(seed).choice(list("ACGT"), length))
    for name, seed, length in (("c1", 1, 2000), ("c2", 2, 700))
}


def sam_text():
    """80 reads of both strands and two read groups, one of them without a sequence, one of N, one
    without a place."""
    draw = np.random.default_rng(3)
    lines = ["@HD\tVN:1.6\tSO:coordinate"]
    lines += [f"@SQ\tSN:{name}\tLN:{len(bases)}" for name, bases in BASES.items()]
    lines += ["@RG\tID:g1\tSM:s", "@RG\tID:g2\tSM:s"]
    for name, bases in BASES.items():
        for i, at in enumerate(sorted(draw.integers(0, len(bases) - 120, 40))):
            letters = bases[at : at + draw.choice([50, 75, 100])]
            flag, group = draw.choice([0, 16, 99, 147, 0x400]), "" if i == 9 else "\tRG:Z:g1"
            cigar = f"{len(letters)}M"
            if i == 5:
                letters = "*"
            if i == 6:
                letters = "N" * len(letters)
            lines.append(f"r{i}{name}\t{flag}\t{name}\t{at + 1}\t{i}\t{cigar}\t*\t0\t0\t{letters}\t*"
                         + group)  # fmt: skip
    lines.append("lost\t4\t*\t0\t0\t*\t*\t0\t0\tACGTNACGT\t*\tRG:Z:g2")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def reads(tmp_path_factory):
    """A folder with in.sam, in.bam and in.cram of the same reads, indexed, and genome.fa."""
    samtools = shutil.which("samtools")
    if samtools is None:
        pytest.skip("samtools is not installed")
    folder = tmp_path_factory.mktemp("reads")
    (folder / "in.sam").write_text(sam_text())
    (folder / "genome.fa").write_text("".join(f">{n}\n{bases}\n" for n, bases in BASES.items()))
    for arguments in (
        ("faidx", "genome.fa"),
        ("view", "-b", "-o", "in.bam", "in.sam"),
        ("view", "-C", "-T", "genome.fa", "-o", "in.cram", "in.sam"),
        ("index", "in.bam"),
        ("index", "in.cram"),
    ):
        subprocess.run([samtools, *arguments], cwd=folder, check=True, capture_output=True)
    return folder


def described(found):
    """The rows in the words of the sidecar that the command writes."""
    columns = (found.name, found.contig, found.begin, found.end, found.strand, found.flag,
               found.mapq, found.read_group, found.bases)  # fmt: skip
    return [
        [n, c or ".", str(b), str(e), s, str(f), str(q), g or ".", str(bases)]
        for n, c, b, e, s, f, q, g, bases in zip(*columns)
    ]


@pytest.mark.parametrize(
    "name, options, settings",
    [
        ("in.sam", [], {}),
        ("in.bam", ["-q", "12", "-F", "0x400"], {"min_mapq": 12, "exclude_flags": 0x400}),
        ("in.bam", ["-f", "PAIRED,REVERSE"], {"require_flags": "PAIRED,REVERSE"}),
        ("in.bam", ["-r", "c1:300-900,c2:1-50"], {"regions": "c1:300-900,c2:1-50"}),
        ("in.bam", ["--read-orientation", "sequenced", "--strand", "plus"],
         {"orientation": "sequenced", "strand": "plus"}),
        ("in.cram", ["--layer", "1", "--pool", "max", "--window", "32", "--skip-n"],
         {"layer": 1, "pool": "max", "window": 32, "skip_n": True}),
        ("in.cram", ["-r", "c2", "--pool", "center:20", "--strand", "concat"],
         {"regions": "c2", "pool": "center:20", "strand": "concat"}),
    ],
)  # fmt: skip
def test_reads_have_the_bits_of_the_command(
    small, data, command, reads, tmp_path, name, options, settings
):
    genome = ["--fasta", reads / "genome.fa"] if name == "in.cram" else []
    pooled = [] if "--pool" in options else ["--pool", "mean"]
    command("embed", "--model", data.small, *pooled, *genome, *options, "-o", tmp_path / "out.npy",
            reads / name)  # fmt: skip
    expected = np.load(tmp_path / "out.npy")
    told = []
    found = ssmgen.embed_bam(
        small, reads / name, fasta=genome[1] if genome else "", progress=told.append, **settings
    )
    assert found.values.dtype == np.float32 and found.values.shape == expected.shape
    assert found.values.tobytes() == expected.tobytes()
    lines = [line.split("\t") for line in (tmp_path / "out.npy.tsv").read_text().splitlines()[1:]]
    assert described(found) == [line[:8] + line[-1:] for line in lines]
    assert 3 < len(found) == found.summary.rows == found.summary.records
    assert all(step["bases_total"] >= step["bases"] for step in told) and told


def test_what_is_left_out_and_what_is_nan(small, reads):
    found = ssmgen.embed_bam(small, reads / "in.bam", skip_n=True)
    assert len(found) == 79 and found.summary.reads_without_sequence == 2
    nan = np.isnan(found.values).all(axis=1)
    assert nan.sum() == found.summary.empty_records == 2 and (nan == (found.bases == 0)).all()
    assert (found.name[-1], found.contig[-1], found.begin[-1]) == ("lost", "", -1)
    assert found.bases[-1] == 8 and found.strand[-1] == "." and found.read_group[-1] == "g2"
    nobody = ssmgen.embed_bam(small, reads / "in.bam", require_flags=0x800)
    assert nobody.values.shape == (0, small.info.d_model) and nobody.name == []


def test_tables_of_reads(small, reads):
    pandas = pytest.importorskip("pandas")
    found = ssmgen.embed_bam(small, reads / "in.bam", min_mapq=30)
    table = found.to_pandas()
    assert isinstance(table, pandas.DataFrame)
    assert list(table.columns[:10]) == [
        "name", "contig", "begin", "end", "strand", "flag", "mapq", "read_group", "bases", "c0",
    ]  # fmt: skip
    assert (table["mapq"] >= 30).all() and len(table) == len(found) > 10
    pytest.importorskip("anndata")
    made = found.to_anndata()
    assert np.shares_memory(made.X, found.values) and made.uns["ssmgen"]["min_mapq"] == "30"


@pytest.mark.parametrize(
    "name, settings, kind, word",
    [
        ("no.bam", {}, ssmgen.FormatError, "no.bam"),
        ("in.bam", {"regions": "c9:1-5"}, ValueError, "contig c9"),
        ("in.sam", {"regions": "c1:1-5"}, ssmgen.FormatError, "index"),
        ("in.bam", {"require_flags": "BEST"}, ValueError, "'BEST'"),
        ("in.bam", {"min_mapq": 256}, ValueError, "256"),
        ("in.bam", {"min_mapq": -1}, ValueError, "-1"),
        ("in.bam", {"orientation": "up"}, ValueError, "up"),
        ("in.bam", {"pool": "none"}, ValueError, "one row a read"),
        ("in.bam", {"layer": "all"}, ValueError, "one row a read"),
        ("in.bam", {"max_output": 1000}, ValueError, "1000 bytes"),
        ("in.bam", {"max_output": "1X"}, ValueError, "'1X'"),
        ("genome.fa", {}, ValueError, "holds FASTA"),
        ("-", {}, ValueError, "'-'"),
        ("cut.bam", {}, ssmgen.FormatError, "truncated"),
    ],
)
def test_bad_input_is_named(small, reads, name, settings, kind, word):
    whole = (reads / "in.bam").read_bytes()
    (reads / "cut.bam").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(kind) as error:
        ssmgen.embed_bam(small, name if name == "-" else reads / name, **settings)
    assert word in str(error.value) and error.type is kind


def test_a_cram_asks_for_its_genome(small, reads, tmp_path, monkeypatch):
    monkeypatch.setenv("REF_CACHE", str(tmp_path))
    shutil.copy(reads / "in.cram", tmp_path / "alone.cram")
    (tmp_path / "other.fa").write_text(">c1\nACGT\n>c2\nACGT\n")
    with pytest.raises(ssmgen.FormatError, match="FASTA it was made with"):
        ssmgen.embed_bam(small, tmp_path / "alone.cram", fasta=tmp_path / "other.fa")


def test_what_progress_raises_stops_the_run(small, reads):
    def stop(step):
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        ssmgen.embed_bam(small, reads / "in.bam", progress=stop)
