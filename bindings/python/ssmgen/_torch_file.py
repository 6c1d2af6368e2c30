"""Reads the tensors of a PyTorch checkpoint (`torch.save` of version 1.6 or later) without torch.

Such a file is a zip archive, its entries not compressed: `NAME/data.pkl`, a pickle in which each
tensor refers to a storage by a persistent id, and `NAME/data/KEY`, the bytes of each storage. A
pickle can call whatever it names, so this one may name only what a tensor is made of; anything else
is refused, with its name, before it is touched.
"""

from __future__ import annotations

import collections
import math
import os
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ssmgen.errors import FormatError

# What a typed storage holds: the name that safetensors has for it, and the bytes of an element.
_STORAGES = {
    "FloatStorage": ("F32", 4),
    "HalfStorage": ("F16", 2),
    "BFloat16Storage": ("BF16", 2),
    "DoubleStorage": ("F64", 8),
    "LongStorage": ("I64", 8),
    "IntStorage": ("I32", 4),
    "ShortStorage": ("I16", 2),
    "CharStorage": ("I8", 1),
    "ByteStorage": ("U8", 1),
    "BoolStorage": ("BOOL", 1),
}

# Where the weights of a checkpoint lie that holds more than them.
_NESTED = ("state_dict", "model_state_dict", "model")

_LEGACY_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."


@dataclass(frozen=True)
class Storage:
    """Bytes that one or several tensors look at."""

    key: str
    dtype: str
    element_bytes: int
    elements: int


@dataclass(frozen=True)
class StoredTensor:
    """A strided view of a storage; offset and strides count elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def dtype(self) -> str:
        return self.storage.dtype

    @property
    def byte_count(self) -> int:
        return math.prod(self.shape) * self.storage.element_bytes


class _StorageType:
    """Stands for a class of torch in the pickle; without attributes, so a pickle can set none."""

    __slots__ = ("_dtype", "_element_bytes")

    def __init__(self, dtype: str, element_bytes: int) -> None:
        self._dtype = dtype
        self._element_bytes = element_bytes

    def of(self, key: str, elements: int) -> Storage:
        return Storage(key, self._dtype, self._element_bytes, elements)


class _RebuildTensor:
    """torch._utils._rebuild_tensor_v2"""

    __slots__ = ()

    def __call__(
        self, storage: Any, offset: Any, shape: Any, strides: Any, *_: Any
    ) -> StoredTensor:
        if not isinstance(storage, Storage):
            raise pickle.UnpicklingError("a tensor without a storage")
        numbers = (offset, *shape, *strides)
        if any(type(number) is not int or number < 0 for number in numbers):
            raise pickle.UnpicklingError(f"offset, shape or strides of a tensor: {numbers}")
        shape, strides = tuple(shape), tuple(strides)
        if len(shape) != len(strides):
            raise pickle.UnpicklingError(f"shape {shape} with strides {strides}")
        count = math.prod(shape)
        last = offset + sum((n - 1) * step for n, step in zip(shape, strides)) if count else 0
        if count > storage.elements or (count and last >= storage.elements):
            raise pickle.UnpicklingError(
                f"a tensor of shape {shape}, strides {strides} and offset {offset} does not fit "
                f"into its storage of {storage.elements} elements"
            )
        return StoredTensor(storage, offset, shape, strides)


class _RebuildParameter:
    """torch._utils._rebuild_parameter"""

    __slots__ = ()

    def __call__(self, data: Any, *_: Any) -> StoredTensor:
        if not isinstance(data, StoredTensor):
            raise pickle.UnpicklingError("a parameter without a tensor")
        return data


class _RefusedName(Exception):
    pass


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _RebuildTensor()
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return _RebuildParameter()
        if module == "torch" and name in _STORAGES:
            return _StorageType(*_STORAGES[name])
        raise _RefusedName(f"{module}.{name}")

    def persistent_load(self, pid: Any) -> Storage:
        if not (isinstance(pid, tuple) and len(pid) == 5 and pid[0] == "storage"):
            raise pickle.UnpicklingError(f"a reference to something else than a storage: {pid!r}")
        _, storage_type, key, _, elements = pid
        if not isinstance(storage_type, _StorageType):
            raise pickle.UnpicklingError(f"a storage of an unknown type: {storage_type!r}")
        if not isinstance(key, str) or type(elements) is not int or elements < 0:
            raise pickle.UnpicklingError(f"a storage {key!r} of {elements!r} elements")
        return storage_type.of(key, elements)


class TorchFile:
    """A checkpoint, opened: its tensors by name, in the order of the file.

    Raises FormatError, naming the file, for anything that is not one.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        with open(self.path, "rb") as file:
            start = file.read(len(_LEGACY_MAGIC))
        if start == _LEGACY_MAGIC:
            raise self._error(
                "is in the format of PyTorch before 1.6: load it once with torch.load(..., "
                "weights_only=True) and write it again with torch.save"
            )
        try:
            self._zip = zipfile.ZipFile(self.path)
            self._folder, pickled = self._read_pickle()
        except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
            raise self._error(f"is no complete PyTorch checkpoint: {error}") from None
        self.tensors = self._tensors_of(self._unpickle(pickled))
        self._last_read: tuple[str, bytes] | None = None

    def close(self) -> None:
        self._zip.close()

    def _error(self, text: str) -> FormatError:
        return FormatError(f"'{self.path}' {text}")

    def _read_pickle(self) -> tuple[str, zipfile.ZipExtFile]:
        names = self._zip.namelist()
        found = [name for name in names if name == "data.pkl" or name.endswith("/data.pkl")]
        if len(found) != 1:
            raise self._error(f"is no PyTorch checkpoint: a zip archive with {len(found)} data.pkl")
        folder = found[0].removesuffix("data.pkl")
        if f"{folder}constants.pkl" in names:
            raise self._error("is a TorchScript archive: save the model's state_dict() instead")
        if f"{folder}byteorder" in names:
            order = self._entry(f"{folder}byteorder").decode("ascii", "replace")
            if order != "little":
                raise self._error(f"is in byte order '{order}': only little is converted")
        self._entry_info(found[0])
        return folder, self._zip.open(found[0])  # type: ignore[return-value]

    def _entry_info(self, name: str) -> zipfile.ZipInfo:
        try:
            info = self._zip.getinfo(name)
        except KeyError:
            raise self._error(f"has no entry '{name}', which its tensors refer to") from None
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            raise self._error(f"has a compressed or encrypted entry '{name}', as torch writes none")
        return info

    def _entry(self, name: str) -> bytes:
        info = self._entry_info(name)
        try:
            return self._zip.read(info)
        except (zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
            raise self._error(f"is damaged at '{name}': {error}") from None

    def _unpickle(self, pickled: zipfile.ZipExtFile) -> Any:
        with pickled:
            try:
                return _Unpickler(pickled).load()
            except _RefusedName as refused:
                raise self._error(
                    f"asks for '{refused}': only tensors in plain containers are read, as "
                    "torch.save(model.state_dict(), FILE) writes them"
                ) from None
            except RecursionError:
                raise self._error("is nested too deep") from None
            except Exception as error:  # a pickle of a stranger can fail in any way
                what = str(error) or type(error).__name__
                raise self._error(f"has a damaged pickle: {what}") from None

    def _tensors_of(self, top: Any) -> dict[str, StoredTensor]:
        where = "the top"
        for name in _NESTED:
            if isinstance(top, Mapping) and isinstance(top.get(name), Mapping):
                where, top = f"'{name}'", top[name]
                break
        if not isinstance(top, Mapping) or not top:
            raise self._error(f"holds no tensors by name: {where} is {_kind(top)}")
        for name, value in top.items():
            if not isinstance(name, str) or not isinstance(value, StoredTensor):
                raise self._error(f"has at {where} under {name!r} no tensor but {_kind(value)}")
        return dict(top)

    def tensor_bytes(self, tensor: StoredTensor) -> bytes | memoryview:
        """The elements, row-major and little-endian."""
        storage = tensor.storage
        name = f"{self._folder}data/{storage.key}"
        if self._last_read is None or self._last_read[0] != name:
            self._last_read = (name, self._entry(name))
        data = self._last_read[1]
        size = storage.element_bytes
        if len(data) < storage.elements * size:
            raise self._error(
                f"is damaged: '{name}' has {len(data)} bytes for {storage.elements} elements of "
                f"{size}"
            )
        elements: npt.NDArray[Any] = np.frombuffer(data, f"<u{size}", storage.elements)
        if tensor.byte_count == 0:
            return b""
        view = np.lib.stride_tricks.as_strided(
            elements[tensor.offset :], tensor.shape, [step * size for step in tensor.strides]
        )
        return np.ascontiguousarray(view).reshape(-1).view(np.uint8).data


def _kind(value: Any) -> str:
    if isinstance(value, StoredTensor):
        return "a tensor"
    return "an empty container" if value in ({}, [], ()) else f"a {type(value).__name__}"
