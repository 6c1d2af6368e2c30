"""Makes expected/*.tsv: scores of the variants by the float64 model of caduceus_f64.py.

Windows are of 512 bases with the first REF base at offset 255; `shift` moves a window inside the
contig, `pad` fills with N. Takes a few minutes on two cores.
"""

import pathlib

import numpy as np
from caduceus_f64 import MASK, N_TOKEN, CaduceusPS, tokens_of
from make_genome import GENOME_DIR, read_fasta
from make_goldens import MODEL

TEST_DATA_DIR = GENOME_DIR.parent
EXPECTED_DIR = TEST_DATA_DIR / "expected"
WINDOW_BASES = 512
OFFSET = (WINDOW_BASES - 1) // 2
BATCH = 32

# The records of edge_cases.vcf that have a masked and an unmasked score.
SCORED_EDGES = {
    "first_base", "second_base", "mnv3", "three_snvs", "lower_case_ref", "lower_case_alt",
    "duplicate", "same_site", "padded_snv", "last_but_one", "mnv_at_end", "last_base",
    "soft_masked", "before_n_run", "after_n_run", "iupac_genome_matches", "before_n_end",
}  # fmt: skip


def read_sites(path, cases=None):
    """[(contig, 0-based position, REF, ALT)], one for each ALT."""
    sites = []
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith("#"):
            continue
        contig, position, _, ref, alts, _, _, info = line.split("\t")[:8]
        fields = dict(field.partition("=")[::2] for field in info.split(";"))
        if cases is None or fields["CASE"] in cases:
            sites += [(contig, int(position) - 1, ref, alt) for alt in alts.split(",")]
    return sites


def window_of(tokens, position, edge):
    """(the window's tokens, the site's offset in it)"""
    start = position - OFFSET
    if edge == "shift":
        start = max(0, min(start, len(tokens) - WINDOW_BASES))
    window = np.full(WINDOW_BASES, N_TOKEN)
    first, last = max(0, start), min(len(tokens), start + WINDOW_BASES)
    window[first - start : last - start] = tokens[first:last]
    return window, position - start


def log_likelihood_ratio(rows, offset, ref, alt):
    """Sum over the REF positions of log p(ALT base) - log p(REF base); rows is (length, 4)."""
    return sum(
        rows[offset + i, "ACGT".index(a)] - rows[offset + i, "ACGT".index(r)]
        for i, (r, a) in enumerate(zip(ref.upper(), alt.upper(), strict=True))
    )


def score(model, genome, sites, edge):
    """[(masked, unmasked)] in the order of the sites."""
    tokens = {name: tokens_of(bases) for name, bases in genome.items()}
    scores = []
    for start in range(0, len(sites), BATCH):
        batch = sites[start : start + BATCH]
        windows = [window_of(tokens[contig], position, edge) for contig, position, _, _ in batch]
        plain = np.stack([window for window, _ in windows])
        masked = plain.copy()
        for row, ((_, offset), site) in enumerate(zip(windows, batch, strict=True)):
            masked[row, offset : offset + len(site[2])] = MASK
        both = model.base_log_probabilities(np.concatenate([masked, plain]))
        for row, ((_, offset), (_, _, ref, alt)) in enumerate(zip(windows, batch, strict=True)):
            scores.append(
                tuple(
                    log_likelihood_ratio(rows, offset, ref, alt)
                    for rows in (both[row], both[row + len(batch)])
                )
            )
    return scores


def write_scores(path, sites, scores):
    with open(path, "w", newline="\n") as out:
        out.write("chrom\tpos\tref\talt\tmasked\tunmasked\n")
        for (contig, position, ref, alt), (masked, unmasked) in zip(sites, scores, strict=True):
            out.write(f"{contig}\t{position + 1}\t{ref}\t{alt}\t{masked:.5f}\t{unmasked:.5f}\n")


def main(folder=EXPECTED_DIR):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    model = CaduceusPS(TEST_DATA_DIR / "models" / MODEL)
    genome = read_fasta(GENOME_DIR / "demo.fa")
    demo = read_sites(TEST_DATA_DIR / "variants" / "demo.vcf")
    edges = read_sites(TEST_DATA_DIR / "variants" / "edge_cases.vcf", SCORED_EDGES)
    for name, sites, edge in (
        ("demo", demo, "shift"),
        ("edge_shift", edges, "shift"),
        ("edge_pad", edges, "pad"),
    ):
        write_scores(folder / f"{name}.tsv", sites, score(model, genome, sites, edge))


if __name__ == "__main__":
    main()
