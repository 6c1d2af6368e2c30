"""Arguments as the library takes them, or a ValueError that names what was wrong."""

from __future__ import annotations

import logging
import operator
import os
import re
from typing import Any

from ssmgen._types import PathText

_log = logging.getLogger("ssmgen")


def whole_number(value: int, name: str) -> int:
    try:
        count = operator.index(value)
    except TypeError:
        count = -1
    if not 0 <= count < 2**63:
        raise ValueError(f"{name}: expected a whole number from 0, not {value!r}")
    return count


def byte_count(value: int | str, name: str) -> int:
    """Bytes of a number, or of a text as the command line takes it."""
    if not isinstance(value, str):
        return whole_number(value, name)
    found = re.fullmatch(r"(\d+(?:\.\d*)?)([kKMGT]?)", value)
    if not found:
        raise ValueError(f"{name}: expected bytes, as '500M', '24G' or '1.5T', not {value!r}")
    return whole_number(int(float(found[1]) * 1000 ** " KMGT".index(found[2].upper() or " ")), name)


def dna(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name}: expected a str of DNA letters, not {type(value).__name__}")
    if not value:
        raise ValueError(f"{name}: it is empty: expected at least one letter")
    if not value.isascii() or not value.isalpha():
        odd = next(c for c in value if not (c.isascii() and c.isalpha()))
        raise ValueError(
            f"{name}: {odd!r} at {value.index(odd)} is no letter of a sequence: expected A, C, G, T "
            "and N, or other letters for a base that is not known, without spaces and gaps"
        )
    return value


# Of DNA: what a FASTA may have, in either case.
_no_code = re.compile("[^ACGTRYSWKMBDHVN]", re.IGNORECASE)


def warn_of_odd_letters(sequences: list[str]) -> None:
    """One warning where a protein or RNA may have been given: of letters that are no code for
    bases, which the models read as a base that is not known."""
    found = [(i, odd) for i, text in enumerate(sequences) if (odd := _no_code.search(text))]
    if not found:
        return
    i, odd = found[0]
    _log.warning(
        f"sequence {i}: {odd[0]!r} at {odd.start()} is no letter of DNA and is read as a base that "
        f"is not known; so in {len(found)} of {len(sequences)} sequences"
    )


def file_path(path: PathText, name: str) -> str:
    text = os.fspath(path)
    if text in ("", "-"):
        raise ValueError(f"{name}: expected the path of a file, not {text!r}")
    return text
