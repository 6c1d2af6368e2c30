"""The answer does not depend on how the work was cut up, nor on the order of the records."""

import random

import pytest
from genome_files import fasta_text, random_bases, snvs, vcf_text
from vcf_text import parse_vcf


@pytest.fixture
def plan_output(score, demo):
    """plan_output(*options) -> the output's bytes, which name neither command nor options."""

    def run(*options, source=demo.edge_cases, **how):
        options = ("-q", "--no-version", "--score", "masked,unmasked", *options)
        return score(*options, source, model=demo.model, text=False, **how).stdout

    return run


PLANS = {
    "batch of 1": ("--batch", 1),
    "batch of 7": ("--batch", 7),
    "batch of 64": ("--batch", 64),
    "1 thread": ("--threads", 1),
    "2 threads": ("--threads", 2),
    "5 threads, batch of 3": ("--threads", 5, "--batch", 3),
    "chunks of 64": ("--chunk", 64, "--batch", 7),
    "chunks of 128": ("--chunk", 128, "--batch", 1, "--threads", 2),
    "chunks of 1024": ("--chunk", 1024),
}


@pytest.mark.parametrize("window", [100, 700])
def test_same_bytes_for_every_batch_thread_count_and_chunk(plan_output, window):
    expected = plan_output(window=window)
    assert expected.count(b"SSM_MASKED=") == 42
    for name, options in PLANS.items():
        assert plan_output(*options, window=window) == expected, name


def test_same_bytes_for_every_plan_in_bf16(plan_output):
    expected = plan_output("--dtype", "bf16", window=200)
    for name in ("batch of 1", "5 threads, batch of 3", "chunks of 64"):
        assert plan_output("--dtype", "bf16", *PLANS[name], window=200) == expected, name


def test_same_bytes_for_every_plan_of_a_causal_model(score, demo):
    def run(*options):
        options = ("-q", "--no-version", *options)
        how = {"model": demo.causal_model, "window": 150, "text": False}
        return score(*options, demo.edge_cases, **how).stdout

    expected = run()
    assert b"SSM_CAUSAL=" in expected
    for name, options in PLANS.items():
        assert run(*options) == expected, name


@pytest.mark.parametrize("seed", [1, 2])
def test_shuffled_records_keep_their_scores(score, demo, tmp_path, seed):
    header, records = parse_vcf(demo.edge_cases.read_text())
    sites = [record.columns[:5] + record.columns[7:8] for record in records]
    random.Random(seed).shuffle(records)
    shuffled = tmp_path / "shuffled.vcf"
    rows = ["\t".join(record.columns) for record in records]
    shuffled.write_text("\n".join(header + rows) + "\n")

    def lines(source, *options):
        options = ("-q", "--score", "masked,unmasked", *options)
        out = score(*options, source, model=demo.model).stdout.splitlines()
        return [line for line in out if not line.startswith("#")]

    in_order, mixed = lines(demo.edge_cases), lines(shuffled, "--batch", 5)
    assert len(in_order) == len(sites) == 43
    assert mixed != in_order
    assert sorted(mixed) == sorted(in_order)
    # The order is the input's own.
    assert [x.split("\t")[:5] for x in mixed] == [record.columns[:5] for record in records]


def test_records_of_one_site_share_a_pass(score, tmp_path):
    """The summary counts windows: three ALTs and two records at a site take one masked pass."""
    contigs = {"c": random_bases(400, seed=5)}
    (tmp_path / "g.fa").write_text(fasta_text(contigs))
    base = contigs["c"][199]
    alts = [letter for letter in "ACGT" if letter != base]
    sites = [("c", 200, base, ",".join(alts)), ("c", 200, base, alts[0]), ("c", 200, base, alts[1])]
    (tmp_path / "in.vcf").write_text(vcf_text(sites, contigs))
    done = score(tmp_path / "in.vcf", fasta=tmp_path / "g.fa")
    assert "ssmgen: 1 windows in" in done.stderr
    # Unmasked, every site of a window that cannot move is read from one pass: the contig's start.
    sites = snvs({"c": contigs["c"][:30]}, 30)
    (tmp_path / "in.vcf").write_text(vcf_text(sites, contigs))
    done = score("--score", "unmasked", tmp_path / "in.vcf", fasta=tmp_path / "g.fa")
    assert "ssmgen: 1 windows in" in done.stderr


def test_more_records_than_are_held_at_a_time(score, tmp_path):
    """Past what waits in memory, output still comes whole and in order."""
    contigs = {"c": random_bases(300, seed=6)}
    (tmp_path / "g.fa").write_text(fasta_text(contigs))
    records = [("c", 1 + i % 300, contigs["c"][i % 300], "*") for i in range(20000)]
    scored = snvs(contigs, 4)
    for place, record in zip((0, 8191, 8192, 20003), scored, strict=True):
        records.insert(place, record)
    (tmp_path / "in.vcf").write_text(vcf_text(records, contigs))
    done = score("-q", tmp_path / "in.vcf", fasta=tmp_path / "g.fa")
    found = parse_vcf(done.stdout)[1]
    assert [record.site for record in found] == records
    values = [record.values("SSM_MASKED")[0] for record in found]
    assert [i for i, value in enumerate(values) if value is not None] == [0, 8191, 8192, 20003]
