"""`ssmgen embed` on SAM, BAM and CRAM, held to samtools."""

import http.server
import os
import random
import re
import shutil
import subprocess
import threading

import numpy as np
import pytest
from genome_files import fasta_text, random_bases

CONTIGS = {"c1": random_bases(2000, 11), "c:2": random_bases(500, 12)}
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


def sam_text(reference_url=None):
    """120 reads of several lengths, on both strands, of two read groups, some of them odd."""
    lines = ["@HD\tVN:1.6\tSO:coordinate"]
    for name, bases in CONTIGS.items():
        tail = f"\tUR:{reference_url}" if reference_url else ""
        lines.append(f"@SQ\tSN:{name}\tLN:{len(bases)}{tail}")
    lines += ["@RG\tID:g1\tSM:s", "@RG\tID:g2\tSM:s"]
    generator = random.Random(5)
    for contig, bases in CONTIGS.items():
        starts = sorted(generator.randrange(len(bases) - 120) for _ in range(60))
        for number, start in enumerate(starts):
            length = generator.choice([50, 75, 100])
            flag = generator.choice([0, 16, 99, 147, 0x400, 0x100])
            seq = bases[start : start + length]
            cigar = f"{length}M"
            if number == 7:
                seq, flag = "*", 0x100  # a secondary alignment often leaves its sequence out
            fields = [f"r{number}{contig[-1]}", flag, contig, start + 1, number, cigar, "*", 0, 0,
                      seq, "*", f"RG:Z:g{number % 2 + 1}"]  # fmt: skip
            lines.append("\t".join(map(str, fields)))
    lines.append("\t".join(["lost", "4", "*", "0", "0", "*", "*", "0", "0", "ACGTNACGT", "*"]))
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def reads(tmp_path_factory, tool):
    """A folder with in.sam, in.bam and in.cram of the same reads, indexed, and g.fa."""
    folder = tmp_path_factory.mktemp("reads")
    (folder / "g.fa").write_text(fasta_text(CONTIGS))
    (folder / "in.sam").write_text(sam_text())
    tool("samtools", "faidx", folder / "g.fa")
    tool("samtools", "view", "-b", "-o", folder / "in.bam", folder / "in.sam")
    tool("samtools", "view", "-C", "-T", folder / "g.fa", "-o", folder / "in.cram", folder / "in.sam")
    for name in ("in.bam", "in.cram"):
        tool("samtools", "index", folder / name)
    return folder


@pytest.fixture
def embed(ssmgen, demo, tmp_path):
    """embed(*arguments) -> (array, rows of the sidecar)."""

    def run(*arguments, out="out.npy", **how):
        given = ("--model", demo.small_model, "--pool", "mean", "-o", tmp_path / out)
        ssmgen("embed", *given, *arguments, **how)
        lines = [x.split("\t") for x in (tmp_path / f"{out}.tsv").read_text().splitlines()]
        return np.load(tmp_path / out), [dict(zip(lines[0], line)) for line in lines[1:]]

    return run


def samtools_view(tool, *arguments):
    lines = tool("samtools", "view", *arguments).stdout.decode().splitlines()
    return [line.split("\t") for line in lines]


def by_samtools(tool, *arguments):
    """What the sidecar should hold, by samtools; reads without a sequence are left out."""
    expected = []
    for fields in samtools_view(tool, *arguments):
        name, flag, contig, position, mapq = fields[:5]
        group = next((x[5:] for x in fields[11:] if x.startswith("RG:Z:")), ".")
        if fields[9] != "*":
            strand = "." if int(flag) & 4 else "-" if int(flag) & 16 else "+"
            contig = "." if contig == "*" else contig
            expected.append((name, contig, str(int(position) - 1), strand, flag, mapq, group))
    return expected


def told(rows):
    names = ("id", "contig", "begin", "strand", "flag", "mapq", "read_group")
    return [tuple(row[name] for name in names) for row in rows]


@pytest.mark.parametrize("name", ["in.sam", "in.bam", "in.cram"])
def test_every_read_has_a_row_in_the_order_of_the_file(embed, reads, tool, name):
    reference = ("--fasta", reads / "g.fa") if name == "in.cram" else ()
    array, rows = embed(*reference, reads / name)
    assert told(rows) == by_samtools(tool, "-T", reads / "g.fa", reads / name)
    assert len(rows) == 119 and array.shape[0] == 119
    assert rows[-1]["id"] == "lost" and rows[-1]["begin"] == "-1"
    ends = [int(row["end"]) - int(row["begin"]) for row in rows[:-1]]
    assert ends == [int(row["bases"]) for row in rows[:-1]]


@pytest.mark.parametrize(
    "options",
    [("-f", "16"), ("-F", "0x500"), ("-F", "SECONDARY,DUP"), ("-q", "30"),
     ("-f", "3", "-F", "16", "-q", "5"), ("-F", "4")],
    ids=" ".join,
)  # fmt: skip
def test_flags_and_mapping_quality_are_those_of_samtools(embed, reads, tool, options):
    _, rows = embed(*options, reads / "in.bam")
    expected = by_samtools(tool, *options, reads / "in.bam")
    assert told(rows) == expected and 0 < len(expected) < 119


@pytest.mark.parametrize("name", ["in.bam", "in.cram"])
@pytest.mark.parametrize(
    "region, samtools",
    [("c1:100-300", ["c1:100-300"]), ("{c:2}", ["{c:2}"]), ("c1:500", ["c1:500-500"]),
     ("c1:1900-", ["c1:1900-"]), ("c1:10-20,{c:2}:400-450", ["c1:10-20", "{c:2}:400-450"])],
)  # fmt: skip
def test_regions_are_those_of_samtools(embed, reads, tool, name, region, samtools):
    _, rows = embed("-r", region, "--fasta", reads / "g.fa", reads / name)
    assert told(rows) == by_samtools(tool, "-T", reads / "g.fa", reads / name, *samtools)


def test_overlapping_regions_give_each_read_once(embed, reads):
    _, rows = embed("-r", "c1:100-300,c1:200-400", "--window", 64, reads / "in.bam")
    names = [row["id"] for row in rows]
    assert len(set(names)) == len(names) > 0


def test_numbers_are_those_of_the_sequences(embed, ssmgen, demo, reads, tool, tmp_path):
    array, rows = embed(reads / "in.bam")
    sequences = {x[0]: x[9] for x in samtools_view(tool, reads / "in.bam") if x[9] != "*"}
    (tmp_path / "r.fa").write_text(fasta_text(sequences))
    alone, names = embed(tmp_path / "r.fa", out="alone.npy")
    assert [row["id"] for row in names] == [row["id"] for row in rows]
    assert np.array_equal(alone, array)


def test_reads_may_be_taken_as_the_machine_read_them(embed, reads, tool, tmp_path):
    array, rows = embed("--read-orientation", "sequenced", "--strand", "plus", reads / "in.bam")
    sequences = {}
    for fields in samtools_view(tool, reads / "in.bam"):
        bases = fields[9]
        reverse = int(fields[1]) & 16
        if bases != "*":
            sequences[fields[0]] = bases.translate(COMPLEMENT)[::-1] if reverse else bases
    (tmp_path / "r.fa").write_text(fasta_text(sequences))
    alone, _ = embed("--strand", "plus", tmp_path / "r.fa", out="alone.npy")
    assert np.array_equal(alone, array)
    as_stored, _ = embed("--strand", "plus", reads / "in.bam", out="stored.npy")
    forward = np.array([row["strand"] != "-" for row in rows])
    assert np.array_equal(as_stored[forward], array[forward])
    assert not np.array_equal(as_stored[~forward], array[~forward])


@pytest.mark.parametrize("name", ["in.sam", "in.bam"])
def test_a_stream_is_the_same(embed, reads, name):
    array, rows = embed(reads / name)
    piped, told_of = embed("-", stdin=(reads / name).read_bytes(), text=False, out="piped.npy")
    assert np.array_equal(array, piped) and rows == told_of


def test_the_summary_counts_reads_without_a_sequence(ssmgen, demo, reads):
    text = ssmgen("embed", "--model", demo.small_model, "--pool", "mean", reads / "in.bam").stderr
    assert "reads: 119 records" in text
    assert "ssmgen:   reads without a sequence, left out: 2\n" in text


# -- a CRAM's reference ----------------------------------------------------------------------------


@pytest.fixture
def server():
    """A web server that notes what it is asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    running.asked = asked
    running.url = f"http://127.0.0.1:{running.server_address[1]}"
    yield running
    running.shutdown()


def test_a_reference_is_never_fetched_over_the_network(ssmgen, demo, tool, server, tmp_path):
    (tmp_path / "g.fa").write_text(fasta_text(CONTIGS))
    (tmp_path / "in.sam").write_text(sam_text(f"{server.url}/g.fa"))
    cram = tmp_path / "in.cram"
    tool("samtools", "view", "-C", "-T", tmp_path / "g.fa", "-o", cram, tmp_path / "in.sam")
    # samtools writes the path of its -T into UR; the file is to name the server alone.
    header = tool("samtools", "view", "-H", cram).stdout.decode()
    kept = [x for x in header.replace(str(tmp_path / "g.fa"), f"{server.url}/g.fa").splitlines()]
    (tmp_path / "header.sam").write_text("\n".join(kept) + "\n")
    cram.write_bytes(tool("samtools", "reheader", tmp_path / "header.sam", cram).stdout)
    assert f"UR:{server.url}" in tool("samtools", "view", "-H", cram).stdout.decode()
    (tmp_path / "g.fa").rename(tmp_path / "hidden.fa")
    environment = {"REF_PATH": f"{server.url}/%s", "REF_CACHE": "", "HOME": str(tmp_path),
                   "XDG_CACHE_HOME": str(tmp_path / "cache")}  # fmt: skip
    shown = subprocess.run(
        ["samtools", "view", str(cram)], env={**os.environ, **environment}, capture_output=True
    )
    assert shown.returncode != 0 and server.asked, "samtools asks, so there is something to forbid"
    server.asked.clear()
    options = ("--model", demo.small_model, "--pool", "mean", cram)
    for path in (environment["REF_PATH"], ""):
        done = ssmgen("embed", *options, exits=1, env={**environment, "REF_PATH": path})
        assert "give the FASTA it was made with by --fasta" in done.stderr
    assert server.asked == []
    ssmgen("embed", "--fasta", tmp_path / "hidden.fa", *options, env=environment)
    assert server.asked == []


def test_another_reference_is_told(ssmgen, demo, reads, tmp_path):
    other = {name: random_bases(len(bases), 99) for name, bases in CONTIGS.items()}
    (tmp_path / "o.fa").write_text(fasta_text(other))
    options = ("--model", demo.small_model, "--pool", "mean", "--fasta", tmp_path / "o.fa")
    done = ssmgen("embed", *options, reads / "in.cram", exits=1)
    assert "is " in done.stderr and "o.fa the FASTA it was made with?" in done.stderr


# -- public data -----------------------------------------------------------------------------------


def test_a_cram_gives_what_its_bam_gives(embed, shared_dir):
    folder = shared_dir / "data" / "mpileup"
    array, rows = embed(folder / "indel-AD.1.bam")
    options = ("--fasta", folder / "indel-AD.1.fa", folder / "indel-AD.1.cram")
    of_cram, rows_of_cram = embed(*options, out="cram.npy")
    assert len(rows) == 153 and rows == rows_of_cram
    assert np.array_equal(array, of_cram)


def test_reads_of_a_human_region(embed, shared_dir, tool):
    bam = shared_dir / "data" / "strelka_demo" / "NA12891_demo20.bam"
    options = ("-F", "0x904", "-q", "20", "-r", "demo20:1000-1200")
    array, rows = embed(*options, bam)
    expected = by_samtools(tool, *options[:4], bam, "demo20:1000-1200")
    assert told(rows) == expected and len(rows) > 10
    assert array.shape == (len(rows), 48) and np.isfinite(array).all()


# -- bad input -------------------------------------------------------------------------------------


def copied(reads, name, folder):
    return shutil.copy(reads / name, folder / name)


@pytest.mark.parametrize(
    "name, arguments, exits, says",
    [
        ("in.bam", ("-r", "c1:1-5"), 1, "in.bam: -r needs an index beside it: .*samtools index"),
        ("in.bam", ("-r", "c9"), 2, "-r: contig c9 is not in the header of .*in.bam, whose first is c1"),
        ("in.bam", ("-r", "c1:x"), 2, "-r: expected chr"),
        ("in.bam", ("-F", "MAPPED"), 2, "-F: expected flags as samtools takes them.*'MAPPED'"),
        ("in.bam", ("-f", "0x10000"), 2, "-f: expected flags"),
        ("in.bam", ("-q", "300"), 2, "-q must be 0 to 255"),
        ("in.bam", ("--read-orientation", "up"), 2, "reference or sequenced"),
        ("g.fa", ("-q", "20"), 2, "-q is for SAM, BAM and CRAM files"),
        ("g.fa", ("-r", "c1"), 2, "-r is for SAM, BAM and CRAM files"),
        ("in.cram", ("--fasta", "none.fa"), 1, "none.fa: cannot be used as a CRAM's reference"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told(ssmgen, demo, reads, tmp_path, name, arguments, exits, says):
    copied(reads, name, tmp_path)
    options = ("--model", demo.small_model, "--pool", "mean", "-o", "out.npy")
    done = ssmgen("embed", *options, *arguments, name, exits=exits)
    assert re.search(says, done.stderr), done.stderr
    assert done.stderr.startswith("ssmgen: ")
    assert not (tmp_path / "out.npy").exists()


@pytest.mark.parametrize("name", ["in.bam", "in.cram"])
@pytest.mark.parametrize("cut", [-20, -28, -300, 400])
def test_a_truncated_file_is_an_error(ssmgen, demo, reads, tmp_path, name, cut):
    whole = (reads / name).read_bytes()
    (tmp_path / name).write_bytes(whole[:cut])
    options = ("--model", demo.small_model, "--pool", "mean", "--fasta", reads / "g.fa")
    done = ssmgen("embed", *options, "-o", "out.npy", name, exits=1)
    assert "truncated" in done.stderr and "download the file again" in done.stderr
    assert not (tmp_path / "out.npy").exists()


def test_a_truncated_stream_is_an_error(ssmgen, demo, reads, tmp_path):
    whole = (reads / "in.bam").read_bytes()
    for cut in (-28, -200):
        options = ("--model", demo.small_model, "--pool", "mean", "-o", "out.npy", "-")
        done = ssmgen("embed", *options, stdin=whole[:cut], text=False, exits=1)
        assert b"truncated" in done.stderr or b"is cut" in done.stderr
        assert not (tmp_path / "out.npy").exists()
