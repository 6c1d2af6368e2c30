"""`python -m ssmgen.convert`: bytes kept, sharing kept, everything but tensors refused."""

import json
import os
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from safetensors_files import read_safetensors
from torch_files import (
    View,
    bf16_bytes,
    dict_opcodes,
    name_of,
    number,
    pickled,
    tensor_opcodes,
    text,
    write_archive,
    write_arrays,
    write_checkpoint,
)

from ssmgen import FormatError
from ssmgen.convert import convert


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "ssmgen.convert", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
    )


def refused(path, *words):
    """convert() refuses the file with all the words, and leaves nothing behind."""
    out = path.parent / "refused"
    with pytest.raises(FormatError) as error:
        convert(path, out)
    for word in (path.name, *words):
        assert word in str(error.value)
    assert not out.exists() or not any(out.iterdir())


STORED = np.arange(12, dtype="<f4") / 8


@pytest.fixture
def one(tmp_path):
    """A file to spoil: the storage '0' of twelve f32."""

    def write(view, **how):
        path = tmp_path / "pytorch_model.bin"
        write_checkpoint(path, {"w": view}, {"0": ("float32", STORED.tobytes())}, **how)
        return path

    return write


def test_every_type_keeps_its_bytes(tmp_path):
    source = {
        "f32": np.float32([[1.5, -2], [np.nan, np.inf]]),
        "f16": np.float16([0.1, 65504]),
        "f64": np.float64([1 / 3]),
        "i64": np.int64([-(2**62), 7]),
        "bool": np.array([True, False]),
        "scalar": np.float32(3).reshape(()),
        "empty": np.zeros((0, 4), np.float32),
    }
    write_arrays(tmp_path / "model.pt", source)
    assert convert(tmp_path / "model.pt", tmp_path / "out") == [tmp_path / "out/model.safetensors"]
    found, _ = read_safetensors(tmp_path / "out" / "model.safetensors")
    assert list(found) == list(source)
    for name, array in source.items():
        assert found[name].dtype == array.dtype and found[name].shape == array.shape
        assert found[name].tobytes() == array.tobytes()


def test_bf16_keeps_its_bytes(tmp_path):
    data = bf16_bytes([1.0, -0.5, 96.0])
    write_checkpoint(tmp_path / "m.ckpt", {"w": View("7", (3,))}, {"7": ("bfloat16", data)})
    convert(tmp_path / "m.ckpt", tmp_path / "out")
    found, _ = read_safetensors(tmp_path / "out" / "model.safetensors")
    assert (found["w"].astype("<u4") << 16).view("<f4").tolist() == [1.0, -0.5, 96.0]


@pytest.mark.parametrize(
    "view, expected",
    [
        (View("0", (3, 4)), STORED.reshape(3, 4)),
        (View("0", (4, 3), strides=(1, 4)), STORED.reshape(3, 4).T),
        (View("0", (2, 2), offset=5, strides=(4, 2)), [[5 / 8, 7 / 8], [9 / 8, 11 / 8]]),
        (View("0", (12,), is_parameter=True), STORED),
        (View("0", (3,), strides=(0,)), [0, 0, 0]),
    ],
)
def test_views_are_read_by_their_strides(one, tmp_path, view, expected):
    convert(one(view), tmp_path / "out")
    found, _ = read_safetensors(tmp_path / "out" / "model.safetensors")
    np.testing.assert_array_equal(found["w"], np.float32(expected))


def test_a_shared_tensor_is_stored_once(tmp_path):
    views = {
        "embedding": View("0", (3, 4)),
        "part": View("0", (4,), offset=4),
        "lm_head": View("0", (3, 4)),
    }
    write_checkpoint(tmp_path / "m.bin", views, {"0": ("float32", STORED.tobytes())})
    convert(tmp_path / "m.bin", tmp_path / "out")
    found, metadata = read_safetensors(tmp_path / "out" / "model.safetensors")
    assert list(found) == ["embedding", "part"]
    assert metadata == {"format": "pt", "lm_head": "embedding"}
    assert found["part"].tolist() == STORED[4:8].tolist()


@pytest.mark.parametrize("nested", ["state_dict", "model", "model_state_dict"])
def test_the_weights_of_a_larger_checkpoint_are_found(one, tmp_path, nested):
    convert(one(View("0", (12,)), nested=nested), tmp_path / "out")
    assert list(read_safetensors(tmp_path / "out" / "model.safetensors")[0]) == ["w"]


def test_a_prefix_is_taken_off(tmp_path):
    source = {"model.a": STORED[:2], "b": STORED[2:3]}
    write_arrays(tmp_path / "m.ckpt", source)
    convert(tmp_path / "m.ckpt", tmp_path / "out", strip_prefix="model.")
    assert list(read_safetensors(tmp_path / "out" / "model.safetensors")[0]) == ["a", "b"]
    write_arrays(tmp_path / "m.ckpt", source | {"a": STORED[3:4]})
    with pytest.raises(FormatError, match="'a' cannot be its name"):
        convert(tmp_path / "m.ckpt", tmp_path / "again", strip_prefix="model.")


# -- directories and shards ------------------------------------------------------------------------


@pytest.fixture
def shards(tmp_path):
    """A directory of two shards: a, b in the first, c in the second."""
    folder = tmp_path / "sharded"
    folder.mkdir()
    names = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"]
    write_arrays(folder / names[0], {"a": STORED[:4], "b": STORED[4:6]})
    write_arrays(folder / names[1], {"c": STORED[6:]})
    index = {"metadata": {}, "weight_map": {"a": names[0], "b": names[0], "c": names[1]}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    (folder / "config.json").write_text("{}")
    return folder, names, index


def test_shards_come_out_as_shards_with_an_index(shards, tmp_path):
    written = convert(shards[0], tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "config.json",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
    ]
    index = json.loads(written[-1].read_text())
    assert index["metadata"]["total_size"] == 48
    assert index["weight_map"] == {
        "a": "model-00001-of-00002.safetensors",
        "b": "model-00001-of-00002.safetensors",
        "c": "model-00002-of-00002.safetensors",
    }
    for name, array in {"a": STORED[:4], "b": STORED[4:6], "c": STORED[6:]}.items():
        found, _ = read_safetensors(tmp_path / "out" / index["weight_map"][name])
        assert found[name].tolist() == array.tolist()


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda names, weights: weights.update(d=names[1]), ["'d'", "the index alone"]),
        (lambda names, weights: weights.pop("b"), ["'b'", "the shard alone"]),
        (lambda names, weights: weights.update(d="no.bin"), ["'no.bin'", "not there"]),
        (lambda names, weights: weights.update(d="../x.bin"), ["'../x.bin'", "beside it"]),
        (lambda names, weights: weights.clear(), ["empty weight_map"]),
    ],
)
def test_an_index_that_does_not_fit_is_refused(shards, tmp_path, change, words):
    folder, names, index = shards
    change(names, index["weight_map"])
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    with pytest.raises(FormatError) as error:
        convert(folder, tmp_path / "out")
    assert all(word in str(error.value) for word in words)
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())


def test_the_command_converts_in_place_and_overwrites_only_when_told(tmp_path):
    write_arrays(tmp_path / "pytorch_model.bin", {"w": STORED})
    write_arrays(tmp_path / "training_args.bin", {"x": STORED})
    done = command(tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert "1 tensors, 48 bytes" in done.stderr
    before = (tmp_path / "model.safetensors").read_bytes()
    done = command(tmp_path)
    assert done.returncode == 2 and "there already" in done.stderr
    write_arrays(tmp_path / "pytorch_model.bin", {"w": STORED[:3]})
    done = command("--overwrite", "-q", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "model.safetensors").read_bytes() != before
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    "names, word",
    [
        ([], "no weights"),
        (["a.bin", "b.pt"], "a.bin, b.pt"),
    ],
)
def test_a_directory_must_say_which(tmp_path, names, word):
    for name in names:
        write_arrays(tmp_path / name, {"w": STORED})
    with pytest.raises(ValueError, match=word):
        convert(tmp_path)


def test_wrong_arguments_exit_with_2_and_refused_files_with_1(one, tmp_path):
    assert command(tmp_path / "absent.bin").returncode == 2
    (tmp_path / "x.npz").write_bytes(b"")
    assert "none of .bin" in command(tmp_path / "x.npz").stderr
    path = one(View("0", (12,)))
    path.write_bytes(path.read_bytes()[:-40])
    done = command(path)
    assert done.returncode == 1 and "pytorch_model.bin" in done.stderr
    assert "Traceback" not in done.stderr


# -- what is refused -------------------------------------------------------------------------------


class Runs:
    """Unpickled as Python does, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_code_is_refused_by_name_and_not_run(tmp_path):
    path, trap = tmp_path / "bad.bin", tmp_path / "trap"
    write_archive(path, dict_opcodes({"w": pickled(Runs(trap))}), {})
    refused(path, "posix.mkdir")
    assert not trap.exists()
    with zipfile.ZipFile(path) as archive:  # the trap does spring where nobody looks
        pickle.loads(archive.read("archive/data.pkl"))
    assert trap.exists()


@pytest.mark.parametrize(
    "module, name",
    [
        ("builtins", "eval"),
        ("torch", "load"),
        ("torch._utils", "_rebuild_sparse_tensor"),
        ("torch.nn.modules.linear", "Linear"),
        ("omegaconf.dictconfig", "DictConfig"),
        ("collections", "defaultdict"),
        ("ssmgen.convert", "shutil.rmtree"),
        ("torch", "ComplexFloatStorage"),
    ],
)
def test_other_names_are_refused(tmp_path, module, name):
    path = tmp_path / "bad.pt"
    write_archive(path, dict_opcodes({"w": name_of(module, name)}), {})
    refused(path, f"{module}.{name}")


@pytest.mark.parametrize(
    "view, word",
    [
        (View("0", (13,)), "does not fit"),
        (View("0", (2, 3), offset=7), "does not fit"),
        (View("0", (2,), strides=(12,)), "does not fit"),
        (View("0", (2**40,), strides=(0,)), "does not fit"),
        (View("0", (-1,)), "-1"),
        (View("0", (2,), strides=(-1,)), "-1"),
        (View("0", (2,), offset=-1), "-1"),
        (View("0", (2, 2), strides=(1,)), "strides"),
        (View("0", (100,), elements=100), "48 bytes for 100 elements"),
    ],
)
def test_tensors_outside_their_storage_are_refused(one, view, word):
    refused(one(view), word)


@pytest.mark.parametrize(
    "opcodes, word",
    [
        (number(3), "no tensors by name"),
        (b"]", "an empty container"),
        (dict_opcodes({"w": number(3)}), "'w' no tensor but a int"),
        (b"}" + number(1) + number(2) + b"s", "under 1"),
        (b"(" + text("module") + b"tQ", "something else than a storage"),
        (b"(" * 3, "damaged pickle"),
        (name_of("torch._utils", "_rebuild_tensor_v2") + b")R", "damaged pickle"),
        (name_of("torch._utils", "_rebuild_tensor_v2") + b"}" + text("x") + number(1) + b"sb",
         "damaged pickle"),
    ],
)  # fmt: skip
def test_other_pickles_are_refused(tmp_path, opcodes, word):
    path = tmp_path / "bad.bin"
    write_archive(path, opcodes, {})
    refused(path, word)


def test_archives_that_torch_does_not_write_are_refused(one, tmp_path):
    refused(one(View("0", (12,)), compression=zipfile.ZIP_DEFLATED), "compressed")
    path = tmp_path / "legacy.bin"
    path.write_bytes(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19." + bytes(64))
    refused(path, "before 1.6")
    path = tmp_path / "text.bin"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    refused(path, "no complete PyTorch checkpoint")
    path = tmp_path / "empty.bin"
    path.write_bytes(b"")
    refused(path, "no complete PyTorch checkpoint")


def test_a_missing_storage_is_refused(tmp_path):
    path = tmp_path / "bad.bin"
    opcodes = dict_opcodes({"w": tensor_opcodes(View("0", (12,)), {"0": ("float32", bytes(48))})})
    write_archive(path, opcodes, {})
    refused(path, "archive/data/0")


def test_flipped_bits_never_get_through(one, tmp_path):
    """Every byte of a small archive spoiled: the same tensor, or a FormatError."""
    path = one(View("0", (12,)))
    good = path.read_bytes()
    caught = 0
    for at in range(len(good)):
        path.write_bytes(good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1 :])
        try:
            convert(path, tmp_path / "out", overwrite=True)
        except FormatError:
            caught += 1
            continue
        found, _ = read_safetensors(tmp_path / "out" / "model.safetensors")
        assert found["w"].tolist() == STORED.tolist(), at
    assert caught > len(good) // 2
