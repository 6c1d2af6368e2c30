#!/usr/bin/env python3
"""What Python adds to `ssmgen embed`: model.embed() beside the command's own seconds.

Both embed the same random sequences with the same model, in turns, and what counts is the median of
the turns' ratios: other work on the machine falls on both. What the command spends on loading the
model is not counted, what it spends on its files is.
Needs the installed package and, by $SSMGEN_COMMAND or --command, the built command.
"""

import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

import ssmgen

SOURCE_DIR = pathlib.Path(__file__).resolve().parents[2]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default=SOURCE_DIR / "test_data/models/ecoli-caduceus-ps")
    parser.add_argument("--sequences", type=int, default=1000)
    parser.add_argument("--length", type=int, default=512, help="bases")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--command", default=os.environ.get("SSMGEN_COMMAND", "build/bin/ssmgen"))
    parser.add_argument("--most", type=float, default=5.0, help="per cent; above it exit 1")
    return parser.parse_args()


def seconds_of_command(given, fasta, out):
    """Of its summary: "ssmgen: 1,000 windows in 20.9 s (47.9 windows/s)"; the rate is the finer."""
    done = subprocess.run(
        [given.command, "embed", "--model", given.model, "--device", given.device, "--pool", "mean",
         "-o", out, fasta],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    windows, rate = re.search(r"([\d,]+) windows in .*\(([\d.,]+) windows/s", done.stderr).groups()
    return float(windows.replace(",", "")) / float(rate.replace(",", ""))


def main():
    given = arguments()
    bases = np.random.default_rng(1).choice(list("ACGT"), (given.sequences, given.length))
    sequences = ["".join(row) for row in bases]
    model = ssmgen.load(given.model, device=given.device)
    model.embed(sequences[:8])
    seconds = {"ssmgen embed": [], "model.embed": []}
    with tempfile.TemporaryDirectory() as folder:
        fasta, out = pathlib.Path(folder, "in.fa"), pathlib.Path(folder, "out.npy")
        fasta.write_text("".join(f">{i}\n{letters}\n" for i, letters in enumerate(sequences)))
        for _ in range(given.repeats):
            seconds["ssmgen embed"].append(seconds_of_command(given, fasta, out))
            start = time.perf_counter()
            found = model.embed(sequences)
            seconds["model.embed"].append(time.perf_counter() - start)
        assert found.tobytes() == np.load(out).tobytes()
    for name, times in seconds.items():
        every = " ".join(f"{s:.3f}" for s in times)
        print(f"{name:13} {statistics.median(times):8.3f} s, the median of {every}")
    ratios = [mine / its for its, mine in zip(*seconds.values())]
    overhead = 100 * (statistics.median(ratios) - 1)
    print(f"overhead      {overhead:+8.2f} %, {given.sequences} sequences of {given.length} bases")
    return int(overhead > given.most)


if __name__ == "__main__":
    sys.exit(main())
