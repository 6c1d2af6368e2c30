"""Embeddings of the reads of a file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ssmgen import _core
from ssmgen._embeddings import Embeddings


@dataclass
class ReadEmbeddings(Embeddings):
    """Pooled hidden states of reads, a row each, in the order of the file.

    name, flag, mapq: as in SAM; the last two int64.
    contig, begin, end: where the read is aligned, 0-based and half-open, int64; "", -1 and -1 for
        a read without a place.
    strand: "+" or "-" of the alignment, "." for an unmapped read.
    read_group: the tag RG; "" for none.
    bases: how many were pooled, int64; of none the row is NaN.
    values: float32, (reads, channels).
    facts: model, layer, pool, strand choice and what chose the reads, as texts.
    summary: what the run did; `reads_without_sequence` were left out.
    """

    name: list[str]
    contig: list[str]
    begin: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]
    strand: list[str]
    flag: npt.NDArray[np.int64]
    mapq: npt.NDArray[np.int64]
    read_group: list[str]
    bases: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]
    facts: dict[str, str]
    summary: _core.EmbedSummary

    _described_by = (
        "name", "contig", "begin", "end", "strand", "flag", "mapq", "read_group", "bases",
    )  # fmt: skip
