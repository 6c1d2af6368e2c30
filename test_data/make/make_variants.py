"""Makes variants/demo.vcf and variants/edge_cases.vcf from the genome that make_genome.py wrote."""

import pathlib

from genetic_code import AMINO_ACID, BASES, Draw, reverse_complement
from make_genome import GENOME_DIR, MAIN, MAIN_BASES, ODD, SHORT, SHORT_BASES, read_fasta, read_genes

SEED = 20262
COUNTS = {"syn": 120, "mis": 120, "stop": 60, "mnv": 12}
VARIANTS_DIR = GENOME_DIR.parent / "variants"


def codon_changes(contig, gene):
    """Every SNV of a gene's inner codons: (kind, position, REF, ALT) on the plus strand."""
    _, start, end, _, strand = gene
    for codon_start in range(start + 3, end - 3, 3):
        plus = contig[codon_start : codon_start + 3]
        for offset in range(3):
            for alt in BASES:
                if alt == plus[offset]:
                    continue
                changed = plus[:offset] + alt + plus[offset + 1 :]
                before, after = (
                    AMINO_ACID[codon if strand == "+" else reverse_complement(codon)]
                    for codon in (plus, changed)
                )
                kind = "syn" if after == before else "stop" if after == "*" else "mis"
                yield kind, codon_start + offset, plus[offset], alt


def make_snvs(draw, contig, genes, taken):
    records = []
    by_kind = {"syn": [], "mis": [], "stop": []}
    for gene in genes:
        for kind, position, ref, alt in codon_changes(contig, gene):
            by_kind[kind].append((position, ref, alt, kind, gene[3]))
    # Stop-gained changes are the rarest, so they choose first.
    for kind in ("stop", "mis", "syn"):
        chosen = 0
        for record in draw.shuffled(by_kind[kind]):
            if chosen == COUNTS[kind]:
                break
            if record[0] not in taken:
                taken.add(record[0])
                records.append(record)
                chosen += 1
    return records


def make_mnvs(draw, contig, genes, taken):
    """Changes of 2 or 3 neighbouring bases inside one codon."""
    records = []
    while len(records) < COUNTS["mnv"]:
        gene = draw.one_of(genes)
        codon = gene[1] + 3 * draw.between(1, (gene[2] - gene[1]) // 3 - 2)
        length = draw.between(2, 3)
        span = range(codon, codon + length)
        if taken.intersection(span):
            continue
        taken.update(span)
        ref = contig[codon : codon + length]
        alt = "".join(draw.one_of(BASES.replace(base, "")) for base in ref)
        records.append((codon, ref, alt, "mnv", gene[3]))
    return records


def write_demo(path, genome):
    draw = Draw(SEED)
    contig = genome[MAIN]
    genes = read_genes(GENOME_DIR / "genes.bed")
    taken = set()
    records = make_snvs(draw, contig, genes, taken) + make_mnvs(draw, contig, genes, taken)
    with open(path, "w", newline="\n") as out:
        out.write(
            "##fileformat=VCFv4.2\n"
            f"##contig=<ID={MAIN},length={MAIN_BASES}>\n"
            '##INFO=<ID=KIND,Number=1,Type=String,Description="Effect on the gene: syn, mis, stop; '
            'or mnv, a change of 2 or 3 neighbouring bases">\n'
            '##INFO=<ID=GENE,Number=1,Type=String,Description="Gene, as named in genes.gff3">\n'
            "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
        )
        for position, ref, alt, kind, gene in sorted(records):
            out.write(f"{MAIN}\t{position + 1}\t.\t{ref}\t{alt}\t.\t.\tKIND={kind};GENE={gene}\n")


def other(base, step=1):
    """A base that differs from `base`."""
    return BASES[(BASES.index(base.upper()) + step) % 4]


def edge_records(genome):
    """[(contig, 1-based position, REF, ALT, case, further INFO)] in the order of the contigs."""
    main, short, odd = genome[MAIN], genome[SHORT], genome[ODD]

    def snv(name, contig, position, case):
        ref = contig[position - 1]
        return (name, position, ref, other(ref), case, "")

    def ref_of(contig, position, length=1):
        return contig[position - 1 : position - 1 + length]

    n_start = odd.index("N") + 1
    iupac = odd.index("R") + 1
    lower = 401
    records = [
        snv(MAIN, main, 1, "first_base"),
        snv(MAIN, main, 2, "second_base"),
        (MAIN, 40, ref_of(main, 40, 3), "".join(other(b) for b in ref_of(main, 40, 3)), "mnv3", ""),
        (MAIN, 100, ref_of(main, 100), ref_of(main, 100) + "ACG", "insertion", ""),
        (MAIN, 120, ref_of(main, 120, 4), ref_of(main, 120), "deletion", ""),
        (MAIN, 140, ref_of(main, 140, 2), "ACGTA", "complex_indel", ""),
        (MAIN, 160, ref_of(main, 160, 600), ref_of(main, 160), "long_deletion", ""),
        (MAIN, 900, ref_of(main, 900), ",".join(b for b in BASES if b != main[899]), "three_snvs", ""),
        (
            MAIN,
            1000,
            ref_of(main, 1000),
            f"{other(main[999])},{main[999]}TT,*,<DEL>,{other(main[999], 2)}",
            "mixed_kinds",
            "END=1010",
        ),
        (MAIN, 1100, ref_of(main, 1100), "*", "star", ""),
        (MAIN, 1200, ref_of(main, 1200), "<DEL>", "symbolic", "END=1300"),
        (MAIN, 1250, ref_of(main, 1250), "<NON_REF>", "gvcf_block", "END=1260"),
        (MAIN, 1300, ref_of(main, 1300), f"{main[1299]}[{MAIN}:2000[", "breakend", ""),
        (MAIN, 1350, ref_of(main, 1350), f"{main[1349]}.", "single_breakend", ""),
        (MAIN, 1400, ref_of(main, 1400), "R", "iupac_alt", ""),
        (MAIN, 1420, ref_of(main, 1420), "N", "n_alt", ""),
        (MAIN, 1440, ref_of(main, 1440), ".", "no_alt", ""),
        (MAIN, 1500, ref_of(main, 1500), ref_of(main, 1500), "alt_is_ref", ""),
        (MAIN, 1600, other(main[1599]), other(main[1599], 2), "ref_mismatch", ""),
        (MAIN, 1620, main[1619] + other(main[1620]), "GG", "mnv_ref_mismatch", ""),
        (MAIN, 1700, ref_of(main, 1700).lower(), other(main[1699]), "lower_case_ref", ""),
        (MAIN, 1720, ref_of(main, 1720), other(main[1719]).lower(), "lower_case_alt", ""),
        snv(MAIN, main, 1800, "duplicate"),
        snv(MAIN, main, 1800, "duplicate"),
        (MAIN, 1800, ref_of(main, 1800), other(main[1799], 2), "same_site", ""),
        (MAIN, 1900, ref_of(main, 1900, 2), ref_of(main, 1900) + other(main[1900]), "padded_snv", ""),
        snv(MAIN, main, MAIN_BASES - 1, "last_but_one"),
        (MAIN, MAIN_BASES - 1, ref_of(main, MAIN_BASES - 1, 2), "".join(other(b) for b in main[-2:]),
         "mnv_at_end", ""),
        snv(MAIN, main, MAIN_BASES, "last_base"),
        (MAIN, MAIN_BASES, main[-1] + "A", main[-1], "past_the_end", ""),
        snv(SHORT, short, 1, "short_first"),
        snv(SHORT, short, SHORT_BASES // 2, "short_middle"),
        snv(SHORT, short, SHORT_BASES, "short_last"),
        (ODD, lower, ref_of(odd, lower).upper(), other(odd[lower - 1]), "soft_masked", ""),
        snv(ODD, odd, n_start - 1, "before_n_run"),
        (ODD, n_start, "N", "A", "ref_is_n", ""),
        snv(ODD, odd, n_start + 120, "after_n_run"),
        (ODD, iupac, "A", "C", "iupac_genome_matches", ""),
        (ODD, iupac, "C", "T", "iupac_genome_mismatch", ""),
        (ODD, iupac + 1, "Y", "A", "iupac_ref", ""),
        snv(ODD, odd, len(odd) - 80, "before_n_end"),
        ("synth_absent", 5, "A", "C", "no_such_contig", ""),
        ("synth_absent", 9, "G", "T", "no_such_contig", ""),
    ]  # fmt: skip
    return records


# Sample columns must come out as they went in, and no reader of numbers writes these the same way.
SAMPLE_COLUMNS = [
    "0|1:12:0.50:-0.10,-1e-05,-7.500\t./.:.:.:.",
    "1/1:003:1.0:-10.00,1.50000e+02,-0\t0/0",
    "0/1:7:1E-3:.\t1|0:8:.5:0.1000000",
    "./.:.\t0/0:30:0.333333333333:1e10,2.00",
]


def write_edge_cases(path, genome):
    with open(path, "w", newline="\n") as out:
        out.write("##fileformat=VCFv4.2\n")
        lengths = {name: len(bases) for name, bases in genome.items()}
        for name, length in {**lengths, "synth_absent": 1000}.items():
            out.write(f"##contig=<ID={name},length={length}>\n")
        out.write(
            '##ALT=<ID=DEL,Description="Deletion">\n'
            '##ALT=<ID=NON_REF,Description="Any other allele">\n'
            '##FILTER=<ID=low,Description="Low quality">\n'
            '##INFO=<ID=CASE,Number=1,Type=String,Description="What the record is here for">\n'
            '##INFO=<ID=END,Number=1,Type=Integer,Description="Last position">\n'
            '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
            '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Reads">\n'
            '##FORMAT=<ID=AB,Number=1,Type=Float,Description="Share of ALT reads">\n'
            '##FORMAT=<ID=LL,Number=.,Type=Float,Description="Log likelihoods">\n'
            "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tsample_1\tsample 2\n"
        )
        for number, (name, position, ref, alt, case, info) in enumerate(edge_records(genome)):
            fields = [
                name,
                str(position),
                f"edge{number}" if number % 3 else ".",
                ref,
                alt,
                ["50", ".", "29.5"][number % 3],
                ["PASS", "low", "."][number % 3],
                f"CASE={case}" + (f";{info}" if info else ""),
                "GT:DP:AB:LL",
                SAMPLE_COLUMNS[number % len(SAMPLE_COLUMNS)],
            ]
            out.write("\t".join(fields) + "\n")


def main(folder=VARIANTS_DIR):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    genome = read_fasta(GENOME_DIR / "demo.fa")
    write_demo(folder / "demo.vcf", genome)
    write_edge_cases(folder / "edge_cases.vcf", genome)


if __name__ == "__main__":
    main()
