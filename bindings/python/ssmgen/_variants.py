"""Variants in the forms people have them, and the scores that come back of them."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ssmgen._extras import anndata_of, extra
from ssmgen._tables import columns_of

# What a VCF can hold in these columns.
_CONTIG = re.compile(r"[0-9A-Za-z!#$%&+./:;?@^_|~-][0-9A-Za-z!#$%&*+./:;=?@^_|~-]*")
_ALLELE = re.compile(r"[!-+\--~]+")  # printable, but no comma


@dataclass(frozen=True)
class Row:
    """One ALT: which of the caller's variants it is of, and what a VCF says of it."""

    variant: int
    chrom: str
    pos: int
    ref: str
    alt: str


@dataclass
class VariantScores:
    """Scores of variants, a row for each ALT, in the order given.

    variant: which of the variants given the row is of, from 0, int64.
    chrom, pos, ref, alt: as given; pos counts from 1.
    scores: {mode: float32, (rows,)}: log p(ALT) - log p(REF), natural logarithm; NaN for an ALT
        without a score.
    reason: why there is no score, one of the words of SSM_REASON; "" for an ALT that has one.
    """

    variant: npt.NDArray[np.int64]
    chrom: list[str]
    pos: npt.NDArray[np.int64]
    ref: list[str]
    alt: list[str]
    scores: dict[str, npt.NDArray[np.float32]]
    reason: list[str]

    def __len__(self) -> int:
        return len(self.chrom)

    def _observations(self) -> dict[str, Any]:
        names = ("variant", "chrom", "pos", "ref", "alt", "reason")
        return {name: getattr(self, name) for name in names}

    def to_pandas(self) -> Any:
        """A DataFrame with a column for each field and mode.

        Raises ImportError, which names the extra, without pandas.
        """
        columns = self._observations()
        reason = columns.pop("reason")
        return extra("pandas").DataFrame({**columns, **self.scores, "reason": reason})

    def to_anndata(self) -> Any:
        """An AnnData: X is the scores, (rows, modes), obs the variants with their reasons, var the
        modes.

        Raises ImportError, which names the extra, without anndata.
        """
        values = np.stack(list(self.scores.values()), axis=1)
        return anndata_of(values, self._observations(), list(self.scores), {})


def rows_of(variants: Any) -> list[Row]:
    """Raises ValueError naming the variant for what cannot be one."""
    if isinstance(variants, (str, bytes)):
        raise ValueError("variants: expected (chrom, pos, ref, alt) tuples, a table or records")
    if hasattr(variants, "columns") or isinstance(variants, Mapping):
        names = ("chrom", "pos", "ref", "alt")
        variants = columns_of(variants, {name: (name,) for name in names}, (), "variants")
    rows: list[Row] = []
    for i, variant in enumerate(_iterate(variants)):
        chrom, pos, ref, alts = _fields(i, variant)
        for alt in alts:
            rows.append(_checked(i, chrom, pos, ref, alt))
    return rows


def _iterate(variants: Any) -> Iterable[Any]:
    if not isinstance(variants, Iterable):
        kind = type(variants).__name__
        raise ValueError(f"variants: expected a sequence, a table or records, not {kind}")
    return variants


def _fields(i: int, variant: Any) -> tuple[Any, Any, Any, Sequence[Any]]:
    for names in (("chrom", "pos", "ref", "alts"), ("CHROM", "POS", "REF", "ALT")):
        if all(hasattr(variant, name) for name in names):
            chrom, pos, ref, alts = (getattr(variant, name) for name in names)
            return chrom, pos, ref, (alts,) if isinstance(alts, str) else tuple(alts or ())
    if not isinstance(variant, (tuple, list)) or len(variant) != 4:
        raise ValueError(f"variant {i}: expected (chrom, pos, ref, alt), not {variant!r}")
    return variant[0], variant[1], variant[2], (variant[3],)


def _checked(i: int, chrom: Any, pos: Any, ref: Any, alt: Any) -> Row:
    try:
        position = operator.index(pos)
    except TypeError:
        raise ValueError(f"variant {i}: position {pos!r}, expected a whole number") from None
    if not 1 <= position < 2**31:
        raise ValueError(
            f"variant {i}: position {position}: expected 1 to 2147483647, counted from 1 as in a VCF"
        )
    if not isinstance(chrom, str) or not _CONTIG.fullmatch(chrom):
        raise ValueError(
            f"variant {i}: {chrom!r} is no name of a contig: expected a str that a VCF can hold"
        )
    for name, allele in (("REF", ref), ("ALT", alt)):
        if not isinstance(allele, str) or not _ALLELE.fullmatch(allele):
            raise ValueError(f"variant {i}: {name} is {allele!r}, expected one allele's letters")
    return Row(i, chrom, position, ref, alt)
