"""The extension module over libssmgen; the package's own functions say what these do."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

def version() -> str: ...

class ModelInfo:
    """What a checkpoint directory holds."""

    @property
    def name(self) -> str: ...
    @property
    def directory(self) -> str: ...
    @property
    def model_type(self) -> str: ...
    @property
    def d_model(self) -> int: ...
    @property
    def n_layer(self) -> int: ...
    @property
    def d_inner(self) -> int: ...
    @property
    def d_state(self) -> int: ...
    @property
    def vocabulary(self) -> int: ...
    @property
    def hidden_width(self) -> int: ...
    @property
    def parameters(self) -> int: ...
    @property
    def max_length(self) -> int: ...
    @property
    def is_bidirectional(self) -> bool: ...
    @property
    def is_causal(self) -> bool: ...
    @property
    def is_reverse_complement_equivariant(self) -> bool: ...
    @property
    def is_dna(self) -> bool: ...
    @property
    def has_mask_token(self) -> bool: ...
    @property
    def tied(self) -> list[tuple[str, str]]: ...
    @property
    def missing(self) -> list[str]: ...
    @property
    def unused(self) -> list[str]: ...
    @property
    def warnings(self) -> list[str]: ...

class Model:
    @property
    def info(self) -> ModelInfo: ...
    @property
    def device(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    @property
    def device_description(self) -> str: ...
    @property
    def threads(self) -> int: ...
    def weights_sha256(self) -> str: ...
    def plan(self, length: int, predicts_all: bool, estimates_time: bool) -> PassPlan: ...
    def encode(self, sequence: str) -> npt.NDArray[np.int32]: ...
    def forward(self, ids: npt.NDArray[np.int32], hidden: bool) -> npt.NDArray[np.float32]: ...

class DeviceArray:
    @property
    def device(self) -> str: ...
    @property
    def device_index(self) -> int: ...
    @property
    def is_cuda(self) -> bool: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def pointer(self) -> int: ...
    def reshape(self, shape: list[int]) -> DeviceArray: ...
    def to_dlpack(self, versioned: bool) -> Any: ...
    def to_numpy(self) -> npt.NDArray[np.float32]: ...

def forward_on_device(model: Model, ids: npt.NDArray[np.int32], hidden: bool) -> DeviceArray: ...
def read_device(model: Model, pointer: int, bytes: int) -> npt.NDArray[np.uint8]: ...

class CausalState:
    border: int
    def __init__(self, model: Model) -> None: ...
    @property
    def position(self) -> int: ...
    def feed(self, ids: npt.NDArray[np.int32], hidden: bool) -> npt.NDArray[np.float32]: ...
    def save(self) -> bytes: ...
    def resume(self, state: bytes) -> None: ...

class ModelOptions:
    device: str
    dtype: str
    threads: int
    chunk: int
    max_memory: int
    device_memory: int
    scratch: str

class PassPlan:
    """How a sequence goes through a model, and what that takes beside the weights."""

    @property
    def mode(self) -> str: ...
    @property
    def stream_place(self) -> str: ...
    @property
    def length(self) -> int: ...
    @property
    def chunk(self) -> int: ...
    @property
    def device_bytes(self) -> int: ...
    @property
    def host_bytes(self) -> int: ...
    @property
    def scratch_bytes(self) -> int: ...
    @property
    def seconds(self) -> float: ...

def load(directory: str, options: ModelOptions) -> Model: ...
def describe_model(directory: str) -> ModelInfo: ...

class EmbedSettings:
    layer: str
    pool: str
    strand: str
    window: int
    stride: int
    whole: bool
    per_window: bool
    skip_n: bool
    batch: int
    scratch: str

class EmbedOptions:
    settings: EmbedSettings
    input: str
    fasta: str
    bed: str
    regions: str
    require_flags: str
    exclude_flags: str
    min_mapq: int
    orientation: str
    output: str
    output_type: str
    chunk_rows: int
    max_output_bytes: int
    yes: bool
    resume: bool
    dry_run: bool
    write_version: bool
    command_line: str
    io_threads: int

class EmbedSummary:
    """What a run of embed_files() or embed_bam() did."""

    @property
    def records(self) -> int: ...
    @property
    def bases(self) -> int: ...
    @property
    def rows(self) -> int: ...
    @property
    def windows(self) -> int: ...
    @property
    def empty_records(self) -> int: ...
    @property
    def reads_without_sequence(self) -> int: ...
    @property
    def seconds(self) -> float: ...

def embed(
    model: Model,
    sequences: list[str],
    settings: EmbedSettings,
    progress: Callable[[dict[str, Any]], object] | None,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]: ...
def embed_files(
    model: Model,
    options: EmbedOptions,
    progress: Callable[[dict[str, Any]], object] | None,
    plan: Callable[[dict[str, Any]], object] | None,
    note: Callable[[str], object] | None,
    warning: Callable[[str], object] | None,
) -> EmbedSummary: ...
def embed_reads(
    model: Model,
    options: EmbedOptions,
    progress: Callable[[dict[str, Any]], object] | None,
    note: Callable[[str], object] | None,
    warning: Callable[[str], object] | None,
) -> tuple[npt.NDArray[np.float32], dict[str, Any], EmbedSummary]: ...
def fetch_regions(
    regions: list[tuple[str, int, int, bool]],
    fasta: str,
    warning: Callable[[str], object],
) -> list[str]: ...

class ScoreOptions:
    input: str
    fasta: str
    output: str
    output_type: str
    write_index: str
    modes: list[str]
    window: int
    tag_prefix: str
    overwrite: bool
    write_version: bool
    command_line: str
    regions: str
    regions_file: str
    targets: str
    targets_file: str
    regions_overlap: str
    targets_overlap: str
    io_threads: int
    batch: int
    def set_edge(self, name: str) -> None: ...
    def set_strand(self, name: str) -> None: ...
    def set_check_ref(self, name: str) -> None: ...

class ScoreSummary:
    """What a run of score_vcf() did."""

    @property
    def records(self) -> int: ...
    @property
    def alleles(self) -> int: ...
    @property
    def scored_alleles(self) -> int: ...
    @property
    def unscored_by_reason(self) -> dict[str, int]: ...
    @property
    def ref_mismatches(self) -> int: ...
    @property
    def windows(self) -> int: ...
    @property
    def seconds(self) -> float: ...

def score_variants(
    model: Model,
    rows: list[tuple[str, int, str, str]],
    fasta: str,
    options: ScoreOptions,
    progress: Callable[[dict[str, Any]], object] | None,
    note: Callable[[str], object] | None,
    warning: Callable[[str], object] | None,
) -> tuple[dict[str, npt.NDArray[np.float32]], list[str]]: ...
def score_vcf(
    model: Model,
    options: ScoreOptions,
    progress: Callable[[dict[str, Any]], object] | None,
    note: Callable[[str], object] | None,
    warning: Callable[[str], object] | None,
) -> ScoreSummary: ...
