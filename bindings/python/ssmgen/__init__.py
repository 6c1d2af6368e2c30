"""Genomic state space models over DNA; `python -m ssmgen.convert` makes safetensors of weights."""

from ssmgen.errors import FormatError

__all__ = ["FormatError"]
