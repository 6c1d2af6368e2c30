"""What the tests of the command share."""

import os
import pathlib
import subprocess
from types import SimpleNamespace

import pytest


@pytest.fixture(scope="session")
def demo(test_data):
    """The bundled model, genome and variants."""
    return SimpleNamespace(
        model=test_data / "models" / "ecoli-caduceus-ps",
        fasta=test_data / "genome" / "demo.fa",
        vcf=test_data / "variants" / "demo.vcf",
        edge_cases=test_data / "variants" / "edge_cases.vcf",
        small_model=test_data / "golden" / "caduceus_ps",
        causal_model=test_data / "golden" / "caduceus_causal",
    )


@pytest.fixture
def score(ssmgen, demo):
    """score(*arguments): `ssmgen score`, by default with a small model of random weights and
    windows of 64 bases on the bundled genome, for tests in which the number is not the point."""

    def run(*arguments, model=demo.small_model, fasta=demo.fasta, window=64, **how):
        sized = ["--window", window] if window else []
        return ssmgen("score", "--model", model, "--fasta", fasta, *sized, *arguments, **how)

    return run


@pytest.fixture(scope="session")
def tool():
    """tool(*command): runs bcftools, tabix and the like; bytes out."""

    def run(*command, exits=0, stdin=None):
        done = subprocess.run(
            [str(part) for part in command], input=stdin, capture_output=True, timeout=300
        )
        assert (
            done.returncode == exits
        ), f"{command}: exit {done.returncode}\n{done.stderr.decode()}"
        return done

    return run


@pytest.fixture(scope="session")
def scored_files(ssmgen_path, tmp_path_factory):
    """scored_files(IN, *options) -> the path of the scored VCF; each run is made once."""
    made = {}

    def run(source, *options, model, fasta):
        key = tuple(map(str, (source, *options, model, fasta)))
        if key not in made:
            path = tmp_path_factory.mktemp("scored") / "out.vcf"
            command = [ssmgen_path, "score", "--model", model, "--fasta", fasta, "-q", "-o", path]
            done = subprocess.run(
                [str(part) for part in (*command, *options, source)],
                capture_output=True,
                text=True,
                env={**os.environ, "LC_ALL": "C"},
                timeout=600,
            )
            assert done.returncode == 0, done.stderr
            made[key] = pathlib.Path(path)
        return made[key]

    return run
