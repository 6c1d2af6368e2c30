"""Results that stay on the device, here the CPU, and the protocols by which others take them."""

import ctypes
import gc
import os
import pathlib
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import ssmgen
from ssmgen._device import from_cuda

IDS = np.random.default_rng(7).integers(7, 12, (3, 900)).astype(np.int32)
LETTERS = "ACGTTGCAGC" * 9


@pytest.fixture
def array(small):
    return small.logits(IDS, output="device")


def address(values):
    return values.__array_interface__["data"][0]


@pytest.mark.parametrize("name", ["small", "causal"])
@pytest.mark.parametrize("dtype", ["f32", "bf16"])
def test_the_numbers_are_those_of_numpy(data, name, dtype):
    model = ssmgen.load(getattr(data, name), dtype=dtype)
    for call, width in (
        (model.logits, model.info.vocabulary), (model.hidden, model.info.hidden_width),
    ):  # fmt: skip
        left = call(IDS, output="device")
        assert isinstance(left, ssmgen.DeviceArray) and left.device == model.device == "cpu"
        assert left.shape == (3, 900, width) and left.dtype == np.float32 and len(left) == 3
        assert (left.ndim, left.size, left.nbytes) == (3, 2700 * width, 10800 * width)
        assert left.numpy().tobytes() == call(IDS).tobytes()
        one = call(LETTERS, output="device")
        assert one.shape == (90, width) and np.array_equal(np.asarray(one), call(LETTERS))


def test_hidden_states_are_those_of_embed_strand_by_strand(small):
    hidden = small.hidden(LETTERS)
    both = small.embed(LETTERS, pool="none", strand="concat")
    half = small.info.d_model
    assert hidden.shape == (90, small.info.hidden_width) == (90, 2 * half)
    assert np.array_equal(hidden[:, :half], both[:, :half])
    assert np.array_equal(hidden[:, :half:-1], both[:, half:-1])
    assert np.array_equal(hidden[:, half], both[:, -1])
    batch = small.hidden(IDS)
    assert np.array_equal(batch[1], small.hidden(IDS[1])) and len(batch) == 3


# -- DLPack ----------------------------------------------------------------------------------------


def test_numpy_takes_the_memory_itself(array):
    taken = np.from_dlpack(array)
    assert array.__dlpack_device__() == (1, 0)
    assert taken.shape == array.shape and taken.dtype == np.float32
    assert address(taken) == address(np.from_dlpack(array)) == array._core.pointer
    assert np.array_equal(taken, array.numpy()) and address(array.numpy()) != address(taken)


def test_the_memory_outlives_array_and_model(data):
    model = ssmgen.load(data.small)
    expected = model.logits(IDS)
    array = model.logits(IDS, output="device")
    taken = np.from_dlpack(array)
    del array, model
    gc.collect()
    again = ssmgen.load(data.small)
    others = [again.logits(IDS, output="device") for _ in range(5)]  # would take freed memory
    assert np.array_equal(taken, expected) and len(others) == 5


@pytest.mark.parametrize(
    "max_version, name",
    [(None, b"dltensor"), ((0, 9), b"dltensor"), ((1, 0), b"dltensor_versioned"),
     ((2, 7), b"dltensor_versioned")],
)  # fmt: skip
def test_a_capsule_has_the_form_that_its_taker_knows(array, max_version, name):
    capsule = array.__dlpack__(max_version=max_version)
    name_of = ctypes.pythonapi.PyCapsule_GetName
    name_of.restype, name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
    assert name_of(capsule) == name


def resident_bytes():
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("taken", [False, True])
@pytest.mark.parametrize("max_version", [None, (1, 0)])
def test_a_capsule_gives_its_memory_back(small, taken, max_version):
    """One that nobody took, and one whose taker let go of it: 170 kB each."""
    if taken and max_version and np.lib.NumpyVersion(np.__version__) < "2.1.0":
        pytest.skip("this numpy takes no versioned capsule")

    def call():
        array = small.logits(IDS, output="device")
        if taken:
            assert np.from_dlpack(array).shape == array.shape
        else:
            array.__dlpack__(max_version=max_version)

    for _ in range(10):
        call()
    before = resident_bytes()
    for _ in range(100):
        call()
    assert resident_bytes() - before < 4_000_000


def test_torch_takes_the_memory_and_writes_to_it(array):
    torch = pytest.importorskip("torch")
    tensor = torch.from_dlpack(array)
    assert tensor.data_ptr() == array._core.pointer and tensor.dtype == torch.float32
    tensor[0, 0, 0] = 42.0
    assert array.numpy()[0, 0, 0] == 42.0
    again = torch.utils.dlpack.from_dlpack(array)
    assert again.data_ptr() == tensor.data_ptr()


def test_jax_takes_the_memory(array):
    jax = pytest.importorskip("jax")
    taken = jax.dlpack.from_dlpack(array)
    assert taken.unsafe_buffer_pointer() == array._core.pointer
    assert np.array_equal(np.asarray(taken), array.numpy())


@pytest.mark.parametrize(
    "call, kind, word",
    [
        (lambda a: a.__dlpack__(copy=True), BufferError, "copy it"),
        (lambda a: a.__dlpack__(dl_device=(2, 0)), BufferError, "lies on cpu"),
        (lambda a: a.__dlpack__(stream=1), ValueError, "the CPU has none"),
        (lambda a: a.__cuda_array_interface__, AttributeError, "lies on the CPU"),
        (lambda a: a.__array__(copy=False), ValueError, "from_dlpack"),
    ],
)
def test_what_cannot_be_is_said(array, call, kind, word):
    with pytest.raises(kind, match=word):
        call(array)
    assert not hasattr(array, "__cuda_array_interface__")
    assert array.__dlpack__(dl_device=(1, 0), copy=False) is not None


def test_numpy_makes_a_copy_of_another_type_too(array):
    assert array.__array__(np.float64).dtype == np.float64
    assert np.array_equal(np.asarray(array, np.float64), array.numpy().astype(np.float64))


def test_output_is_one_of_two(small):
    for call in (small.logits, small.hidden):
        with pytest.raises(ValueError, match="output: expected 'numpy' or 'device', not 'gpu'"):
            call("ACGT", output="gpu")
        with pytest.raises(ValueError, match="empty"):
            call("", output="device")
        with pytest.raises(ValueError, match="99"):
            call([7, 99], output="device")


def test_a_forked_child_is_told(data):
    code = f"""
import os, ssmgen
array = ssmgen.load({str(data.small)!r}).logits("ACGT", output="device")
child = os.fork()
if child == 0:
    try:
        array.numpy()
    except RuntimeError as error:
        del array
        os._exit(0 if "another process" in str(error) else 4)
    os._exit(3)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr


# -- ids that lie on a card ------------------------------------------------------------------------


def on_card(**more):
    interface = {"shape": (4,), "typestr": "<i8", "data": (4096, True), "version": 3, **more}
    return SimpleNamespace(__cuda_array_interface__=interface)


def test_ids_on_a_card_need_a_model_there(small, data):
    with pytest.raises(ValueError, match=r"ids: they lie on a CUDA device .*\.cpu\(\)"):
        small.logits(on_card())
    state = ssmgen.load(data.causal).causal()
    with pytest.raises(ValueError, match="CUDA device"):
        state.feed(on_card())


class Card:
    """What from_cuda() asks of a model on a card."""

    device = "cuda:0"


def test_ids_on_a_card_are_dense():
    for strides in ((16,), (-8,)):
        with pytest.raises(ValueError, match=r"strides \(-?\d+,\): make them contiguous"):
            from_cuda(Card(), on_card(strides=strides).__cuda_array_interface__)
    nothing = from_cuda(Card(), on_card(shape=(0, 4)).__cuda_array_interface__)
    assert nothing.shape == (0, 4) and nothing.dtype == np.int64


@pytest.mark.parametrize("dtype", ["<i4", "<u1", "<f4"])
def test_bytes_of_the_device_come_as_they_are(small, array, monkeypatch, dtype):
    """The copy itself, on the memory of a device that is the CPU."""
    from ssmgen import _core, _device

    read = _core.read_device
    monkeypatch.setattr(_device._core, "read_device", lambda _, *where: read(small._core, *where))
    size = array.nbytes // np.dtype(dtype).itemsize // 2
    interface = {"shape": (2, size), "typestr": dtype, "data": (array._core.pointer, False)}
    for strides in (None, (size * np.dtype(dtype).itemsize, np.dtype(dtype).itemsize)):
        found = from_cuda(Card(), {**interface, "strides": strides})
        assert found.shape == (2, size) and found.dtype == dtype
        assert found.tobytes() == array.numpy().tobytes()
