"""`ssmgen info`: a model, a genome, variants, the machine; and every command's help."""

import json
import os
import re
import shutil
import subprocess

import pytest
from genome_files import bgzf, copy_model, fasta_text, snvs, vcf_text
from make_genome import read_fasta
from make_goldens import read_safetensors


def info_json(ssmgen, *paths, exits=0):
    return json.loads(ssmgen("info", "--json", *paths, exits=exits).stdout)


def fields(text):
    """{name: value} of the lines "  name   value"."""
    return dict(re.findall(r"^  (\S[\w /]*?)  +(.+)$", text, re.MULTILINE))


def test_a_model(ssmgen, demo):
    config = json.loads((demo.model / "config.json").read_text())
    tensors = read_safetensors(demo.model / "model.safetensors")
    (model,) = info_json(ssmgen, demo.model)
    assert model["kind"] == "model" and model["model_type"] == "caduceus"
    assert [model[x] for x in ("n_layer", "d_model", "vocabulary")] == [
        config[x] for x in ("n_layer", "d_model", "vocab_size")
    ]
    assert model["d_inner"] == 2 * config["d_model"] and model["dt_rank"] == config["d_model"] / 16
    counts = {}
    for dtype, shape, raw in tensors.values():
        counts[dtype] = counts.get(dtype, 0) + len(raw) // {"F32": 4, "I64": 8}[dtype]
    assert model["parameters"] == counts["F32"]
    assert model["stored_dtypes"]["F32"] == counts["F32"]
    assert model["weights_bytes"] == (demo.model / "model.safetensors").stat().st_size
    assert model["bidirectional"] and model["reverse_complement_equivariant"] and model["dna"]
    assert not model["causal"]
    assert model["missing"] == [] and model["unused"] == []
    assert model["tied"]["lm_head.weight"].endswith("word_embeddings.embedding.weight")


def test_a_model_as_text(ssmgen, demo):
    found = fields(ssmgen("info", demo.model).stdout)
    assert found["layers"] == "6" and found["d_model"] == "128"
    assert found["scores"] == "masked, unmasked"
    assert found["reverse complement"].startswith("equivariant")
    causal = fields(ssmgen("info", demo.causal_model).stdout)
    assert causal["scores"] == "causal" and causal["bidirectional"] == "no"


def test_missing_and_unused_tensors_are_named(ssmgen, demo, tmp_path):
    gone = "caduceus.backbone.layers.0.mixer.submodule.mamba_fwd.conv1d.bias"

    def edit(tensors):
        del tensors[gone]
        tensors["extra.weight"] = ("F32", [2], b"\0" * 8)

    model = copy_model(demo.small_model, tmp_path / "model", tensors=edit)
    (found,) = info_json(ssmgen, model, exits=1)
    assert found["missing"] == [gone] and found["unused"] == ["extra.weight"]
    text = ssmgen("info", model, exits=1).stdout
    assert f"missing tensors: 1\n    {gone}" in text and "unused tensors: 1" in text


def test_a_genome_and_variants_matched(ssmgen, demo):
    genome, variants = info_json(ssmgen, demo.fasta, demo.edge_cases)
    bases = read_fasta(demo.fasta)
    assert genome["kind"] == "fasta" and genome["bases"] == sum(map(len, bases.values()))
    assert {x["name"]: x["length"] for x in genome["contigs"]} == {
        name: len(contig) for name, contig in bases.items()
    }
    assert variants["kind"] == "vcf" and variants["samples"] == ["sample_1", "sample 2"]
    assert not variants["indexed"]
    matched = {x["name"]: x.get("fasta_name") for x in variants["contigs"]}
    assert matched == {name: name for name in bases} | {"synth_absent": None}
    text = ssmgen("info", demo.edge_cases, demo.fasta).stdout
    assert fields(text)["contigs matched"] == "3 of 4"
    assert re.search(r"synth_absent +1,000 +not in the FASTA", text)


def test_contigs_that_go_by_another_name_or_differ_in_length(ssmgen, tmp_path):
    contigs = {"chr1": "ACGT" * 100, "chr2": "ACGT" * 50}
    (tmp_path / "g.fa").write_text(fasta_text(contigs))
    (tmp_path / "in.vcf").write_text(vcf_text([], {"1": 400, "chr2": 201}))
    _, variants = info_json(ssmgen, tmp_path / "g.fa", tmp_path / "in.vcf")
    assert [x["fasta_name"] for x in variants["contigs"]] == ["chr1", "chr2"]
    text = ssmgen("info", tmp_path / "g.fa", tmp_path / "in.vcf").stdout
    assert re.search(r"1 +400 +is chr1\n", text)
    assert re.search(r"chr2 +201 +in the FASTA \(length 200 there\)", text)


def test_record_counts_come_from_the_index(ssmgen, tool, tmp_path):
    contigs = {"chr1": "ACGT" * 100, "chr2": "ACGT" * 50}
    records = snvs(contigs, 7) + snvs(contigs, 3, "chr2")
    (tmp_path / "in.vcf.gz").write_bytes(bgzf(vcf_text(records, contigs).encode()))
    tool("bcftools", "index", tmp_path / "in.vcf.gz")
    (variants,) = info_json(ssmgen, tmp_path / "in.vcf.gz")
    assert variants["indexed"]
    assert [x["records"] for x in variants["contigs"]] == [7, 3]
    tool("bcftools", "view", "-Ob", "-o", tmp_path / "in.bcf", tmp_path / "in.vcf.gz")
    (variants,) = info_json(ssmgen, tmp_path / "in.bcf")
    assert variants["kind"] == "bcf" and not variants["indexed"]


def test_long_lists_are_cut_unless_all_is_asked_for(ssmgen, tmp_path):
    contigs = {f"scaffold{i}": "ACGT" for i in range(40)}
    (tmp_path / "g.fa").write_text(fasta_text(contigs))
    short = ssmgen("info", tmp_path / "g.fa").stdout
    assert "contigs: 40" in short and "scaffold24" in short and "scaffold25" not in short
    assert "... and 15 more (--all)" in short
    assert "scaffold39" in ssmgen("info", "--all", tmp_path / "g.fa").stdout


def test_the_machine(ssmgen):
    (machine,) = info_json(ssmgen)
    assert machine["kind"] == "machine"
    assert machine["cores"] == len(os.sched_getaffinity(0))
    assert 0 < machine["available_memory_bytes"] <= machine["memory_bytes"]
    assert any(device.startswith("cpu") for device in machine["devices"])
    assert machine["version"] == ssmgen("--version").stdout.split()[1]
    assert fields(ssmgen("info").stdout)["cores"] == str(machine["cores"])


@pytest.mark.parametrize("name, text", [("notes.txt", "hello\n"), ("empty", "")])
def test_other_files_are_refused(ssmgen, tmp_path, name, text):
    (tmp_path / name).write_text(text)
    done = ssmgen("info", tmp_path / name, exits=1)
    assert done.stdout == "" and name in done.stderr


def test_two_genomes_are_refused(ssmgen, demo, tmp_path):
    shutil.copyfile(demo.fasta, tmp_path / "b.fa")
    done = ssmgen("info", demo.fasta, tmp_path / "b.fa", exits=2)
    assert "one FASTA at a time" in done.stderr


@pytest.mark.parametrize("command", ["score", "info", "selftest", "bench"])
def test_help_goes_to_stdout_and_ends_in_examples(ssmgen, command):
    for flag in ("--help", "-h"):
        done = ssmgen(command, flag)
        assert done.stderr == ""
        first, *_, last = done.stdout.splitlines()
        assert first.startswith(f"ssmgen {command} - ")
        examples = done.stdout.split("\nExamples:\n")[1]
        assert f"ssmgen {command}" in examples and examples.endswith(last + "\n")
    assert command in ssmgen("--help").stdout


def test_a_closed_stdout_is_a_failure(ssmgen_path, demo):
    """`ssmgen info > /dev/full` must not look like success."""
    with open("/dev/full", "wb") as full:
        command = [ssmgen_path, "info", demo.fasta]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1 and b"standard output" in done.stderr
