"""Variants in the forms people have them, and the scores that come back of them."""

from __future__ import annotations

import operator
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ssmgen.errors import FormatError

# What a VCF can hold in these columns.
_CONTIG = re.compile(r"[0-9A-Za-z!#$%&+./:;?@^_|~-][0-9A-Za-z!#$%&*+./:;=?@^_|~-]*")
_ALLELE = re.compile(r"[!-+\--~]+")  # printable, but no comma
_MISSING_FLOAT, _END_OF_FLOATS = 0x7F800001, 0x7F800002


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

    def to_pandas(self) -> Any:
        """A DataFrame with a column for each field and mode. Needs pandas."""
        import pandas  # type: ignore[import-not-found, import-untyped, unused-ignore]

        columns = {"variant": self.variant, "chrom": self.chrom, "pos": self.pos, "ref": self.ref}
        return pandas.DataFrame(
            {**columns, "alt": self.alt, **self.scores, "reason": self.reason}
        )


def rows_of(variants: Any) -> list[Row]:
    """Raises ValueError naming the variant for what cannot be one."""
    if isinstance(variants, (str, bytes)):
        raise ValueError("variants: expected (chrom, pos, ref, alt) tuples, a table or records")
    if hasattr(variants, "columns") or isinstance(variants, Mapping):
        variants = _table_rows(variants)
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


def _table_rows(table: Any) -> list[tuple[Any, ...]]:
    """Of pandas, polars or a mapping of columns."""
    names = list(table.columns) if hasattr(table, "columns") else list(table)
    by_name = {str(name).lstrip("#").lower(): name for name in names}
    columns = []
    for wanted in ("chrom", "pos", "ref", "alt"):
        if wanted not in by_name:
            raise ValueError(f"variants: the table has no column '{wanted}', only {names}")
        column = table[by_name[wanted]]
        columns.append(column.to_list() if hasattr(column, "to_list") else list(column))
    if len({len(column) for column in columns}) > 1:
        lengths = [len(column) for column in columns]
        raise ValueError(f"variants: columns of different lengths {lengths}")
    return list(zip(*columns))


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
        raise ValueError(f"variant {i}: position {position}, which counts from 1 as in a VCF")
    if not isinstance(chrom, str) or not _CONTIG.fullmatch(chrom):
        raise ValueError(f"variant {i}: {chrom!r} is no name of a contig")
    for name, allele in (("REF", ref), ("ALT", alt)):
        if not isinstance(allele, str) or not _ALLELE.fullmatch(allele):
            raise ValueError(f"variant {i}: {name} is {allele!r}, expected one allele's letters")
    return Row(i, chrom, position, ref, alt)


def vcf_text(rows: Sequence[Row]) -> str:
    lines = ["##fileformat=VCFv4.2"]
    lines += [f"##contig=<ID={chrom}>" for chrom in dict.fromkeys(row.chrom for row in rows)]
    lines.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO")
    lines += [f"{row.chrom}\t{row.pos}\t.\t{row.ref}\t{row.alt}\t.\t.\t." for row in rows]
    return "\n".join(lines) + "\n"


# -- BCF: the one form of the output in which a score keeps its 32 bits ----------------------------


def read_scores(
    path: str, rows: Sequence[Row], prefix: str = "SSM"
) -> tuple[dict[str, npt.NDArray[np.float32]], list[str]]:
    """({mode: scores}, reasons) of an uncompressed BCF, as ssmgen writes it of vcf_text()."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:5] != b"BCF\x02\x02":
        raise FormatError(f"'{path}' is no BCF 2.2")
    (header_bytes,) = struct.unpack_from("<I", data, 5)
    header = data[9 : 9 + header_bytes].decode().rstrip("\0")
    names = {
        int(index): name
        for name, index in re.findall(r"^##INFO=<ID=([^,]+),.*IDX=(\d+)>$", header, re.M)
    }
    modes = [
        name.removeprefix(f"{prefix}_").lower()
        for name in names.values()
        if name.startswith(f"{prefix}_") and name != f"{prefix}_REASON"
    ]
    scores = {mode: np.full(len(rows), np.nan, np.float32) for mode in modes}
    reasons = [""] * len(rows)
    at = 9 + header_bytes
    for i in range(len(rows)):
        shared, individual = struct.unpack_from("<II", data, at)
        record = data[at + 8 : at + 8 + shared]
        at += 8 + shared + individual
        for name, value in _info(record, names):
            if name == f"{prefix}_REASON":
                reasons[i] = value.decode() if value != b"." else ""
            elif name.startswith(f"{prefix}_"):
                (bits,) = struct.unpack_from("<I", value) if len(value) >= 4 else (_MISSING_FLOAT,)
                if bits not in (_MISSING_FLOAT, _END_OF_FLOATS):
                    scores[name.removeprefix(f"{prefix}_").lower()].view(np.uint32)[i] = bits
    if at != len(data):
        raise FormatError(f"'{path}' has not {len(rows)} records")
    return scores, reasons


def _info(record: bytes, names: Mapping[int, str]) -> Iterable[tuple[str, bytes]]:
    alleles_and_info = struct.unpack_from("<I", record, 16)[0]
    at = 24
    # ID, the alleles and FILTER come first.
    for _ in range((alleles_and_info >> 16) + 2):
        at = _typed(record, at)[1]
    for _ in range(alleles_and_info & 0xFFFF):
        key, at = _typed(record, at)
        value, at = _typed(record, at)
        yield names.get(int.from_bytes(key, "little"), ""), value


def _typed(record: bytes, at: int) -> tuple[bytes, int]:
    """The bytes of a typed value, and where the next begins."""
    count, kind = record[at] >> 4, record[at] & 15
    at += 1
    if count == 15:  # the count follows, as a typed integer itself
        raw, at = _typed(record, at)
        count = int.from_bytes(raw, "little")
    size = count * {0: 0, 1: 1, 2: 2, 3: 4, 5: 4, 7: 1}[kind]
    return record[at : at + size], at + size
