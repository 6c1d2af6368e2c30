"""Makes golden/ and models/ecoli-caduceus-ps from the project's shared folder, beside the checkout.

    python3 make_goldens.py [SHARED_DIR]

The full goldens are too large to carry, so each is cut where a cut is exact: a row of the batch
stands for itself, and so does the beginning of a causal model's sequence. A
`last_hidden_state` that repeats the last of `hidden_states` is not carried.
"""

import json
import pathlib
import shutil
import struct
import sys

TEST_DATA_DIR = pathlib.Path(__file__).resolve().parent.parent
SHARED_DIR = TEST_DATA_DIR.parent.parent / "shared"
MODEL = "ecoli-caduceus-ps"

# For each golden: how many rows of the batch, how many positions (None: all), which tensors.
CUTS = {
    "caduceus_ps": (1, None, ["input_ids", "hidden_states.1", "hidden_states.3", "logits"]),
    "caduceus_ps_unfused": (
        None,
        None,
        ["input_ids", "hidden_states.0", "hidden_states.2", "last_hidden_state", "logits"],
    ),
    "caduceus_causal": (
        None,
        160,
        ["input_ids", "hidden_states.0", "hidden_states.1", "hidden_states.2", "logits"],
    ),
    "hf_mamba": (None, 160, ["input_ids", "last_hidden_state", "logits"]),
}


def read_safetensors(path):
    """{name: (dtype, shape, bytes)}"""
    raw = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    data = raw[8 + length :]
    return {
        name: (entry["dtype"], entry["shape"], data[slice(*entry["data_offsets"])])
        for name, entry in header.items()
        if name != "__metadata__"
    }


def write_safetensors(path, tensors):
    header, offset = {}, 0
    for name, (dtype, shape, raw) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(raw)]}
        offset += len(raw)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # so that the data starts on a multiple of 8
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for _, _, raw in tensors.values():
            out.write(raw)


def cut(tensor, rows, positions):
    """The first `rows` and `positions` of a (batch, length, ...) tensor."""
    dtype, shape, raw = tensor
    rows = rows or shape[0]
    positions = positions or shape[1]
    row_bytes = len(raw) // shape[0]
    kept_bytes = row_bytes // shape[1] * positions
    kept = b"".join(raw[row * row_bytes : row * row_bytes + kept_bytes] for row in range(rows))
    return dtype, [rows, positions, *shape[2:]], kept


def make_golden(source, target, rows, positions, names):
    target.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "model.safetensors"):
        shutil.copyfile(source / name, target / name)
    expected = read_safetensors(source / "expected.safetensors")
    kept = {name: cut(expected[name], rows, positions) for name in sorted(names)}
    write_safetensors(target / "expected.safetensors", kept)


def main(shared=SHARED_DIR, target=TEST_DATA_DIR):
    shared, target = pathlib.Path(shared), pathlib.Path(target)
    for name, (rows, positions, tensors) in CUTS.items():
        make_golden(
            shared / "golden" / name, target / "golden" / name, rows, positions, tensors
        )
    model_dir = target / "models" / MODEL
    model_dir.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "model.safetensors"):
        shutil.copyfile(shared / "models" / MODEL / name, model_dir / name)


if __name__ == "__main__":
    shared_dir = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED_DIR
    if not (shared_dir / "golden").is_dir():
        sys.exit(f"make_goldens: no golden folder in {shared_dir}; name the shared folder")
    main(shared_dir)
