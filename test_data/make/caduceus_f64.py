"""A Caduceus-PS in float64, written to be read: whole arrays, flipped where the model flips.

It shares no code with the library, so the two can be held against each other. Only what the demo
model needs is here: reverse-complement equivariant, tied directions that are added, RMSNorm.
"""

import json
import pathlib

import numpy as np
from make_goldens import read_safetensors

MASK, UNKNOWN, N_TOKEN = 3, 6, 11
BASE_TOKENS = {"A": 7, "C": 8, "G": 9, "T": 10, "N": N_TOKEN}


def tokens_of(bases):
    return np.array([BASE_TOKENS.get(base, UNKNOWN) for base in bases.upper()])


def flip(x):
    """Flips the positions and channels of (batch, length, channels)."""
    return x[:, ::-1, ::-1]


def silu(x):
    return x / (1.0 + np.exp(-x))


def selective_scan(x, delta, a, b, c, d):
    """h[t] = exp(delta[t] a) h[t-1] + delta[t] b[t] x[t]; y[t] = sum over states of c[t] h[t] + d x[t]."""
    y = np.empty_like(x)
    state = np.zeros((x.shape[0], *a.shape))
    for t in range(x.shape[1]):
        state *= np.exp(delta[:, t, :, None] * a)
        state += (delta[:, t] * x[:, t])[:, :, None] * b[:, t, None, :]
        y[:, t] = np.einsum("bds,bs->bd", state, c[:, t])
    return y + d * x


class CaduceusPS:
    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.config = json.loads((folder / "config.json").read_text())
        dtypes = {"F32": "<f4", "I64": "<i8"}
        self.weights = {
            name.removeprefix("caduceus.backbone."): np.frombuffer(raw, dtypes[dtype])
            .reshape(shape)
            .astype(np.float64)
            for name, (dtype, shape, raw) in read_safetensors(folder / "model.safetensors").items()
        }
        complement = self.config["complement_map"]
        self.complement = np.array([complement[str(i)] for i in range(len(complement))])
        self.embedding = self.weights["embeddings.word_embeddings.embedding.weight"]

    def norm(self, x, name):
        scale = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + self.config["norm_epsilon"])
        weight = self.weights.get(f"{name}.weight")
        return x / scale * (self.weights[f"{name}.submodule.weight"] if weight is None else weight)

    def mamba(self, x, name):
        """One direction; in_proj and out_proj are those of mamba_fwd, which both directions share."""
        w = self.weights
        shared = name.replace("mamba_rev", "mamba_fwd")
        u, z = np.split(x @ w[f"{shared}.in_proj.weight"].T, 2, axis=-1)
        taps = w[f"{name}.conv1d.weight"][:, 0]
        padded = np.pad(u, ((0, 0), (taps.shape[1] - 1, 0), (0, 0)))
        u = w[f"{name}.conv1d.bias"] + sum(
            taps[:, k] * padded[:, k : k + u.shape[1]] for k in range(taps.shape[1])
        )
        u = silu(u)
        a = -np.exp(w[f"{name}.A_log"])
        rank, states = w[f"{name}.dt_proj.weight"].shape[1], a.shape[1]
        dt, b, c = np.split(u @ w[f"{name}.x_proj.weight"].T, [rank, rank + states], axis=-1)
        delta = np.logaddexp(0.0, dt @ w[f"{name}.dt_proj.weight"].T + w[f"{name}.dt_proj.bias"])
        y = selective_scan(u, delta, a, b, c, w[f"{name}.D"])
        return (y * silu(z)) @ w[f"{shared}.out_proj.weight"].T

    def mixer(self, x, name):
        reverse = self.mamba(x[:, ::-1], f"{name}.mamba_rev")[:, ::-1]
        return self.mamba(x, f"{name}.mamba_fwd") + reverse

    def hidden_states(self, ids):
        """What enters each block, without the residual, and what follows the final norm.

        Pairs (plus, minus) of (batch, length, channels), the minus strand's at the plus strand's
        positions and with its channels in the order of the plus strand's.
        """
        states = []
        first = self.embedding[ids]
        second = flip(self.embedding[self.complement[ids][:, ::-1]])
        residual_first, residual_second = np.zeros_like(first), np.zeros_like(second)
        for i in range(self.config["n_layer"]):
            states.append((first, second[:, :, ::-1]))
            residual_first, residual_second = first + residual_first, second + residual_second
            if self.config["fused_add_norm"]:  # the fused form swaps the halves
                residual_first, residual_second = residual_second, residual_first
            norm, mixer = f"layers.{i}.norm", f"layers.{i}.mixer.submodule"
            first = self.mixer(self.norm(residual_first, norm), mixer)
            second = flip(self.mixer(self.norm(flip(residual_second), norm), mixer))
        first = self.norm(first + residual_first, "norm_f")
        second = self.norm(flip(second + residual_second), "norm_f")  # channels as first's
        return [*states, (first, second[:, ::-1])]

    def logits(self, ids):
        """(batch, length) token ids to (batch, length, vocabulary) logits."""
        plus, minus = self.hidden_states(ids)[-1]
        return plus @ self.embedding.T + minus @ self.embedding[self.complement].T

    def base_log_probabilities(self, ids):
        """(batch, length, 4): log-softmax over A, C, G and T alone."""
        four = self.logits(ids)[:, :, [BASE_TOKENS[base] for base in "ACGT"]]
        return four - np.logaddexp.reduce(four, axis=-1, keepdims=True)
