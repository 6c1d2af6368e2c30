"""What users of bcftools expect of files, and get: types, indexes, regions, header, every byte."""

import gzip
import hashlib
import re
import shutil

import pytest
from genome_files import bgzf, fasta_text, random_bases, snvs, vcf_text
from make_genome import read_fasta
from vcf_text import parse_vcf, read_vcf

OUTPUT_TYPES = ("v", "z", "b", "u")
SUFFIXES = {"v": ".vcf", "z": ".vcf.gz", "b": ".bcf", "u": ".bcf"}


def kind_of(raw):
    """What a file's bytes are, in the letters of -O."""
    if raw[:2] != b"\x1f\x8b":
        return "u" if raw.startswith(b"BCF\2") else "v"
    assert raw[12:14] == b"BC", "gzip, but not bgzip"
    start = gzip.decompress(raw)[:5]
    if not start.startswith(b"BCF"):
        return "z"
    # bcftools' -O u is BCF in BGZF blocks that hold their bytes as they are.
    return "u" if b"##fileformat" in raw[:200] else "b"


def without_scores(columns):
    """A record's columns with the added INFO fields taken away again."""
    fields = [x for x in columns[7].split(";") if not x.startswith("SSM_")]
    return columns[:7] + [";".join(fields) or "."] + columns[8:]


def assert_passes_through(source, scored):
    """Every record of the source comes out, in order, all its bytes as they were."""
    found = [without_scores(record.columns) for record in scored]
    assert found == [record.columns for record in source]


@pytest.fixture(scope="module")
def small(tmp_path_factory, tool):
    """A genome of two contigs with a sorted, indexed VCF on it."""
    folder = tmp_path_factory.mktemp("small")
    contigs = {"chr1": random_bases(3000, 1), "chr2": random_bases(1500, 2)}
    (folder / "g.fa").write_text(fasta_text(contigs))
    records = snvs(contigs, 40, "chr1") + snvs(contigs, 20, "chr2")
    # Long REF alleles, so that overlapping a region by POS and by REF are different things.
    bases = contigs["chr1"]
    records += [("chr1", at, bases[at - 1 : at + 9], bases[at - 1]) for at in (300, 900, 1495)]
    records.sort(key=lambda record: record[:2])
    (folder / "in.vcf").write_text(vcf_text(records, contigs))
    tool("bgzip", "-k", folder / "in.vcf")
    tool("tabix", "-p", "vcf", folder / "in.vcf.gz")
    tool("bcftools", "view", "-Ob", "-o", folder / "in.bcf", folder / "in.vcf")
    tool("bcftools", "index", folder / "in.bcf")
    return folder


@pytest.mark.parametrize("letter", OUTPUT_TYPES)
def test_output_type_is_what_was_asked_for(score, demo, tool, tmp_path, letter):
    plain = score("-q", "--no-version", demo.edge_cases).stdout
    out = tmp_path / "out"
    score("-q", "--no-version", "-O", letter, "-o", out, demo.edge_cases)
    raw = out.read_bytes()
    assert kind_of(raw) == letter
    to_stdout = score("-q", "--no-version", f"-O{letter}", "-o", "-", demo.edge_cases, text=False)
    assert to_stdout.stdout == raw
    if letter in "vz":
        assert read_vcf(out) == parse_vcf(plain)
    # BCF keeps values, not the way in which they were written: compared as bcftools prints both.
    (tmp_path / "plain.vcf").write_text(plain)
    shown = [
        tool("bcftools", "view", "-H", "--no-version", path).stdout
        for path in (out, tmp_path / "plain.vcf")
    ]
    assert shown[0] == shown[1] and shown[0].count(b"\n") == 43


@pytest.mark.parametrize("suffix", [".vcf", ".vcf.gz", ".vcf.bgz", ".bcf", ".txt", ""])
def test_suffix_decides_and_the_option_overrides(score, demo, tmp_path, suffix):
    expected = {".vcf.gz": "z", ".vcf.bgz": "z", ".bcf": "b"}.get(suffix, "v")
    out = tmp_path / f"out{suffix}"
    score("-q", "-o", out, demo.edge_cases)
    assert kind_of(out.read_bytes()) == expected
    other = "v" if expected != "v" else "z"
    score("-q", "-O", other, "-o", out, demo.edge_cases)
    assert kind_of(out.read_bytes()) == other
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_compression_levels(score, demo, tmp_path):
    sizes = {}
    for level in ("z0", "z1", "z9"):
        score("-q", "--no-version", "-O", level, "-o", tmp_path / level, demo.vcf)
        sizes[level] = (tmp_path / level).stat().st_size
    assert sizes["z9"] < sizes["z1"] < sizes["z0"]
    assert read_vcf(tmp_path / "z0") == read_vcf(tmp_path / "z9")


@pytest.mark.parametrize("name", ["in.vcf", "in.vcf.gz", "in.bcf"])
def test_input_from_a_file_from_stdin_and_from_a_pipe_without_name(score, small, name):
    options = ("-q", "--no-version")
    from_file = score(*options, small / name, fasta=small / "g.fa").stdout
    assert from_file.count("SSM_MASKED=") == 63
    raw = (small / name).read_bytes()
    for arguments in (("-",), ()):
        done = score(*options, *arguments, fasta=small / "g.fa", stdin=raw, text=False)
        assert done.stdout.decode() == from_file


def test_plain_gzip_and_several_members(score, small):
    raw = (small / "in.vcf").read_bytes()
    expected = score("-q", "--no-version", small / "in.vcf", fasta=small / "g.fa").stdout
    cut = len(raw) // 2
    for packed in (gzip.compress(raw), gzip.compress(raw[:cut]) + gzip.compress(raw[cut:])):
        done = score("-q", "--no-version", fasta=small / "g.fa", stdin=packed, text=False)
        assert done.stdout.decode() == expected


@pytest.mark.parametrize("letter, given, suffix", [
    ("z", ["-W"], ".csi"),
    ("z", ["-Wtbi"], ".tbi"),
    ("z", ["-W=tbi"], ".tbi"),
    ("z", ["--write-index=csi"], ".csi"),
    ("b", ["--write-index"], ".csi"),
])  # fmt: skip
def test_index_is_written_and_finds_records(score, small, tool, tmp_path, letter, given, suffix):
    out = tmp_path / f"out{SUFFIXES[letter]}"
    score("-q", *given, "-o", out, small / "in.vcf", fasta=small / "g.fa")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [out.name, out.name + suffix]
    stats = tool("bcftools", "index", "-s", out).stdout.decode()
    assert stats == "chr1\t3000\t43\nchr2\t1500\t20\n"
    found = tool("bcftools", "view", "-H", out, "chr1:900-1000").stdout
    assert found.count(b"\n") == 3 and found.count(b"SSM_MASKED=") == 3


SELECTIONS = [
    ["-r", "chr1"],
    ["-r", "chr2:1-400"],
    ["-r", "chr1:301"],
    ["-r", "chr1:301-309"],
    ["-r", "chr1:2900-"],
    ["-r", "chr1:1-500,chr2"],
    ["-r", "chr1:1-500,chr1:200-700"],
    ["-r", "chr1:301-309", "--regions-overlap", "0"],
    ["-r", "chr1:304-304", "--regions-overlap", "2"],
    ["-r", "chr1:301-309", "--regions-overlap", "variant"],
    ["-R", "FILE.bed"],
    ["-R", "FILE.tsv"],
    ["-t", "chr1:301-309"],
    ["-t", "chr1:301-309", "--targets-overlap", "1"],
    ["-t", "chr2"],
    ["-t", "^chr1:1-2000,chr2"],
    ["-T", "FILE.bed"],
    ["-T", "^FILE.bed"],
    ["-r", "chr1", "-t", "chr1:500-900"],
    ["-r", "chr1:100-2000", "-T", "FILE.tsv"],
]


@pytest.mark.parametrize("name", ["in.vcf.gz", "in.bcf"])
@pytest.mark.parametrize("selection", SELECTIONS, ids=" ".join)
def test_selections_are_those_of_bcftools(score, small, tool, tmp_path, name, selection):
    (tmp_path / "FILE.bed").write_text("chr1\t299\t300\nchr1\t1000\t1700\nchr2\t0\t90\n")
    (tmp_path / "FILE.tsv").write_text("chr1\t300\t300\nchr1\t1495\t1800\nchr2\t75\t300\n")
    # The same files for both programs, which are run in different folders.
    given = [x.replace("FILE", str(tmp_path / "FILE")) for x in selection]
    wanted = tool("bcftools", "view", "-H", "--no-version", *given, small / name).stdout.decode()
    source = [line.split("\t") for line in wanted.splitlines()]
    assert 0 < len(source) < 63
    out = score("-q", *given, small / name, fasta=small / "g.fa").stdout
    assert [without_scores(record.columns) for record in parse_vcf(out)[1]] == source


def test_regions_come_in_the_order_of_the_file(score, small):
    """Once each, however the regions are ordered and overlap, so that the output stays sorted."""
    out = score(
        "-q", "-r", "chr2,chr1:400-900,chr1:1-500", small / "in.vcf.gz", fasta=small / "g.fa"
    )
    sites = [record.site for record in parse_vcf(out.stdout)[1]]
    same = score("-q", "-r", "chr1:1-900,chr2", small / "in.vcf.gz", fasta=small / "g.fa")
    assert sites == [record.site for record in parse_vcf(same.stdout)[1]]
    assert len(sites) == 34 and sites == sorted(sites, key=lambda site: site[:2])


def test_targets_need_no_index(score, small):
    raw = (small / "in.vcf").read_bytes()
    options = ("-q", "-t", "chr2:1-400", "-")
    done = score(*options, fasta=small / "g.fa", stdin=raw, text=False)
    sites = [record.site for record in parse_vcf(done.stdout.decode())[1]]
    assert [site[1] for site in sites] == [1, 76, 151, 226, 301, 376]


def test_all_columns_pass_through_untouched(score, demo):
    for source in (demo.edge_cases, demo.vcf):
        header, records = parse_vcf(source.read_text())
        found_header, found = parse_vcf(score("-q", source).stdout)
        assert_passes_through(records, found)
        # The header's lines too, in their order; ours come after them, the columns last.
        assert found_header[: len(header) - 1] == header[:-1]
        assert found_header[-1] == header[-1]


def test_header_says_where_the_scores_come_from(score, demo, test_data):
    done = score("-q", "--edge", "pad", "--score", "unmasked", demo.edge_cases)
    header = parse_vcf(done.stdout)[0]
    weights = (demo.small_model / "model.safetensors").read_bytes()
    lines = {line.split("=", 1)[0][2:]: line for line in header if line.startswith("##ssmgen_")}
    assert re.fullmatch(r"##ssmgen_version=\d+\.\d+\.\d+", lines["ssmgen_version"])
    command = lines["ssmgen_command"]
    assert command.startswith("##ssmgen_command=score --model ")
    assert command.endswith(f"-q --edge pad --score unmasked {demo.edge_cases}")
    assert f'ID="{demo.small_model.name}"' in lines["ssmgen_model"]
    assert f"SHA256={hashlib.sha256(weights).hexdigest()}>" in lines["ssmgen_model"]
    settings = lines["ssmgen_scores"]
    for part in ('Modes="unmasked"', "Window=64", "Edge=pad", "Dtype=f32", "Device=cpu"):
        assert part in settings
    assert lines["ssmgen_reference"] == '##ssmgen_reference=<ID="demo.fa">'
    contigs = [line for line in header if line.startswith("##ssmgen_contig=")]
    genome = read_fasta(demo.fasta)
    assert contigs == [
        f"##ssmgen_contig=<ID={name},Length={len(bases)},"
        f"M5={hashlib.md5(bases.upper().encode()).hexdigest()}>"
        for name, bases in genome.items()
    ]
    assert sum(line.startswith("##INFO=<ID=SSM_") for line in header) == 2


def test_a_second_run_adds_its_own_lines(score, demo, tmp_path, tool):
    """Two runs with two prefixes leave both provenances, told apart by the prefix."""
    first = tmp_path / "first.vcf"
    score("-q", "-o", first, demo.edge_cases)
    done = score("-q", "--tag-prefix", "OTHER", "--score", "unmasked", first)
    header, records = parse_vcf(done.stdout)
    assert sum(line.startswith("##ssmgen_scores=<ID=") for line in header) == 2
    assert all(("SSM_MASKED" in x.info) == ("OTHER_UNMASKED" in x.info) for x in records)
    (tmp_path / "second.vcf").write_text(done.stdout)
    assert b"ID=OTHER" in tool("bcftools", "view", "-h", tmp_path / "second.vcf").stdout


def test_no_version_leaves_out_version_and_command(score, demo):
    header = parse_vcf(score("-q", "--no-version", demo.edge_cases).stdout)[0]
    names = [line.split("=", 1)[0] for line in header if line.startswith("##ssmgen")]
    assert "##ssmgen_version" not in names and "##ssmgen_command" not in names
    assert "##ssmgen_model" in names and "##ssmgen_contig" in names


def test_overwrite_replaces_values_and_declarations(score, demo, tmp_path):
    scored = score("-q", "--no-version", demo.edge_cases, model=demo.small_model)
    old = tmp_path / "old.vcf"
    old.write_text(scored.stdout)
    again = score("-q", "--no-version", "--overwrite", "--edge", "pad", old, stdin="")
    header, records = parse_vcf(again.stdout)
    assert sum(line.startswith("##INFO=<ID=SSM_MASKED,") for line in header) == 1
    assert all(record.columns[7].count("SSM_MASKED=") <= 1 for record in records)
    fresh = score("-q", "--no-version", "--edge", "pad", demo.edge_cases)
    assert [x.columns for x in records] == [x.columns for x in parse_vcf(fresh.stdout)[1]]


def test_old_values_of_an_unscored_record_go_too(score, tool, tmp_path):
    """No value of an earlier run stays beside a reason of this one, nor the reverse."""
    contigs = {"c": random_bases(200, 3)}
    (tmp_path / "g.fa").write_text(fasta_text(contigs))
    lines = ['##INFO=<ID=SSM_MASKED,Number=1,Type=Integer,Description="old">',
             '##INFO=<ID=SSM_REASON,Number=1,Type=String,Description="old">']  # fmt: skip
    (_, at, ref, alt), *_ = snvs(contigs, 1)
    old = "SSM_REASON=old;SSM_MASKED=9"
    records = [("c", at, ref, alt, old), ("c", at, ref, "*", old), ("c", at, ref, ".", old)]
    (tmp_path / "in.vcf").write_text(vcf_text(records, contigs, lines))
    done = score("-q", "--overwrite", tmp_path / "in.vcf", fasta=tmp_path / "g.fa")
    header, found = parse_vcf(done.stdout)
    assert [sorted(record.info) for record in found] == [
        ["SSM_MASKED"],
        ["SSM_MASKED", "SSM_REASON"],
        [],
    ]
    assert found[1].info == {"SSM_MASKED": ".", "SSM_REASON": "star"}
    assert not any('"old"' in line for line in header)
    # The same from and to BCF, where the keys may stand in another order.
    tool("bcftools", "view", "-Ob", "-o", tmp_path / "in.bcf", tmp_path / "in.vcf")
    for source in ("in.vcf", "in.bcf"):
        score("-q", "--overwrite", "-o", "o.bcf", tmp_path / source, fasta=tmp_path / "g.fa")
        shown = tool("bcftools", "view", tmp_path / "o.bcf").stdout.decode()
        assert [record.info for record in parse_vcf(shown)[1]] == [x.info for x in found]


def test_one_value_and_one_reason_an_alt(score, tmp_path):
    contigs = {"c": random_bases(500, 4)}
    (tmp_path / "g.fa").write_text(fasta_text(contigs))
    bases = contigs["c"]
    long_ref = bases[100:130]
    base = bases[200]
    first, second = [letter for letter in "ACGT" if letter != base][:2]
    alts = [first, base + "TT", "*", "<DEL>", f"{base}[c:9[", f"{base}.", "N", "R", base, second]
    records = [
        ("c", 201, base, ",".join(alts)),
        ("c", 101, long_ref, long_ref[::-1]),
        ("c", 201, base, "."),
    ]
    (tmp_path / "in.vcf").write_text(vcf_text(records, contigs))
    done = score("-q", tmp_path / "in.vcf", fasta=tmp_path / "g.fa", window=32)
    mixed, long, none = parse_vcf(done.stdout)[1]
    assert mixed.info["SSM_REASON"].split(",") == [
        ".", "unsupported_kind", "star", "symbolic", "breakend", "breakend", "non_acgt", "non_acgt",
        "same_as_ref", ".",
    ]  # fmt: skip
    scored = [value is not None for value in mixed.values("SSM_MASKED")]
    assert scored == [True] + [False] * 8 + [True]
    assert long.info == {"SSM_MASKED": ".", "SSM_REASON": "too_long"}
    assert none.columns[7] == "."


def test_no_records_at_all(score, small, tmp_path, tool):
    (tmp_path / "in.vcf").write_text(vcf_text([], {"chr1": 3000}))
    for letter in OUTPUT_TYPES:
        out = tmp_path / f"out{SUFFIXES[letter]}"
        done = score("-O", letter, "-o", out, tmp_path / "in.vcf", fasta=small / "g.fa")
        assert "0 records with 0 ALT alleles" in done.stderr
        assert tool("bcftools", "view", "-H", out).stdout == b""
    assert not list(tmp_path.glob("*.part"))


def test_chr_prefixes_are_reconciled(score, small, tmp_path):
    """The names of the VCF stay; the scores are those of the contig that is meant."""
    expected = score("-q", small / "in.vcf", fasta=small / "g.fa").stdout
    text = (small / "in.vcf").read_text().replace("chr", "")
    (tmp_path / "in.vcf").write_text(text)
    done = score(tmp_path / "in.vcf", fasta=small / "g.fa")
    header, found = parse_vcf(done.stdout)
    assert done.stderr.count(f"contig 1 is chr1 of {small / 'g.fa'}, 2 is chr2\n") == 1
    assert [x.columns[7] for x in found] == [x.columns[7] for x in parse_vcf(expected)[1]]
    assert {x.site[0] for x in found} == {"1", "2"}
    bases = read_fasta(small / "g.fa")["chr1"]
    md5 = hashlib.md5(bases.encode()).hexdigest()
    assert f"##ssmgen_contig=<ID=1,Length=3000,M5={md5}>" in header


def test_undeclared_contigs_are_reconciled_and_declared(score, small, tmp_path, tool):
    """Without ##contig lines, too: it is said once, and the output is one that can be indexed."""
    records = snvs({"1": read_fasta(small / "g.fa")["chr1"]}, 5)
    (tmp_path / "in.vcf").write_text(vcf_text(records))
    out = tmp_path / "out.vcf.gz"
    done = score("-W", "-o", out, tmp_path / "in.vcf", fasta=small / "g.fa")
    assert done.stderr.count("contig 1 is chr1 of") == 1
    assert all("SSM_REASON" not in x.info for x in read_vcf(out)[1])
    assert tool("bcftools", "index", "-s", out).stdout.decode().split("\t")[::2] == ["1", "5\n"]


# -- files as tools and callers write them ---------------------------------------------------------


def check_with_bcftools(tool, path, count, fasta=None, mismatches=False):
    """bcftools view, index -s and norm -c e take the file."""
    shown = tool("bcftools", "view", "-H", "--no-version", path).stdout
    assert shown.count(b"\n") == count
    if path.suffix in (".gz", ".bcf") and kind_of(path.read_bytes()) in "zb":
        tool("bcftools", "index", "-f", path)
        stats = tool("bcftools", "index", "-s", path).stdout.decode()
        assert sum(int(line.split("\t")[2]) for line in stats.splitlines()) == count
    if fasta is None:
        return
    done = tool("bcftools", "norm", "-c", "e", "-f", fasta, path, exits=255 if mismatches else 0)
    if not mismatches:
        assert done.stdout.count(b"\n") > count


def score_on_every_type(score, tool, tmp_path, source, fasta, records, model, mismatches=False):
    """Scores on every output type; every column comes out byte for byte where it is text."""
    summaries = set()
    for letter in OUTPUT_TYPES:
        out = tmp_path / f"{letter}{SUFFIXES[letter]}"
        done = score("-O", letter, "-o", out, source, fasta=fasta, model=model)
        summaries.add(re.sub(r" in [0-9.]+ s.*", "", done.stderr))
        assert not out.with_name(out.name + ".part").exists()
        assert kind_of(out.read_bytes()) == letter
        check_with_bcftools(tool, out, len(records), fasta, mismatches)
        if letter in "vz":
            assert_passes_through(records, read_vcf(out)[1])
    assert len(summaries) == 1
    return read_vcf(tmp_path / "v.vcf")[1]


def test_demo_file_on_every_output_type(score, tool, tmp_path, demo):
    records = read_vcf(demo.vcf)[1]
    shutil.copyfile(demo.fasta, tmp_path / "demo.fa")
    found = score_on_every_type(
        score, tool, tmp_path, demo.vcf, tmp_path / "demo.fa", records, demo.small_model
    )
    assert all(len(record.values("SSM_MASKED")) == 1 for record in found)


def test_strelka_somatic_calls(score, tool, tmp_path, demo, shared_dir):
    folder = shared_dir / "data" / "strelka_demo"
    shutil.copyfile(folder / "demo20.fa", tmp_path / "demo20.fa")
    source = folder / "somatic.snvs.vcf.gz"
    records = read_vcf(source)[1]
    assert len(records) == 17
    found = score_on_every_type(
        score, tool, tmp_path, source, tmp_path / "demo20.fa", records, demo.model
    )
    assert all(record.values("SSM_MASKED")[0] is not None for record in found)


def test_mpileup_calls_with_reference_mismatches(score, tool, tmp_path, demo, shared_dir):
    folder = shared_dir / "data" / "mpileup"
    shutil.copyfile(folder / "mpileup.ref.fa", tmp_path / "ref.fa")
    source = folder / "mpileup.vcf"
    records = read_vcf(source)[1]
    assert len(records) == 4103
    before = tool("bcftools", "norm", "-c", "e", "-f", tmp_path / "ref.fa", source, exits=255)
    found = score_on_every_type(
        score, tool, tmp_path, source, tmp_path / "ref.fa", records, demo.small_model,
        mismatches=True,
    )  # fmt: skip
    after = tool("bcftools", "norm", "-c", "e", "-f", tmp_path / "ref.fa", tmp_path / "v.vcf",
                 exits=255)  # fmt: skip
    assert after.stderr == before.stderr
    reasons = {x for record in found for x in record.info.get("SSM_REASON", ".").split(",")}
    assert {"symbolic", "non_acgt", "ref_mismatch"} <= reasons
    for record in found:
        alts = record.site[3].split(",")
        values = record.values("SSM_MASKED")
        reasons = record.info.get("SSM_REASON", ",".join("." * len(alts))).split(",")
        assert len(values) == len(reasons) == len(alts)
        assert [value is None for value in values] == [reason != "." for reason in reasons]


def test_eqtl_variants_without_declared_contigs(score, tool, tmp_path, demo, shared_dir):
    genome = gzip.decompress((shared_dir / "data" / "hg38_chr1_1m.fa.gz").read_bytes())
    (tmp_path / "chr1.fa").write_bytes(genome)
    source = shared_dir / "data" / "chr1_eqtl.vcf"
    lines = source.read_text().splitlines()
    records = [line.split("\t") for line in lines if not line.startswith("#")]
    assert all(len(columns) == 7 for columns in records), "the file has no INFO column"
    for letter in OUTPUT_TYPES:
        out = tmp_path / f"{letter}{SUFFIXES[letter]}"
        done = score("-O", letter, "-o", out, source, fasta=tmp_path / "chr1.fa", model=demo.model)
        assert "8 records with 8 ALT alleles: 8 scored, 0 not" in done.stderr
        check_with_bcftools(tool, out, 8, tmp_path / "chr1.fa")
        if letter in "vz":
            assert [x.columns[:7] for x in read_vcf(out)[1]] == records


def test_bgzip_fasta_gives_the_same_scores(score, demo, tmp_path):
    (tmp_path / "demo.fa.gz").write_bytes(bgzf(demo.fasta.read_bytes(), 2000))
    outputs = []
    for fasta in (demo.fasta, tmp_path / "demo.fa.gz"):
        out = score("-q", "--no-version", demo.edge_cases, fasta=fasta).stdout
        outputs.append(out.replace("demo.fa.gz", "demo.fa"))
    assert outputs[0] == outputs[1]
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"demo.fa.gz", "demo.fa.gz.fai", "demo.fa.gz.gzi"}


def test_an_output_that_exists_is_replaced_at_the_end(score, demo, tmp_path):
    out = tmp_path / "out.vcf"
    out.write_text("an older result\n")
    score("-q", "-o", out, demo.edge_cases)
    assert len(read_vcf(out)[1]) == 43
    assert [path.name for path in tmp_path.iterdir()] == ["out.vcf"]
