"""One input, three ways in: the command line, Python and R give the same 32 bits (f32, CPU).

The command writes BCF and npy, Python gives arrays, and R writes its numbers with writeBin(), as
floats: an R number holds every float, so nothing is rounded on the way.
"""

import gzip
import itertools
import pathlib
import shutil

import numpy as np
import pytest

import ssmgen as package

SOURCE_DIR = pathlib.Path(__file__).resolve().parents[2]
DATA = SOURCE_DIR / "test_data"
SHARED = SOURCE_DIR.parent / "shared"
MODEL = DATA / "models" / "ecoli-caduceus-ps"
MODES = ("masked", "unmasked")
FLOAT = 0x15  # BCF: one value of type float

R_SCORES = """
suppressPackageStartupMessages({library(ssmgen); library(VariantAnnotation)})
given <- commandArgs(trailingOnly = TRUE)
vcf <- readVcf(given[2])
found <- scoreVariants(loadModel(given[1]), vcf, given[3], modes = c("masked", "unmasked"),
    window = 512, edge = given[5], progress = FALSE)
out <- file(given[4], "wb")
for (name in c("SSM_MASKED", "SSM_UNMASKED")) writeBin(unlist(info(found)[[name]]), out, size = 4L)
close(out)
"""

R_STATES = """
suppressPackageStartupMessages({library(ssmgen); library(SummarizedExperiment)})
given <- commandArgs(trailingOnly = TRUE)
genes <- read.table(given[3])
genes <- GRanges(genes$V1, IRanges(genes$V2 + 1, genes$V3), genes$V6)
found <- embedRegions(loadModel(given[1]), genes, given[2], pool = given[5], progress = FALSE)
writeBin(as.vector(t(assay(found))), given[4], size = 4L)
"""


def write_vcf(path, rows):
    lines = ["##fileformat=VCFv4.2"]
    lines += [f"##contig=<ID={contig}>" for contig in dict.fromkeys(row[0] for row in rows)]
    lines.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO")
    lines += [f"{contig}\t{pos}\t.\t{ref}\t{alt}\t.\t.\t." for contig, pos, ref, alt in rows]
    path.write_text("\n".join(lines) + "\n")


def bcf_records(path):
    """The fixed part and INFO of each record of a BCF, as bytes."""
    raw = gzip.decompress(path.read_bytes())
    at = 9 + int.from_bytes(raw[5:9], "little")
    while at < len(raw):
        shared, individual = (int.from_bytes(raw[at + i : at + i + 4], "little") for i in (0, 4))
        yield raw[at + 8 : at + 8 + shared]
        at += 8 + shared + individual


def bits_of_bcf(path):
    """The scores of records with one ALT and no other INFO, (modes, records).

    INFO of such a record ends with the modes in their order, each a key (two bytes), the type and
    the float.
    """
    size = 2 + 1 + 4
    columns = []
    for record in bcf_records(path):
        fields = record[-size * len(MODES) :]
        values = []
        for i in range(len(MODES)):
            field = fields[i * size : (i + 1) * size]
            assert field[2] == FLOAT
            values.append(np.frombuffer(field[3:], "<u4")[0])
        columns.append(values)
    return np.array(columns, np.uint32).T


def demo_rows():
    lines = (DATA / "variants" / "demo.vcf").read_text().splitlines()
    fields = [line.split("\t") for line in lines if not line.startswith("#")]
    return [(f[0], int(f[1]), f[3], f[4]) for f in fields[::3]], DATA / "genome" / "demo.fa", "shift"


def tsv_rows(path, step, contig=None):
    if not path.is_file():
        pytest.skip(f"there is no {path}")
    lines = [line.split("\t") for line in path.read_text().splitlines()[1::step]]
    return [(contig, int(f[0]), f[1], f[2]) if contig else (f[0], int(f[1]), *f[2:4]) for f in lines]


def zero_shot_rows():
    rows = tsv_rows(SHARED / "golden" / "zero_shot" / "expected.tsv", 26)
    return rows, SHARED / "golden" / "zero_shot" / "ref.fa", "pad"


def ecoli_rows():
    rows = tsv_rows(SHARED / "data" / "ecoli_kinds.expected.tsv", 134, "NC_000913.3")
    return rows, SHARED / "data" / "ecoli_k12_mg1655.fna.gz", "shift"


@pytest.mark.parametrize("rows_of", [demo_rows, zero_shot_rows, ecoli_rows])
def test_scores(ssmgen, r, tmp_path, rows_of):
    rows, source, edge = rows_of()
    fasta, vcf = tmp_path / "genome.fa", tmp_path / "in.vcf"
    if source.suffix == ".gz":
        fasta.write_bytes(gzip.decompress(source.read_bytes()))
    else:
        shutil.copyfile(source, fasta)
    write_vcf(vcf, rows)
    ssmgen(
        "score", "-q", "--model", MODEL, "--fasta", fasta, "--score", ",".join(MODES), "--window",
        512, "--edge", edge, "-o", tmp_path / "out.bcf", vcf,
    )  # fmt: skip
    expected = bits_of_bcf(tmp_path / "out.bcf")
    assert expected.shape == (2, len(rows)) and np.isfinite(expected.view(np.float32)).all()

    of_python = package.load(MODEL).score_variants(rows, fasta, modes=MODES, window=512, edge=edge)
    for mode, bits in zip(MODES, expected, strict=True):
        assert np.array_equal(of_python.scores[mode].view(np.uint32), bits)

    r(R_SCORES, MODEL, vcf, fasta, tmp_path / "r.bin", edge)
    of_r = np.fromfile(tmp_path / "r.bin", "<u4").reshape(expected.shape)
    assert np.array_equal(of_r, expected)
    # What is compared is scores, and not one number many times.
    assert len(set(itertools.chain(*expected))) > len(rows)


@pytest.mark.parametrize("pool", ["mean", "center:9"])
def test_embeddings(ssmgen, r, tmp_path, pool):
    fasta, bed = tmp_path / "genome.fa", DATA / "genome" / "genes.bed"
    shutil.copyfile(DATA / "genome" / "demo.fa", fasta)
    ssmgen(
        "embed", "--quiet", "--model", MODEL, "--fasta", fasta, "--bed", bed, "--pool", pool, "-o",
        tmp_path / "out.npy",
    )  # fmt: skip
    expected = np.load(tmp_path / "out.npy")
    assert expected.shape == (44, 128) and len(set(expected[:, 0])) == 44

    package.embed_files(
        package.load(MODEL), None, tmp_path / "python.npy", fasta=fasta, bed=bed, pool=pool
    )
    assert np.load(tmp_path / "python.npy").tobytes() == expected.tobytes()

    r(R_STATES, MODEL, fasta, bed, tmp_path / "r.bin", pool)
    assert (tmp_path / "r.bin").read_bytes() == expected.tobytes()
