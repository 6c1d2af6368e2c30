"""A sequence of any length, read piece by piece through a causal model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from ssmgen import _core

if TYPE_CHECKING:
    from ssmgen._model import Model


class CausalState:
    """Where a causal model stands in a sequence that comes in pieces; Model.causal() makes one.

    Memory depends on the longest piece alone, and what comes out are the bits of the whole
    sequence, however it is cut. Every piece but the last must be a multiple of `border` bases.
    Calls of several threads, and those of the model itself, take turns. As the model, it does not
    outlive a fork; state() does, and may be taken up in another process.
    """

    border: int = _core.CausalState.border
    """Bases (1024); pieces end at its multiples, but for the last."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._core = _core.CausalState(model._core)

    def __repr__(self) -> str:
        return f"<ssmgen.CausalState of {self._model.info.name} at {self.position:,} bases>"

    @property
    def position(self) -> int:
        """Bases, or ids, that were fed since the sequence's start."""
        return self._core.position

    def feed(
        self, piece: str | npt.ArrayLike, *, output: Literal["logits", "hidden"] = "logits"
    ) -> npt.NDArray[np.float32]:
        """Outputs of the next piece, float32.

        piece: DNA, any case; or token ids, integers of shape (length,).
        output: "logits", (length, vocabulary); or "hidden", the hidden states after the final norm,
            (length, hidden_width).

        A piece is read to its end before Ctrl-C is heard.
        Raises ValueError for ids outside the vocabulary and after a piece that did not end at a
        border, RuntimeError when the device has not enough memory. The state is then as before.
        """
        if output not in ("logits", "hidden"):
            raise ValueError(f"output: expected 'logits' or 'hidden', not {output!r}")
        return self._core.feed(self._model._ids(piece, (1,)), output == "hidden")

    def state(self) -> bytes:
        """All that later pieces depend on: a few hundred kilobytes, however long the sequence was.

        Raises ValueError when the last piece did not end at a border.
        """
        return self._core.save()

    def resume(self, state: bytes) -> None:
        """Goes on where `state` was taken, of this or another process.

        Raises FormatError for a state of another model, dtype or version and for one that is
        damaged; the position is then as before.
        """
        self._core.resume(state)
