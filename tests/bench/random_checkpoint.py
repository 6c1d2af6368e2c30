#!/usr/bin/env python3
"""Makes what an end-to-end timing of `ssmgen score` needs, without any trained model.

random_checkpoint.py checkpoint DIR D_MODEL LAYERS   a Caduceus-PS of random weights
random_checkpoint.py variants FASTA COUNT            COUNT SNVs over the first record, VCF to stdout
"""
import json
import struct
import sys
from pathlib import Path

import numpy as np

STATES, CONV = 16, 4


def tensors(d_model, layers, rng):
    """Name -> f32 array, in the scales of the reference's initialisation."""
    inner, rank = 2 * d_model, -(-d_model // 16)

    def uniform(*shape):
        bound = 1 / np.sqrt(shape[-1])
        return rng.uniform(-bound, bound, shape).astype(np.float32)

    prefix = "caduceus.backbone."
    yield prefix + "embeddings.word_embeddings.embedding.weight", uniform(16, d_model)
    yield prefix + "norm_f.weight", np.ones(d_model, np.float32)
    for layer in range(layers):
        block = f"{prefix}layers.{layer}."
        yield block + "norm.weight", np.ones(d_model, np.float32)
        mixer = block + "mixer.submodule."
        yield mixer + "mamba_fwd.in_proj.weight", uniform(2 * inner, d_model)
        yield mixer + "mamba_fwd.out_proj.weight", uniform(d_model, inner)
        for way in ("mamba_fwd.", "mamba_rev."):
            yield mixer + way + "conv1d.weight", uniform(inner, 1, CONV)
            yield mixer + way + "conv1d.bias", uniform(inner)
            yield mixer + way + "x_proj.weight", uniform(rank + 2 * STATES, inner)
            yield mixer + way + "dt_proj.weight", uniform(inner, rank)
            steps = np.exp(rng.uniform(np.log(1e-3), np.log(1e-1), inner))
            yield mixer + way + "dt_proj.bias", np.log(np.expm1(steps)).astype(np.float32)
            rates = np.log(np.tile(np.arange(1, STATES + 1, dtype=np.float32), (inner, 1)))
            yield mixer + way + "A_log", rates
            yield mixer + way + "D", np.ones(inner, np.float32)


def write_checkpoint(directory, d_model, layers):
    directory.mkdir(parents=True, exist_ok=True)
    complement = {str(i): 17 - i if 7 <= i <= 10 else i for i in range(16)}
    config = {
        "model_type": "caduceus", "d_model": d_model, "n_layer": layers, "vocab_size": 16,
        "ssm_cfg": {"d_state": STATES, "d_conv": CONV, "expand": 2}, "rms_norm": True,
        "residual_in_fp32": False, "fused_add_norm": True, "bidirectional": True,
        "bidirectional_strategy": "add", "bidirectional_weight_tie": True, "rcps": True,
        "complement_map": complement,
    }  # fmt: skip
    (directory / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    named = list(tensors(d_model, layers, np.random.default_rng(1)))
    header, offset = {}, 0
    for name, values in named:
        header[name] = {
            "dtype": "F32",
            "shape": values.shape,
            "data_offsets": [offset, offset + values.nbytes],
        }
        offset += values.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(directory / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, values in named:
            file.write(values.tobytes())


def write_variants(fasta, count):
    name, bases = "", []
    with open(fasta) as lines:
        for line in lines:
            if line.startswith(">"):
                if name:
                    break
                name = line[1:].split()[0]
            else:
                bases.append(line.strip().upper())
    sequence = "".join(bases)
    print("##fileformat=VCFv4.2")
    print(f"##contig=<ID={name},length={len(sequence)}>")
    print("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO")
    for i in range(count):
        at = (2 * i + 1) * len(sequence) // (2 * count)
        ref = sequence[at]
        alt = "ACGT"[("ACGT".find(ref) + 1) % 4]
        print(f"{name}\t{at + 1}\t.\t{ref}\t{alt}\t.\t.\t.")


def main(arguments):
    if len(arguments) == 4 and arguments[0] == "checkpoint":
        write_checkpoint(Path(arguments[1]), int(arguments[2]), int(arguments[3]))
    elif len(arguments) == 3 and arguments[0] == "variants":
        write_variants(arguments[1], int(arguments[2]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
