"""Checkpoints as torch.save writes them, made without torch: a zip archive with a pickle that is
assembled opcode by opcode, so that a test may put anything into it."""

import math
import pickle
import struct
import zipfile
from dataclasses import dataclass

import numpy as np

STORAGE_OF = {
    "float32": "FloatStorage",
    "float16": "HalfStorage",
    "bfloat16": "BFloat16Storage",
    "float64": "DoubleStorage",
    "int64": "LongStorage",
    "bool": "BoolStorage",
}


@dataclass
class View:
    """A tensor of a storage; None for the strides of a dense one."""

    key: str
    shape: tuple
    offset: int = 0
    strides: tuple | None = None
    is_parameter: bool = False
    elements: int | None = None  # what the pickle claims of the storage; None for the truth


def dense_strides(shape):
    return tuple(math.prod(shape[i + 1 :]) for i in range(len(shape)))


def text(value):
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def number(value):
    return b"\x8a\x08" + struct.pack("<q", value)


def numbers(values):
    return b"(" + b"".join(map(number, values)) + b"t"


def name_of(module, name):
    return f"c{module}\n{name}\n".encode()


def tensor_opcodes(view, storages):
    dtype, data = storages[view.key]
    count = len(data) // {"float32": 4, "float64": 8, "int64": 8, "bool": 1}.get(dtype, 2)
    strides = dense_strides(view.shape) if view.strides is None else view.strides
    ordered = name_of("collections", "OrderedDict") + b")R"
    storage = (
        b"(" + text("storage") + name_of("torch", STORAGE_OF[dtype]) + text(view.key) + text("cpu")
        + number(count if view.elements is None else view.elements) + b"tQ"
    )  # fmt: skip
    tensor = (
        name_of("torch._utils", "_rebuild_tensor_v2") + b"(" + storage + number(view.offset)
        + numbers(view.shape) + numbers(strides) + b"\x89" + ordered + b"tR"
    )  # fmt: skip
    if not view.is_parameter:
        return tensor
    return name_of("torch._utils", "_rebuild_parameter") + b"(" + tensor + b"\x88" + ordered + b"tR"


def dict_opcodes(items):
    """An OrderedDict of opcodes by name."""
    pairs = b"".join(text(key) + value for key, value in items.items())
    return name_of("collections", "OrderedDict") + b")R(" + pairs + b"u"


def write_archive(path, opcodes, storages, folder="archive", compression=zipfile.ZIP_STORED):
    """opcodes: of the top object. storages: {key: (dtype, bytes)}"""
    with zipfile.ZipFile(path, "w", compression) as out:
        out.writestr(f"{folder}/data.pkl", b"\x80\x02" + opcodes + b".")
        out.writestr(f"{folder}/byteorder", "little")
        for key, (_, data) in storages.items():
            out.writestr(f"{folder}/data/{key}", data)
        out.writestr(f"{folder}/version", "3\n")


def write_checkpoint(path, views, storages, nested=None, **how):
    """views: {name: View}; nested: the key of the top dict under which they lie."""
    opcodes = dict_opcodes({name: tensor_opcodes(view, storages) for name, view in views.items()})
    if nested is not None:
        opcodes = dict_opcodes({"epoch": number(3), nested: opcodes})
    write_archive(path, opcodes, storages, **how)


def write_arrays(path, arrays, **how):
    """A checkpoint of numpy arrays, a storage each."""
    storages = {str(i): (a.dtype.name, a.tobytes()) for i, a in enumerate(arrays.values())}
    views = {name: View(str(i), a.shape) for i, (name, a) in enumerate(arrays.items())}
    write_checkpoint(path, views, storages, **how)


def pickled(value):
    """The opcodes of a value that Python pickles itself, without its frame."""
    return pickle.dumps(value, 2)[2:-1]


def bf16_bytes(values):
    """Values that bf16 holds exactly."""
    return (np.asarray(values, "<f4").view("<u4") >> 16).astype("<u2").tobytes()
