"""Model, and load(), which makes one."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt

from ssmgen import _core
from ssmgen._causal import CausalState
from ssmgen._checks import byte_count, dna, warn_of_odd_letters, whole_number
from ssmgen._device import DeviceArray, from_cuda, stays_on_device
from ssmgen._options import embed_settings, score_options
from ssmgen._progress import telling
from ssmgen._regions import RegionEmbeddings, regions_of
from ssmgen._types import FloatArray, PathText, Progress
from ssmgen._variants import VariantScores, rows_of

_log = logging.getLogger("ssmgen")


class Model:
    """A genomic state space model on its device; load() makes one.

    Calls from several threads take turns; the GIL is released while one computes. A model does not
    outlive a fork: in the child every call is a RuntimeError, and the child may load its own.
    """

    def __init__(self, core: _core.Model) -> None:
        self._core = core

    def __repr__(self) -> str:
        info = self.info
        return (
            f"<ssmgen.Model {info.name}: {info.model_type}, {info.n_layer} layers of "
            f"{info.d_model} channels, {self.dtype} on {self.device}>"
        )

    @property
    def info(self) -> _core.ModelInfo:
        """What the checkpoint holds: sizes, kind, tensors that are tied, missing or not used."""
        return self._core.info

    @property
    def device(self) -> str:
        """ "cpu" or "cuda:N"."""
        return self._core.device

    @property
    def dtype(self) -> str:
        """How activations and matrix weights are stored: "f32" or "bf16"."""
        return self._core.dtype

    @property
    def threads(self) -> int:
        """Host threads that compute."""
        return self._core.threads

    def weights_sha256(self) -> str:
        """SHA-256 of the weight files, 64 hexadecimal digits; read at the first call."""
        return self._core.weights_sha256()

    def plan(
        self, length: int, *, predicts_all: bool = False, estimates_time: bool = False
    ) -> _core.PassPlan:
        """How a sequence of so many bases would run: its mode, chunk, and bytes of memory and
        scratch beside the weights.

        predicts_all: the logits of every position are read.
        estimates_time: measure the device for a fraction of a second and fill in `seconds`.
        Raises ValueError for a length below 1, RuntimeError when nothing fits into the memory
        there is, saying what is needed and which option helps.
        """
        return self._core.plan(length, predicts_all, estimates_time)

    def encode(self, sequence: str) -> npt.NDArray[np.int32]:
        """Token ids of a DNA sequence, any case, (length,); letters beyond A, C, G, T and N are
        "unknown". Raises ValueError when the model has no DNA vocabulary."""
        letters = dna(sequence, "sequence")
        warn_of_odd_letters([letters])
        return self._core.encode(letters)

    @overload
    def logits(
        self, sequence: str | npt.ArrayLike, *, output: Literal["numpy"] = "numpy"
    ) -> FloatArray: ...
    @overload
    def logits(
        self, sequence: str | npt.ArrayLike, *, output: Literal["device"]
    ) -> DeviceArray: ...
    def logits(
        self, sequence: str | npt.ArrayLike, *, output: str = "numpy"
    ) -> FloatArray | DeviceArray:
        """Logits of every position, float32.

        sequence: DNA, any case; or token ids, integers of shape (length,) or (batch, length), of
            numpy or, for a model on a CUDA device, of PyTorch, CuPy or JAX on one.
        output: "numpy"; or "device", a DeviceArray in the memory of the model's device, which other
            libraries take without a copy.
        Returns (length, vocabulary), or (batch, length, vocabulary) of a batch of ids.

        Ctrl-C stops between pieces of a batch, on the device after it; one sequence is read to its
        end. Raises ValueError for ids outside the vocabulary and for what is empty, RuntimeError
        when the device has not enough memory.
        """
        return self._forward(sequence, output, False)

    @overload
    def hidden(
        self, sequence: str | npt.ArrayLike, *, output: Literal["numpy"] = "numpy"
    ) -> FloatArray: ...
    @overload
    def hidden(
        self, sequence: str | npt.ArrayLike, *, output: Literal["device"]
    ) -> DeviceArray: ...
    def hidden(
        self, sequence: str | npt.ArrayLike, *, output: str = "numpy"
    ) -> FloatArray | DeviceArray:
        """Hidden states after the final norm, as the model has them, float32; embed() makes one
        strand of two, cuts long sequences and pools.

        sequence, output: as in logits().
        Returns (length, hidden_width), or (batch, length, hidden_width) of a batch of ids. Of a
        reverse-complement equivariant model the first half of the channels is the plus strand's,
        the second the minus strand's with its channels in the opposite order.

        Ctrl-C and errors are as in logits().
        """
        return self._forward(sequence, output, True)

    def _forward(
        self, sequence: str | npt.ArrayLike, output: str, hidden: bool
    ) -> FloatArray | DeviceArray:
        on_device = stays_on_device(output)
        dense = self._ids(sequence, (1, 2))
        ids = dense.reshape(-1, dense.shape[-1])
        if on_device:
            left = _core.forward_on_device(self._core, ids, hidden)
            return DeviceArray(left if dense.ndim == 2 else left.reshape(list(left.shape[1:])))
        values = self._core.forward(ids, hidden)
        return values if dense.ndim == 2 else values.reshape(values.shape[1:])

    def causal(self) -> CausalState:
        """The start of a sequence that is fed piece by piece.

        Raises ValueError for a model that is not causal or has no tokens, RuntimeError when the
        device has not enough memory.
        """
        return CausalState(self)

    def embed(
        self,
        sequences: str | Iterable[str],
        *,
        layer: int | str = "last",
        pool: str = "mean",
        strand: str = "auto",
        window: int = 0,
        stride: int = 0,
        whole: bool = False,
        skip_n: bool = False,
        batch: int = 0,
        progress: Progress = None,
    ) -> FloatArray | list[FloatArray]:
        """Hidden states of DNA sequences, float32; the numbers of `ssmgen embed`.

        sequences: one, or several. Letters that are no code for bases, as of a protein, are warned
            of and read as a base that is not known.
        layer: "last", after the final norm; N, what enters block N; "all", a layer axis in front.
        pool: "mean", "max" or "center:K" over the bases of a sequence, or "none".
        strand: "plus", "minus", "mean", "concat" (twice the channels), or "auto": the mean for
            reverse-complement equivariant models, else plus.
        window, stride: bases; sequences longer than a window are read in windows a stride apart.
            0: the model's maximum up to 8192, and half a window.
        whole: no windows: each sequence in its whole context.
        skip_n: leave bases other than A, C, G and T out of pooling.
        batch: windows a pass of the model; 0 chooses. Changes no bit.
        progress: called with {"records", "bases", "bases_total", "seconds"} a few times a second;
            what it raises stops the call. True: a bar of tqdm; False: nothing; None: a bar where
            tqdm is installed and standard error is a terminal.

        Returns, pooled, (sequences, channels), and (channels,) for a single str; with "none" a list
        of (bases, channels) that look into one array, and that array for a single str; with all
        layers each has (layers, ...) in front. A pooled sequence without a base to pool is NaN.

        Ctrl-C stops between passes of the model; one window is read to its end.
        Raises ValueError for settings that do not fit together or the model, RuntimeError when the
        device has not enough memory.
        """
        single = isinstance(sequences, str)
        if not isinstance(sequences, Iterable):
            kind = type(sequences).__name__
            raise ValueError(f"sequences: expected a str of DNA letters or several, not {kind}")
        several = [sequences] if isinstance(sequences, str) else list(sequences)
        for i, sequence in enumerate(several):
            dna(sequence, f"sequence {i}")
        if not several:
            raise ValueError("sequences: there is none: expected at least one")
        settings = embed_settings(layer, pool, strand, window, stride, whole, skip_n, batch)
        warn_of_odd_letters(several)
        with telling(progress, "embed", "bases", "bases_total", "b") as told:
            values, first_rows = _core.embed(self._core, several, settings, told)
        if layer != "all":
            values = values[0]
        if pool != "none":
            return values[..., 0, :] if single else values
        parts = [values[..., a:b, :] for a, b in zip(first_rows[:-1], first_rows[1:])]
        return parts[0] if single else parts

    def embed_regions(
        self,
        regions: Any,
        fasta: PathText,
        *,
        layer: int | str = "last",
        pool: str = "mean",
        strand: str = "auto",
        **settings: Any,
    ) -> RegionEmbeddings:
        """Pooled hidden states of regions of a genome; the numbers of `ssmgen embed --bed`.

        regions: (contig, begin, end[, name[, strand]]) tuples, 0-based and half-open; or a table
            (pandas, polars, a dict) with these columns; or the path of a BED in plain text. Those
            on the "-" strand are embedded as their reverse complement.
        fasta: the genome, plain or bgzip.
        layer: "last" or N. The rest is as in embed().

        Raises ValueError for regions that do not lie on the genome, by their number from 1, and as
        embed(); FormatError for the FASTA and the BED.
        """
        if pool == "none" or layer == "all":
            raise ValueError("embed_regions gives one row a region: no pool 'none', no layer 'all'")
        rows = regions_of(regions)
        if not rows:
            raise ValueError("regions: there is none: expected at least one")
        letters = _core.fetch_regions(
            [(row.contig, row.begin, row.end, row.strand == "-") for row in rows],
            os.fspath(fasta),
            _log.warning,
        )
        values = self.embed(letters, layer=layer, pool=pool, strand=strand, **settings)
        assert isinstance(values, np.ndarray)
        return RegionEmbeddings(
            [row.contig for row in rows],
            np.array([row.begin for row in rows], np.int64),
            np.array([row.end for row in rows], np.int64),
            [row.name for row in rows],
            [row.strand for row in rows],
            values,
            {"model": self.info.name, "layer": str(layer), "pool": pool, "strand": strand},
        )

    def score_variants(
        self,
        variants: Any,
        fasta: PathText,
        *,
        modes: str | Sequence[str] = (),
        window: int = 0,
        edge: str = "shift",
        strand: str = "auto",
        check_ref: str = "warn",
        batch: int = 0,
        progress: Progress = None,
    ) -> VariantScores:
        """Scores of variants: log p(ALT) - log p(REF); the numbers of `ssmgen score`, in 32 bits.

        variants: (chrom, pos, ref, alt) tuples, one ALT each, pos from 1 as in a VCF; or a table
            (pandas, polars, a dict) with these columns; or records of pysam or cyvcf2.
        fasta: the reference genome, plain or bgzip.
        progress: called with {"records", "records_total", "seconds"}. It and the rest are as in
            score_vcf().

        A variant that cannot be scored is a NaN with a reason, as in a VCF; REF that is not in the
        FASTA is told to the logger "ssmgen".
        Raises ValueError for variants that no VCF could hold, FormatError for the FASTA,
        RuntimeError for the device.
        """
        rows = rows_of(variants)
        if not rows:
            raise ValueError("variants: there is none with an ALT: expected at least one")
        options = score_options(modes, window, edge, strand, check_ref, batch)
        with telling(progress, "score_variants", "records", "records_total", " variants") as told:
            scores, reason = _core.score_variants(
                self._core,
                [(row.chrom, row.pos - 1, row.ref, row.alt) for row in rows],
                os.fspath(fasta),
                options,
                told,
                _log.info,
                _log.warning,
            )
        return VariantScores(
            np.array([row.variant for row in rows], np.int64),
            [row.chrom for row in rows],
            np.array([row.pos for row in rows], np.int64),
            [row.ref for row in rows],
            [row.alt for row in rows],
            scores,
            reason,
        )

    def _ids(
        self, sequence: str | npt.ArrayLike, dimensions: tuple[int, ...]
    ) -> npt.NDArray[np.int32]:
        """Dense ids of a sequence, checked."""
        if isinstance(sequence, str):
            ids = self.encode(sequence)
        elif (interface := getattr(sequence, "__cuda_array_interface__", None)) is not None:
            ids = from_cuda(self._core, interface)
        else:
            ids = np.asarray(sequence)
        if ids.ndim not in dimensions or ids.dtype.kind not in "iu" or ids.size == 0:
            shapes = " or ".join(["(length,)", "(batch, length)"][: len(dimensions)])
            raise ValueError(
                f"ids: expected integers of shape {shapes}, got {ids.dtype} {ids.shape}"
            )
        if int(ids.min()) < 0 or int(ids.max()) >= self.info.vocabulary:
            raise ValueError(
                f"ids: expected 0 to {self.info.vocabulary - 1}, got {ids.min()} to {ids.max()}"
            )
        return np.ascontiguousarray(ids, np.int32)


def load(
    path: PathText,
    device: str = "cpu",
    dtype: str = "f32",
    threads: int = 0,
    chunk: int = 0,
    max_memory: int | str = 0,
    device_memory: int | str = 0,
    scratch: PathText = "",
) -> Model:
    """Reads a model directory (config.json and model.safetensors) and puts it on a device.

    device: "cpu", "cuda" or "cuda:N". For CUDA the plugin libssmgen_cuda.so is looked for beside
        libssmgen.so, of a wheel in the package's folder, then where the system looks
        (LD_LIBRARY_PATH).
    dtype: storage of activations and matrix weights, "f32" or "bf16"; sums and results are f32.
    threads: host threads that compute; 0 for one a core.
    chunk: sequences longer than so many bases are swept in chunks; 0 chooses.
    max_memory: host memory that the process may take, in bytes or as "500M", "24G" or "1.5T"
        (powers of 1000); 0 for what is free.
    device_memory: the same for a CUDA device's own memory.
    scratch: folder for activations that fit neither; "" for none. Nothing is left in it.
    A long sequence is run in the fastest way that fits; results depend on none of the last four.

    Raises FormatError naming file and tensor, ValueError for options, RuntimeError naming the
    device when it is not there or has not enough memory.
    """
    options = _core.ModelOptions()
    options.device, options.dtype = device, dtype
    options.threads, options.chunk = threads, whole_number(chunk, "chunk")
    options.max_memory = byte_count(max_memory, "max_memory")
    options.device_memory = byte_count(device_memory, "device_memory")
    options.scratch = os.fspath(scratch)
    if options.device_memory > 0 and options.device == "cpu":
        raise ValueError("device_memory: it is for device 'cuda'; of a CPU it is max_memory")
    model = Model(_core.load(os.fspath(path), options))
    for warning in model.info.warnings:
        _log.warning("%s", warning)
    for name in model.info.unused:
        _log.warning("%s: tensor %s is not used by this model", os.fspath(path), name)
    return model
