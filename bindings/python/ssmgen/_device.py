"""Results that stay on the device of their model, and arrays of other libraries that lie on one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ssmgen import _core
from ssmgen._types import FloatArray

_CPU, _CUDA = 1, 2  # kDLCPU, kDLCUDA


class DeviceArray:
    """A float32 array in the memory of its model's device, dense, for other libraries to take.

    torch.from_dlpack(array), cupy.from_dlpack(array) and jax.dlpack.from_dlpack(array) take the
    memory itself, without a copy, and keep it as long as they need it, also past the model; so does
    whatever reads `__cuda_array_interface__`. numpy() copies it to host memory. Of a model on the
    CPU it is host memory, which numpy.from_dlpack() takes too.

    The numbers are complete when the call that made them returns: no stream needs to wait for
    another. What others write to the memory is in the array as well.
    """

    def __init__(self, core: _core.DeviceArray) -> None:
        self._core = core

    def __repr__(self) -> str:
        return f"<ssmgen.DeviceArray of shape {self.shape}, float32 on {self.device}>"

    @property
    def shape(self) -> tuple[int, ...]:
        return self._core.shape

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        return 4 * self.size

    @property
    def dtype(self) -> np.dtype[np.float32]:
        return np.dtype(np.float32)

    @property
    def device(self) -> str:
        """ "cpu" or "cuda:N"."""
        return self._core.device

    def __len__(self) -> int:
        return self.shape[0]

    def numpy(self) -> FloatArray:
        """A copy in host memory. Raises RuntimeError when the device fails and in a forked
        child."""
        return self._core.to_numpy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        if copy is False:
            raise ValueError(
                "a numpy array of a DeviceArray is a copy: leave copy=False out, or on the CPU use "
                "numpy.from_dlpack()"
            )
        values = self.numpy()
        return values if dtype is None else values.astype(dtype, copy=False)

    def __dlpack_device__(self) -> tuple[int, int]:
        return (_CUDA if self._core.is_cuda else _CPU, self._core.device_index)

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """The capsule of the array API standard. Any stream may read at once, so `stream` is only
        checked.

        Raises BufferError for a copy and for another device, ValueError for a stream that the
        device has not.
        """
        if copy:
            raise BufferError("a DeviceArray is handed out as it is: copy it where it was taken to")
        if dl_device is not None and tuple(dl_device) != self.__dlpack_device__():
            raise BufferError(
                f"the array lies on {self.device}, not on DLPack's device {tuple(dl_device)}: take "
                "it there and move it, or use numpy()"
            )
        if stream is not None and not self._core.is_cuda:
            raise ValueError(f"stream: the CPU has none, expected None, not {stream!r}")
        if stream is not None and (not isinstance(stream, int) or stream < -1 or stream == 0):
            raise ValueError(
                "stream: expected -1, 1 (the legacy default), 2 (the default of each thread) or a "
                f"stream's address, not {stream!r}"
            )
        return self._core.to_dlpack(max_version is not None and max_version[0] >= 1)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """Of version 3, without a stream: the numbers are there. Raises AttributeError on the
        CPU."""
        if not self._core.is_cuda:
            raise AttributeError("the array lies on the CPU: it has no __cuda_array_interface__")
        return {
            "shape": self.shape,
            "typestr": "<f4",
            "data": (self._core.pointer, False),
            "strides": None,
            "stream": None,
            "version": 3,
        }


def stays_on_device(output: str) -> bool:
    """Raises ValueError for what is neither "numpy" nor "device"."""
    if output not in ("numpy", "device"):
        raise ValueError(f"output: expected 'numpy' or 'device', not {output!r}")
    return output == "device"


def from_cuda(model: _core.Model, interface: dict[str, Any]) -> npt.NDArray[Any]:
    """A copy in host memory of what lies on a CUDA device, by its __cuda_array_interface__.

    Waits for all that the device was given to do, whichever stream it was given to. Raises
    ValueError for a model on the CPU and for what is not dense, RuntimeError for the device.
    """
    if not model.device.startswith("cuda"):
        raise ValueError(
            "ids: they lie on a CUDA device and the model on the CPU: move them to host memory "
            "(.cpu() of PyTorch, .get() of CuPy) or load the model on the device"
        )
    shape, dtype = tuple(interface["shape"]), np.dtype(interface["typestr"])
    strides = interface.get("strides")
    dense = np.empty(shape, np.uint8).strides
    expected = tuple(stride * dtype.itemsize for stride in dense)
    if strides is not None and math.prod(shape) > 0 and tuple(strides) != expected:
        raise ValueError(
            f"ids: expected dense rows on the device, got shape {shape} with strides "
            f"{tuple(strides)}: make them contiguous first"
        )
    count = math.prod(shape) * dtype.itemsize
    if count == 0:
        return np.empty(shape, dtype)
    values = _core.read_device(model, interface["data"][0], count)
    return values.view(dtype).reshape(shape)
