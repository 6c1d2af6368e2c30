"""Genomic state space models (Caduceus, Mamba, S4) over DNA.

load() gives a Model: its logits, embeddings of sequences and scores of variants are numpy arrays,
with the bits of the command line. Model.causal() reads a sequence piece by piece. score_vcf() and
embed_files() work from file to file. `python -m ssmgen.convert` makes safetensors of
PyTorch's weights.

Arrays are the caller's own, in host memory whatever the device. Model.logits() and Model.hidden()
leave theirs on a GPU with output="device". Other libraries take either by DLPack without a copy.

A model belongs to the process and the main interpreter that loaded it: threads may share it, a
forked child is told to load its own, and a subinterpreter cannot import the package.

Wrong arguments are a ValueError, a wrong file is a FormatError, a failing device or disk is a
RuntimeError. What a run has to tell goes to the logger "ssmgen".
"""

# First: in an interpreter where it does not work it says so before anything else is read.
from ssmgen import _core as _core  # isort: skip
from ssmgen._causal import CausalState
from ssmgen._core import EmbedSummary, ModelInfo, PassPlan, ScoreSummary, describe_model, version
from ssmgen._device import DeviceArray
from ssmgen._files import embed_bam, embed_files, score_vcf
from ssmgen._model import Model, load
from ssmgen._reads import ReadEmbeddings
from ssmgen._regions import RegionEmbeddings
from ssmgen._variants import VariantScores
from ssmgen.errors import FormatError

__version__ = version()

__all__ = [
    "CausalState",
    "DeviceArray",
    "EmbedSummary",
    "FormatError",
    "Model",
    "ModelInfo",
    "PassPlan",
    "ReadEmbeddings",
    "RegionEmbeddings",
    "ScoreSummary",
    "VariantScores",
    "describe_model",
    "embed_bam",
    "embed_files",
    "load",
    "score_vcf",
]
