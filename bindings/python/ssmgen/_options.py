"""The words of the functions as the library's settings."""

from __future__ import annotations

from collections.abc import Sequence

from ssmgen import _core


def score_options(
    modes: str | Sequence[str], window: int, edge: str, strand: str, check_ref: str, batch: int
) -> _core.ScoreOptions:
    options = _core.ScoreOptions()
    options.modes = [modes] if isinstance(modes, str) else list(modes)
    options.window, options.batch = window, batch
    options.set_edge(edge)
    options.set_strand(strand)
    options.set_check_ref(check_ref)
    return options


def embed_settings(
    layer: int | str,
    pool: str,
    strand: str,
    window: int,
    stride: int,
    whole: bool,
    skip_n: bool,
    batch: int,
) -> _core.EmbedSettings:
    settings = _core.EmbedSettings()
    settings.layer, settings.pool, settings.strand = str(layer), pool, strand
    settings.window, settings.stride, settings.whole = window, stride, whole
    settings.skip_n, settings.batch = skip_n, batch
    return settings
