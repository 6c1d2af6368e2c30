"""Rows of hidden states with what each of them is of."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ssmgen._extras import anndata_of, extra


class Embeddings:
    """What embeddings of regions and of reads share: a row each, and tables of them."""

    values: npt.NDArray[np.float32]
    facts: dict[str, str]
    _described_by: ClassVar[tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.values)

    def _observations(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._described_by}

    def _channels(self) -> list[str]:
        return [f"c{channel}" for channel in range(self.values.shape[1])]

    def to_pandas(self) -> Any:
        """A DataFrame: what tells of the rows, in the order of the fields, then the channels c0,
        c1, ...

        Raises ImportError, which names the extra, without pandas.
        """
        pandas = extra("pandas")
        left = pandas.DataFrame(self._observations())
        return left.join(pandas.DataFrame(self.values, columns=self._channels()))

    def to_anndata(self) -> Any:
        """An AnnData: X is `values`, obs what tells of the rows, var the channels, uns["ssmgen"]
        the facts.

        Raises ImportError, which names the extra, without anndata.
        """
        return anndata_of(self.values, self._observations(), self._channels(), self.facts)
