"""Scores as the command writes them, to hold those of Python against."""

import gzip
import pathlib

import numpy as np

import ssmgen


def vcf_rows(path):
    lines = pathlib.Path(path).read_text().splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


def bits_of_the_command(command, model, fasta, vcf, *options):
    """What `ssmgen score` writes to BCF, where a score has its 32 bits: the body, uncompressed."""
    raw = gzip.decompress(
        command("score", "--model", model, "--fasta", fasta, "-q", "--no-version", "-Ob",
                *options, vcf)
    )  # fmt: skip
    return raw[9 + int.from_bytes(raw[5:9], "little") :]


def scores_of_both(command, model, folder, fasta, variants, **settings):
    """The Python scores of a model, each of which, or the reason that it has none, must lie in the
    command's BCF."""
    vcf = folder / "in.vcf"
    lines = [f"{chrom}\t{pos}\t.\t{ref}\t{alt}\t.\t.\t." for chrom, pos, ref, alt in variants]
    contigs = dict.fromkeys(chrom for chrom, *_ in variants)
    head = ["##fileformat=VCFv4.2", *(f"##contig=<ID={contig}>" for contig in contigs)]
    head.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO")
    vcf.write_text("\n".join(head + lines) + "\n")
    options = [part for key, value in settings.items() for part in (f"--{key}", str(value))]
    raw = bits_of_the_command(command, model, fasta, vcf, "--score", "masked,unmasked", *options)
    found = ssmgen.load(model).score_variants(
        variants, fasta, modes=["masked", "unmasked"], **settings
    )
    assert list(found.scores) == ["masked", "unmasked"]
    for i in range(len(variants)):
        shared, individual = np.frombuffer(raw[:8], "<u4")
        record, raw = raw[8 : 8 + shared], raw[8 + shared + individual :]
        for scores in found.scores.values():
            if found.reason[i]:
                assert np.isnan(scores[i]) and found.reason[i].encode() in record
            else:
                assert np.isfinite(scores[i])
                assert b"\x15" + scores[i].tobytes() in record  # one value of type float
    assert raw == b""
    return found
