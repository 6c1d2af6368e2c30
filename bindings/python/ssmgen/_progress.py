"""How a run tells how far it has come: a callback, or a bar of tqdm."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ssmgen._extras import extra
from ssmgen._types import Progress, Told

# A run that is shorter shows no bar, in seconds.
_DELAY = 1.0


class _Bar:
    """A bar of tqdm, made when a run tells for the first time how far it has come."""

    def __init__(self, make: Any, what: str, done: str, total: str, unit: str) -> None:
        self._make, self._what, self._unit = make, what, unit
        self._done, self._total = done, total
        self._bar: Any = None

    def __call__(self, told: dict[str, Any]) -> None:
        total = told.get(self._total, -1)
        if self._bar is None:
            self._bar = self._make(
                desc=self._what,
                total=total if total >= 0 else None,
                unit=self._unit,
                unit_scale=True,
                delay=_DELAY,
                leave=False,
            )
        self._bar.update(told[self._done] - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _maker(progress: bool | None) -> Any:
    """What makes bars, or None for none."""
    if progress is None:
        if sys.stderr is None or not sys.stderr.isatty():
            return None
        try:
            return importlib.import_module("tqdm").tqdm
        except ImportError:
            return None
    if not progress:
        return None
    extra("tqdm")
    # Of a notebook its own kind of bar.
    return importlib.import_module("tqdm.auto").tqdm


@contextmanager
def telling(
    progress: Progress, what: str, done: str, total: str, unit: str
) -> Iterator[Told | None]:
    """The callback of a run, whose dicts hold how much is done and the total (-1: not known).

    Raises ValueError for what is neither a choice nor callable, ImportError, which names the
    extra, for True without tqdm.
    """
    if callable(progress):
        yield progress
        return
    if progress is not None and not isinstance(progress, bool):
        raise ValueError(f"progress: expected None, a bool or a callable, not {progress!r}")
    make = _maker(progress)
    if make is None:
        yield None
        return
    bar = _Bar(make, what, done, total, unit)
    try:
        yield bar
    finally:
        bar.close()
