#!/usr/bin/env python3
"""How far scores are from the reference's, and those of a coarser type from them.

compare_scores.py EXPECTED.tsv F32.vcf BF16.vcf

EXPECTED has columns pos, ref, alt, masked_llr, unmasked_llr and, unless the VCFs have one contig
alone, chrom; the VCFs SSM_MASKED and SSM_UNMASKED. One line: rows, the largest difference of
F32.vcf, and Spearman's correlation of BF16.vcf with it.
"""

import csv
import pathlib
import sys

import numpy as np

# Beside this file on a machine that device.sh took both to.
sys.path.append(str(pathlib.Path(__file__).parent.parent / "support"))
from vcf_text import read_vcf

SCORES = {"masked_llr": "SSM_MASKED", "unmasked_llr": "SSM_UNMASKED"}


def scores_of(path):
    """{(contig, position, REF, ALT): {key: score}} of a VCF."""
    found = {}
    for record in read_vcf(path)[1]:
        contig, position, ref, alts = record.site
        columns = [record.values(key) for key in SCORES.values()]
        for alt, *values in zip(alts.split(","), *columns, strict=True):
            found[contig, position, ref, alt] = dict(zip(SCORES.values(), values, strict=True))
    return found


def ranks(values):
    """From 0; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return ((ends - counts + ends - 1) / 2)[inverse]


def main(expected, f32, bf16):
    with open(expected) as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    fine, coarse = scores_of(f32), scores_of(bf16)
    only_contig = next(iter(fine))[0]
    sites = [
        (row.get("chrom", only_contig), int(row["pos"]), row["ref"], row["alt"]) for row in rows
    ]
    largest = 0.0
    correlations = []
    for column, key in SCORES.items():
        values = np.array([fine[site][key] for site in sites])
        largest = max(largest, np.abs(values - [float(row[column]) for row in rows]).max())
        others = np.array([coarse[site][key] for site in sites])
        correlations.append(np.corrcoef(ranks(values), ranks(others))[0, 1])
    shown = ", ".join(f"{correlation:.5f}" for correlation in correlations)
    print(f"{len(rows)} rows: f32 at most {largest:.1e} off; Spearman of bf16 with f32: {shown}")


if __name__ == "__main__":
    main(*sys.argv[1:])
