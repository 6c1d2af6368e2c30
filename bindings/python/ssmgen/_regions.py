"""Regions in the forms people have them, and the embeddings that come back of them."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ssmgen._embeddings import Embeddings
from ssmgen._tables import columns_of
from ssmgen.errors import FormatError

_COLUMNS = {
    "contig": ("contig", "chrom", "chromosome"),
    "begin": ("begin", "start", "chromstart"),
    "end": ("end", "chromend"),
}


@dataclass(frozen=True)
class Region:
    """A stretch of a contig, 0-based and half-open as in BED."""

    contig: str
    begin: int
    end: int
    name: str
    strand: str


@dataclass
class RegionEmbeddings(Embeddings):
    """Pooled hidden states of regions, a row each, in the order given.

    contig, begin, end, name, strand: as given; 0-based and half-open, "+" where none was given.
    values: float32, (regions, channels).
    facts: model, layer, pool and strand choice, as texts.
    """

    contig: list[str]
    begin: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]
    name: list[str]
    strand: list[str]
    values: npt.NDArray[np.float32]
    facts: dict[str, str] = field(default_factory=dict)

    _described_by = ("contig", "begin", "end", "name", "strand")


def regions_of(regions: Any) -> list[Region]:
    """Raises ValueError naming the region by its number from 1, FormatError for a BED's line."""
    if isinstance(regions, (str, os.PathLike)):
        return _read_bed(os.fspath(regions))
    if hasattr(regions, "columns") or isinstance(regions, Mapping):
        regions = columns_of(regions, _COLUMNS, ("name", "strand"), "regions")
    if not isinstance(regions, Iterable):
        raise ValueError(
            f"regions: expected tuples, a table or a BED, not {type(regions).__name__}"
        )
    return [_checked(i, region) for i, region in enumerate(regions)]


def _checked(i: int, region: Any) -> Region:
    if not isinstance(region, (tuple, list)) or not 3 <= len(region) <= 5:
        raise ValueError(
            f"region {i + 1}: expected (contig, begin, end[, name[, strand]]), not {region!r}"
        )
    contig, begin, end, name, strand = (*region, None, None)[:5]
    if not isinstance(contig, str) or not contig:
        raise ValueError(f"region {i + 1}: {contig!r} is no name of a contig: expected a str")
    try:
        begin, end = operator.index(begin), operator.index(end)
    except TypeError:
        raise ValueError(
            f"region {i + 1}: {begin!r} to {end!r}, expected whole numbers from 0"
        ) from None
    if not 0 <= begin < end < 2**62:
        raise ValueError(
            f"region {i + 1}: {begin} to {end} is no stretch: expected 0 <= begin < end, 0-based and "
            "half-open as in a BED"
        )
    if strand not in ("+", "-", ".", None):
        raise ValueError(f"region {i + 1}: strand {strand!r}, expected '+', '-' or '.'")
    return Region(contig, begin, end, "" if name is None else str(name), strand or "+")


def _read_bed(path: str) -> list[Region]:
    """BED of 3 to 6 columns or more, plain text."""
    found = []
    try:
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                cells = line.rstrip("\r\n").split("\t")
                if not line.strip() or line.startswith(("#", "track", "browser")):
                    continue
                try:
                    contig, begin, end = cells[0], int(cells[1]), int(cells[2])
                    name, strand = (*cells[3:4], "")[0], (*cells[5:6], "+")[0]
                    found.append(_checked(0, (contig, begin, end, name, strand)))
                except (ValueError, IndexError) as error:
                    raise FormatError(f"{path}: line {number} is no region of a BED") from error
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: it cannot be read as a BED: {error}") from error
    return found
