#!/usr/bin/env python3
"""What Python adds to `ssmgen embed`: model.embed() beside the command's own seconds.

Both embed the same random sequences with the same model, in turns. Of each two numbers are given:
seconds that passed, where other work on the machine falls on either, and seconds of the processors,
which is what the overhead is taken of: the median of the turns' ratios. What the command spends on
loading the model, which is what a run over one base takes, is not counted; what it spends on its
files is. Needs the installed package and, by $SSMGEN_COMMAND or --command, the built command.
"""

import argparse
import os
import pathlib
import re
import resource
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
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--command", default=os.environ.get("SSMGEN_COMMAND", "build/bin/ssmgen"))
    parser.add_argument("--most", type=float, default=5.0, help="per cent; above it exit 1")
    return parser.parse_args()


def processor_seconds(whose):
    used = resource.getrusage(whose)
    return used.ru_utime + used.ru_stime


def of_command(given, fasta, out):
    """Seconds that passed, by its summary, and of the processors.

    "ssmgen: 1,000 windows in 20.9 s (47.9 windows/s)": the rate is the finer number.
    """
    before = processor_seconds(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [given.command, "embed", "--model", given.model, "--device", given.device, "--pool", "mean",
         "-o", out, fasta],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    windows, rate = re.search(r"([\d,]+) windows? in .*\(([\d.,]+) windows/s", done.stderr).groups()
    seconds = float(windows.replace(",", "")) / max(float(rate.replace(",", "")), 0.1)
    return seconds, processor_seconds(resource.RUSAGE_CHILDREN) - before


def of_python(model, sequences):
    before, start = processor_seconds(resource.RUSAGE_SELF), time.perf_counter()
    found = model.embed(sequences, progress=False)
    seconds = time.perf_counter() - start
    return seconds, processor_seconds(resource.RUSAGE_SELF) - before, found


def main():
    given = arguments()
    bases = np.random.default_rng(1).choice(list("ACGT"), (given.sequences, given.length))
    sequences = ["".join(row) for row in bases]
    model = ssmgen.load(given.model, device=given.device)
    model.embed(sequences[:8])
    command, python = [], []
    with tempfile.TemporaryDirectory() as folder:
        fasta, one, out = (pathlib.Path(folder, name) for name in ("in.fa", "one.fa", "out.npy"))
        fasta.write_text("".join(f">{i}\n{letters}\n" for i, letters in enumerate(sequences)))
        one.write_text(">one\nA\n")
        loading = statistics.median(of_command(given, one, out)[1] for _ in range(5))
        for _ in range(given.repeats):
            seconds, processors = of_command(given, fasta, out)
            command.append((seconds, processors - loading))
            *times, found = of_python(model, sequences)
            python.append(tuple(times))
        assert found.tobytes() == np.load(out).tobytes()
    print(f"{given.sequences} sequences of {given.length} bases, {given.repeats} turns; medians")
    for name, times in (("ssmgen embed", command), ("model.embed", python)):
        passed, processors = (statistics.median(column) for column in zip(*times))
        print(f"{name:13}{passed:9.3f} s passed{processors:10.3f} s of the processors")
    ratios = [[a / b for a, b in zip(mine, its)] for mine, its in zip(python, command)]
    passed, processors = (100 * (statistics.median(column) - 1) for column in zip(*ratios))
    print(f"{'overhead':13}{passed:+9.2f} %{processors:+17.2f} %")
    return int(processors > given.most)


if __name__ == "__main__":
    sys.exit(main())
