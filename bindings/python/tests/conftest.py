"""The installed package, and the command beside it to hold it against."""

import os
import pathlib
import subprocess
from types import SimpleNamespace

import pytest

SOURCE_DIR = pathlib.Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def data():
    """The bundled models, genome and variants."""
    folder = SOURCE_DIR / "test_data"
    return SimpleNamespace(
        model=folder / "models" / "ecoli-caduceus-ps",
        small=folder / "golden" / "caduceus_ps",
        causal=folder / "golden" / "caduceus_causal",
        fasta=folder / "genome" / "demo.fa",
        bed=folder / "genome" / "genes.bed",
        demo=folder / "variants" / "demo.vcf",
        edge_cases=folder / "variants" / "edge_cases.vcf",
    )


@pytest.fixture(scope="session")
def command():
    """command(*arguments): runs ssmgen, which must succeed; what it wrote to standard output."""
    path = os.environ.get("SSMGEN_COMMAND", SOURCE_DIR / "build" / "bin" / "ssmgen")

    def run(*arguments):
        done = subprocess.run([str(path), *map(str, arguments)], capture_output=True, timeout=600)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    return run


@pytest.fixture(scope="session")
def small(data):
    """A small Caduceus-PS of random weights."""
    import ssmgen

    return ssmgen.load(data.small)
