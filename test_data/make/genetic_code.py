"""The genetic code (NCBI table 11) and how often E. coli K-12 uses each codon."""

import random

# Occurrences per thousand codons in genes of E. coli K-12, to one decimal.
CODON_USAGE = {
    "TTT": 19.7, "TCT": 5.7, "TAT": 16.8, "TGT": 5.9,
    "TTC": 15.0, "TCC": 5.5, "TAC": 14.6, "TGC": 8.0,
    "TTA": 15.2, "TCA": 7.8, "TAA": 1.8, "TGA": 1.0,
    "TTG": 11.9, "TCG": 8.0, "TAG": 0.2, "TGG": 10.7,
    "CTT": 11.9, "CCT": 8.4, "CAT": 15.8, "CGT": 21.1,
    "CTC": 10.5, "CCC": 6.4, "CAC": 13.1, "CGC": 26.0,
    "CTA": 5.3, "CCA": 6.6, "CAA": 12.1, "CGA": 4.3,
    "CTG": 46.9, "CCG": 26.7, "CAG": 27.7, "CGG": 4.1,
    "ATT": 30.5, "ACT": 8.0, "AAT": 21.9, "AGT": 7.2,
    "ATC": 18.2, "ACC": 22.8, "AAC": 24.4, "AGC": 16.6,
    "ATA": 3.7, "ACA": 6.4, "AAA": 33.2, "AGA": 1.4,
    "ATG": 24.8, "ACG": 11.5, "AAG": 12.1, "AGG": 1.6,
    "GTT": 16.8, "GCT": 10.7, "GAT": 37.9, "GGT": 21.3,
    "GTC": 11.7, "GCC": 31.6, "GAC": 20.5, "GGC": 33.4,
    "GTA": 11.5, "GCA": 21.1, "GAA": 43.7, "GGA": 9.2,
    "GTG": 26.4, "GCG": 38.5, "GAG": 18.4, "GGG": 8.6,
}  # fmt: skip

# How often genes of K-12 start with each of the three start codons, and stop with each stop codon.
START_USAGE = {"ATG": 83.0, "GTG": 14.0, "TTG": 3.0}
STOP_USAGE = {"TAA": 63.0, "TGA": 29.0, "TAG": 8.0}

BASES = "ACGT"
_AMINO_ACIDS = "KNKNTTTTRSRSIIMIQHQHPPPPRRRRLLLLEDEDAAAAGGGGVVVV*Y*YSSSS*CWCLFLF"
AMINO_ACID = {
    a + b + c: _AMINO_ACIDS[16 * i + 4 * j + k]
    for i, a in enumerate(BASES)
    for j, b in enumerate(BASES)
    for k, c in enumerate(BASES)
}
SENSE_USAGE = {codon: use for codon, use in CODON_USAGE.items() if AMINO_ACID[codon] != "*"}

_COMPLEMENT = str.maketrans("ACGTacgt", "TGCAtgca")


def reverse_complement(bases):
    return bases.translate(_COMPLEMENT)[::-1]


class Draw:
    """Random choices whose outcome depends on the seed alone.

    Only random.random() is promised to stay the same from one Python to the next, so everything is
    drawn with it.
    """

    def __init__(self, seed):
        self._random = random.Random(seed)

    def below(self, count):
        """An integer from 0 to count - 1."""
        return int(self._random.random() * count)

    def between(self, low, high):
        """An integer from low to high, both included."""
        return low + self.below(high - low + 1)

    def chance(self, probability):
        return self._random.random() < probability

    def one_of(self, items):
        return items[self.below(len(items))]

    def weighted(self, weights):
        """A key of `weights`, as often as its value says."""
        left = self._random.random() * sum(weights.values())
        for key, weight in weights.items():
            left -= weight
            if left < 0:
                return key
        return key

    def shuffled(self, items):
        items = list(items)
        for last in range(len(items) - 1, 0, -1):
            other = self.below(last + 1)
            items[last], items[other] = items[other], items[last]
        return items
