"""Results as other libraries take them: by DLPack and by the buffer protocol, without a copy."""

import gc

import numpy as np
import pytest

SEQUENCES = ["ACGTTGCAGC" * 7, "ACG"]


def results(model):
    hidden = model.embed(SEQUENCES, pool="none")
    return {
        "logits": model.logits(SEQUENCES[0]),
        "pooled": model.embed(SEQUENCES),
        "rows": hidden[0],
        "view": hidden[1],  # looks into the array of all rows
        "layers": model.embed(SEQUENCES, layer="all"),
    }


def address(array):
    return array.__array_interface__["data"][0]


@pytest.mark.parametrize("name", ["logits", "pooled", "rows", "view", "layers"])
def test_numpy_takes_a_result_without_a_copy(small, name):
    result = results(small)[name]
    assert result.__dlpack_device__() == (1, 0)  # kDLCPU
    taken = np.from_dlpack(result)
    assert (taken.shape, taken.dtype) == (result.shape, np.float32)
    assert address(taken) == address(result)
    expected = result.copy()
    result[...] = 0  # what the library gives is the caller's own, to write to as well
    assert not taken.any() and expected.any()


def test_the_memory_lives_as_long_as_somebody_has_it(small):
    first = small.logits(SEQUENCES[0])
    expected, taken = first.copy(), np.from_dlpack(first)
    del first
    gc.collect()
    others = [small.logits(SEQUENCES[0]) for _ in range(20)]  # would take freed memory again
    assert np.array_equal(taken, expected) and len({address(other) for other in others}) == 20
    assert address(taken) not in {address(other) for other in others}


@pytest.mark.parametrize("name", ["logits", "view"])
def test_torch_takes_a_result_without_a_copy(small, name):
    torch = pytest.importorskip("torch")
    result = results(small)[name]
    tensor = torch.from_dlpack(result)
    assert tensor.data_ptr() == address(result) and tensor.dtype == torch.float32
    assert np.array_equal(tensor.numpy(), result)


def test_ids_are_read_from_any_library_of_dlpack(small):
    """A tensor of another library is an array by its own __array__ or by numpy.from_dlpack."""
    ids = np.array([7, 8, 9, 10], np.int32)
    assert small.logits(np.from_dlpack(ids)).tobytes() == small.logits("ACGT").tobytes()
