"""A plain reader of safetensors."""

import json
import pathlib

import numpy as np

NUMPY_TYPES = {
    "F32": "<f4", "F16": "<f2", "BF16": "<u2", "F64": "<f8", "I32": "<i4", "I64": "<i8", "BOOL": "?"
}  # fmt: skip


def read_safetensors(path):
    """({name: array}, metadata); fails unless the tensors fill the file without gaps."""
    raw = pathlib.Path(path).read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    body = raw[8 + length :]
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        data = body[slice(*entry["data_offsets"])]
        tensors[name] = np.frombuffer(data, NUMPY_TYPES[entry["dtype"]]).reshape(entry["shape"])
    spans = sorted(entry["data_offsets"] for entry in header.values())
    assert [0, *(end for _, end in spans)] == [*(begin for begin, _ in spans), len(body)]
    return tensors, metadata
