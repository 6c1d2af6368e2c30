"""Makes genome/demo.fa, genome/genes.gff3 and genome/genes.bed: a small made-up bacterial genome.

Genes stand on both strands in E. coli's codon usage, each behind a ribosome binding site, between
A/T-rich spacers with a promoter before and often a terminator behind. No base is of an organism.
"""

import pathlib

from genetic_code import (
    SENSE_USAGE,
    START_USAGE,
    STOP_USAGE,
    Draw,
    reverse_complement,
)

SEED = 20261
MAIN = "synth_main"  # genes
SHORT = "synth_short"  # shorter than a scoring window of 512
ODD = "synth_odd"  # runs of N, lower case and IUPAC codes
MAIN_BASES = 48_000
SHORT_BASES = 300
COLUMNS = 60
GENOME_DIR = pathlib.Path(__file__).resolve().parent.parent / "genome"
SPACER_USAGE = {"A": 30.0, "C": 20.0, "G": 20.0, "T": 30.0}


def make_spacer(draw, length):
    return "".join(draw.weighted(SPACER_USAGE) for _ in range(length))


def make_promoter(draw):
    """A sigma-70 promoter: -35 box, 17 bases, -10 box, and the start of the transcript."""
    return "TTGACA" + make_spacer(draw, 17) + "TATAAT" + make_spacer(draw, draw.between(20, 40))


def make_terminator(draw):
    """An intrinsic terminator: a G/C-rich hairpin with a run of T behind."""
    stem = "".join(draw.one_of("GC") for _ in range(7))
    return "AA" + stem + draw.one_of(["TTCG", "GAAA"]) + reverse_complement(stem) + "TTTTTTTT"


def make_gene(draw):
    """(leader with the ribosome binding site, coding sequence with start and stop codon)."""
    codons = draw.between(120, 480)
    site = draw.weighted({"AGGAGG": 3.0, "AGGAG": 4.0, "GGAGG": 3.0, "AAGGAG": 4.0, "GAGG": 2.0})
    leader = make_spacer(draw, 12) + site + make_spacer(draw, draw.between(5, 9))
    body = "".join(draw.weighted(SENSE_USAGE) for _ in range(codons))
    return leader, draw.weighted(START_USAGE) + body + draw.weighted(STOP_USAGE)


def make_main(draw):
    """(bases, genes); a gene is (start, end, strand), 0-based and half-open."""
    bases = make_spacer(draw, 150)
    genes = []
    while True:
        unit = make_promoter(draw)
        spans = []
        # Now and then two genes share a promoter, as in an operon.
        for _ in range(2 if draw.chance(0.3) else 1):
            leader, coding = make_gene(draw)
            unit += leader
            spans.append((len(unit), len(unit) + len(coding)))
            unit += coding
        unit += make_terminator(draw) if draw.chance(0.7) else ""
        if len(bases) + len(unit) + 150 > MAIN_BASES:
            break
        strand = draw.one_of("+-")
        if strand == "-":
            spans = [(len(unit) - end, len(unit) - start) for start, end in reversed(spans)]
            unit = reverse_complement(unit)
        genes += [(len(bases) + start, len(bases) + end, strand) for start, end in spans]
        bases += unit + make_spacer(draw, draw.between(60, 180))
    return bases + make_spacer(draw, MAIN_BASES - len(bases)), genes


def make_odd(draw):
    """Acgt, soft-masked acgt, a run of N, IUPAC codes, a lone N, a run of N at the end."""
    bases = make_spacer(draw, 300)
    bases += make_spacer(draw, 200).lower()
    bases += make_spacer(draw, 100) + "N" * 120 + make_spacer(draw, 100)
    bases += "RYSWKMBDHV" + make_spacer(draw, 40) + "ryswkmbdhv" + make_spacer(draw, 190)
    bases += "N" + make_spacer(draw, 149)
    return bases + "n" * 40 + "N" * 40


def write_fasta(path, contigs):
    with open(path, "w", newline="\n") as out:
        for name, description, bases in contigs:
            out.write(f">{name} {description}\n")
            for start in range(0, len(bases), COLUMNS):
                out.write(bases[start : start + COLUMNS] + "\n")


def read_fasta(path):
    """{name: bases}, case kept."""
    contigs = {}
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith(">"):
            name = line[1:].split()[0]
            contigs[name] = []
        else:
            contigs[name].append(line)
    return {name: "".join(lines) for name, lines in contigs.items()}


def read_genes(path):
    """[(contig, start, end, name, strand)] of a BED file."""
    genes = []
    for line in pathlib.Path(path).read_text().splitlines():
        contig, start, end, name, _, strand = line.split("\t")
        genes.append((contig, int(start), int(end), name, strand))
    return genes


def main(folder=GENOME_DIR):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    draw = Draw(SEED)
    main_bases, genes = make_main(draw)
    short_bases = make_spacer(draw, SHORT_BASES)
    odd_bases = make_odd(draw)
    write_fasta(
        folder / "demo.fa",
        [
            (MAIN, "made up, genes in E. coli codon usage", main_bases),
            (SHORT, "made up, shorter than a window", short_bases),
            (ODD, "made up, N, lower case and IUPAC codes", odd_bases),
        ],
    )
    with open(folder / "genes.gff3", "w", newline="\n") as gff, open(
        folder / "genes.bed", "w", newline="\n"
    ) as bed:
        gff.write(f"##gff-version 3\n##sequence-region {MAIN} 1 {MAIN_BASES}\n")
        for number, (start, end, strand) in enumerate(genes, 1):
            name = f"syn{number:04d}"
            gff.write(f"{MAIN}\tmake_genome\tCDS\t{start + 1}\t{end}\t.\t{strand}\t0\tID={name}\n")
            bed.write(f"{MAIN}\t{start}\t{end}\t{name}\t0\t{strand}\n")


if __name__ == "__main__":
    main()
