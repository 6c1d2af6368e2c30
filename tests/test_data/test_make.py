"""The committed test data is what its scripts write, byte for byte, and holds what they promise."""

import filecmp
import subprocess

import make_expected
import make_genome
import make_goldens
import make_variants
import numpy as np
import pytest
from caduceus_f64 import CaduceusPS
from genetic_code import AMINO_ACID, START_USAGE, reverse_complement


def assert_same_files(made, committed, names):
    for name in names:
        assert filecmp.cmp(made / name, committed / name, shallow=False), f"{name} differs"


def test_genome_is_what_the_script_writes(tmp_path, test_data):
    make_genome.main(tmp_path)
    assert_same_files(tmp_path, test_data / "genome", ["demo.fa", "genes.gff3", "genes.bed"])


def test_variants_are_what_the_script_writes(tmp_path, test_data):
    make_variants.main(tmp_path)
    assert_same_files(tmp_path, test_data / "variants", ["demo.vcf", "edge_cases.vcf"])


def test_goldens_are_what_the_script_writes(tmp_path, test_data, shared_dir):
    make_goldens.main(shared_dir, tmp_path)
    names = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert len(names) == 3 * len(make_goldens.CUTS) + 2
    assert_same_files(tmp_path, test_data, names)


@pytest.mark.parametrize("name, edge", [("demo", "shift"), ("edge_shift", "shift"), ("edge_pad", "pad")])
def test_expected_scores_are_what_the_script_writes(tmp_path, test_data, name, edge):
    """Every site, and the first few scores: the whole takes minutes."""
    vcf, cases = ("demo", None) if name == "demo" else ("edge_cases", make_expected.SCORED_EDGES)
    sites = make_expected.read_sites(test_data / "variants" / f"{vcf}.vcf", cases)
    committed = (test_data / "expected" / f"{name}.tsv").read_text().splitlines()
    assert [tuple(line.split("\t")[:4]) for line in committed[1:]] == [
        (contig, str(position + 1), ref, alt) for contig, position, ref, alt in sites
    ]
    model = CaduceusPS(test_data / "models" / make_goldens.MODEL)
    genome = make_genome.read_fasta(test_data / "genome" / "demo.fa")
    sites = sites[:4]
    path = tmp_path / "scores.tsv"
    make_expected.write_scores(path, sites, make_expected.score(model, genome, sites, edge))
    made = path.read_text().splitlines()
    assert made == committed[: len(made)]


@pytest.mark.parametrize("name", ["caduceus_ps", "caduceus_ps_unfused"])
def test_the_float64_model_agrees_with_the_goldens(test_data, name):
    folder = test_data / "golden" / name
    expected = make_goldens.read_safetensors(folder / "expected.safetensors")

    def array(tensor, dtype):
        _, shape, raw = expected[tensor]
        return np.frombuffer(raw, dtype).reshape(shape)

    logits = CaduceusPS(folder).logits(array("input_ids", "<i4"))
    reference = array("logits", "<f4")
    assert np.linalg.norm(logits - reference) < 1e-6 * np.linalg.norm(reference)


def coding_sequence(genome, gene, changed=()):
    contig, start, end, _, strand = gene
    bases = list(genome[contig])
    for position, ref, alt in changed:
        assert "".join(bases[position : position + len(ref)]) == ref
        bases[position : position + len(ref)] = alt
    coding = "".join(bases[start:end])
    return coding if strand == "+" else reverse_complement(coding)


def protein(coding):
    return "".join(AMINO_ACID[coding[i : i + 3]] for i in range(0, len(coding), 3))


@pytest.fixture(scope="module")
def genome(test_data):
    return make_genome.read_fasta(test_data / "genome" / "demo.fa")


@pytest.fixture(scope="module")
def genes(test_data):
    return {gene[3]: gene for gene in make_genome.read_genes(test_data / "genome" / "genes.bed")}


def test_genes_are_open_reading_frames_on_both_strands(genome, genes):
    assert {gene[4] for gene in genes.values()} == {"+", "-"}
    for gene in genes.values():
        coding = coding_sequence(genome, gene)
        assert coding[:3] in START_USAGE
        assert protein(coding).index("*") == len(coding) // 3 - 1


def test_kinds_are_true(test_data, genome, genes):
    """Each variant put into its gene and the whole gene translated."""
    counts = dict.fromkeys(make_variants.COUNTS, 0)
    for line in (test_data / "variants" / "demo.vcf").read_text().splitlines():
        if line.startswith("#"):
            continue
        _, position, _, ref, alt, _, _, info = line.split("\t")
        fields = dict(entry.split("=") for entry in info.split(";"))
        gene = genes[fields["GENE"]]
        before = protein(coding_sequence(genome, gene))
        after = protein(coding_sequence(genome, gene, [(int(position) - 1, ref, alt)]))
        if len(ref) > 1:
            kind = "mnv"
        elif after == before:
            kind = "syn"
        else:
            kind = "stop" if after.index("*") < before.index("*") else "mis"
        assert fields["KIND"] == kind
        counts[kind] += 1
    assert counts == make_variants.COUNTS


@pytest.mark.parametrize("name", ["demo", "edge_cases"])
def test_bcftools_reads_the_variants(test_data, name):
    path = test_data / "variants" / f"{name}.vcf"
    done = subprocess.run(["bcftools", "view", "-H", path], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    assert len(done.stdout.splitlines()) == len(lines)


def test_small_enough_to_carry(source_dir):
    listed = subprocess.run(
        ["git", "ls-files", "test_data"], cwd=source_dir, capture_output=True, text=True
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    total = sum((source_dir / name).stat().st_size for name in listed.stdout.splitlines())
    assert 0 < total < 6_000_000
