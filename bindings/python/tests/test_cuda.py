"""The package on an NVIDIA card: skipped, and shown so, where there is none."""

import subprocess
import sys

import numpy as np
import pytest

import ssmgen

IDS = np.random.default_rng(7).integers(7, 12, (3, 900)).astype(np.int32)


@pytest.fixture(scope="module")
def card(data):
    """A small model on the first card; the test skips, saying why, without one."""
    try:
        return ssmgen.load(data.small, device="cuda")
    except RuntimeError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def torch(card):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("this PyTorch has no CUDA")
    return torch


def test_the_card_agrees_with_the_cpu(card, small, data):
    assert card.device == "cuda:0" and "cuda:0" in repr(card)
    for found, expected in (
        (card.logits(IDS), small.logits(IDS)),
        (card.hidden(IDS), small.hidden(IDS)),
        (card.embed(["ACGT" * 50, "TTGCA"]), small.embed(["ACGT" * 50, "TTGCA"])),
        (card.embed_regions(data.bed, data.fasta).values,
         small.embed_regions(data.bed, data.fasta).values),
    ):  # fmt: skip
        assert found.shape == expected.shape
        assert np.linalg.norm(found - expected) < 5e-6 * np.linalg.norm(expected)


@pytest.mark.parametrize("dtype", ["f32", "bf16"])
def test_what_stays_on_the_card_is_what_comes_to_numpy(card, data, dtype):
    model = ssmgen.load(data.small, device="cuda", dtype=dtype)
    for call in (model.logits, model.hidden):
        left = call(IDS, output="device")
        assert left.device == "cuda:0" and left.__dlpack_device__() == (2, 0)
        assert left.numpy().tobytes() == call(IDS).tobytes()
        interface = left.__cuda_array_interface__
        assert interface["shape"] == left.shape and interface["typestr"] == "<f4"
        assert interface["data"] == (left._core.pointer, False) and interface["stream"] is None


def test_streams_are_those_of_the_standard(card):
    left = card.logits(IDS, output="device")
    for stream in (None, -1, 1, 2, 2**40):
        assert left.__dlpack__(stream=stream) is not None
    for stream in (0, -2, "1", 1.5):
        with pytest.raises(ValueError, match="stream: expected -1, 1"):
            left.__dlpack__(stream=stream)
    with pytest.raises(BufferError, match="lies on cuda:0"):
        left.__dlpack__(dl_device=(1, 0))


def test_bytes_of_the_card_come_as_they_are(card):
    """Memory of the card read by its __cuda_array_interface__, whatever its numbers are."""
    from ssmgen._device import from_cuda

    left = card.logits(IDS, output="device")
    interface = {**left.__cuda_array_interface__, "typestr": "<i4"}
    assert np.array_equal(from_cuda(card._core, interface), left.numpy().view(np.int32))


def test_memory_of_the_card_is_given_back(card):
    """320 MB each: what is dropped is taken again."""
    ids = np.full((1, 5_000_000), 7, np.int32)
    pointers = {card.logits(ids, output="device")._core.pointer for _ in range(40)}
    assert len(pointers) < 10


def test_a_forked_child_is_told(card, data):
    code = f"""
import os, ssmgen
model = ssmgen.load({str(data.small)!r}, device="cuda")
array = model.logits("ACGT", output="device")
child = os.fork()
if child == 0:
    said = []
    for call in (lambda: model.logits("ACGT"), array.numpy):
        try:
            call()
        except RuntimeError as error:
            said.append("fork" in str(error))
    del model, array
    os._exit(0 if said == [True, True] else 3)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr


# -- other libraries -------------------------------------------------------------------------------


def test_torch_takes_the_memory_itself_on_any_stream(card, torch):
    left = card.logits(IDS, output="device")
    expected = left.numpy()
    with torch.cuda.stream(torch.cuda.Stream()):
        tensor = torch.from_dlpack(left)
    assert tensor.device == torch.device("cuda", 0) and tensor.data_ptr() == left._core.pointer
    del left
    assert np.array_equal(tensor.cpu().numpy(), expected)
    by_interface = torch.as_tensor(card.logits(IDS, output="device"), device="cuda")
    assert np.array_equal(by_interface.cpu().numpy(), expected)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_ids_of_torch_are_read_from_the_card(card, torch, dtype):
    with torch.cuda.stream(torch.cuda.Stream()):
        ids = torch.from_numpy(IDS).to("cuda", getattr(torch, dtype), non_blocking=True)
        for _ in range(50):  # work that must be done before the ids are right
            ids = ids.roll(1, 0)
        found = card.logits(ids)
    assert np.array_equal(found, card.logits(np.roll(IDS, 50, 0)))
    with pytest.raises(ValueError, match="contiguous"):
        card.logits(ids.T)


def test_cupy_takes_the_memory_and_gives_ids(card):
    cupy = pytest.importorskip("cupy")
    left = card.logits(IDS, output="device")
    for taken in (cupy.from_dlpack(left), cupy.asarray(left)):
        assert taken.data.ptr == left._core.pointer
        assert np.array_equal(taken.get(), left.numpy())
    assert np.array_equal(card.logits(cupy.asarray(IDS)), left.numpy())


def test_jax_takes_the_memory(card):
    jax = pytest.importorskip("jax")
    if jax.default_backend() != "gpu":
        pytest.skip("this JAX has no CUDA")
    left = card.logits(IDS, output="device")
    taken = jax.dlpack.from_dlpack(left)
    assert taken.unsafe_buffer_pointer() == left._core.pointer
    assert np.array_equal(np.asarray(taken), left.numpy())
