"""What a run says on stderr, and what it leaves when it is stopped in the middle."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time

import pytest
from genome_files import bgzf, fasta_text, random_bases, snvs, vcf_text

CONTIGS = {"c": random_bases(40000, 31)}


@pytest.fixture(scope="module")
def long_run(ssmgen_path, demo, tmp_path_factory):
    """long_run(output, *options): a command line that takes many seconds."""
    folder = tmp_path_factory.mktemp("long")
    (folder / "g.fa").write_text(fasta_text(CONTIGS))
    # In many small blocks, so that how much was read can be told.
    text = vcf_text(snvs(CONTIGS, 20000), CONTIGS).encode()
    (folder / "in.vcf.gz").write_bytes(bgzf(text, 2000))

    def command(output, *options, window=64):
        given = ["--model", demo.model, "--fasta", folder / "g.fa", "--window", window, *options]
        return [str(x) for x in (ssmgen_path, "score", *given, "-o", output, folder / "in.vcf.gz")]

    return command


@pytest.fixture
def short_run(score, demo):
    def run(*options, **how):
        return score(*options, demo.edge_cases, **how)

    return run


def on_a_terminal(command, is_enough, seconds=60, columns=200):
    """Runs the command with stderr on a terminal until enough was written, and interrupts it."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    os.set_blocking(ours, False)
    written, end = b"", time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None and not is_enough(written):
        time.sleep(0.05)
        try:
            written += os.read(ours, 65536)
        except BlockingIOError:
            pass
        except OSError:  # the other end is closed
            break
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    process.wait(30)
    os.close(ours)
    return written.decode()


def lines_drawn(count):
    """Enough once so many lines were drawn; the last one may be cut, so it is not looked at."""
    return lambda written: written.count(b"\r\033[K") > count


def test_a_terminal_shows_records_rate_and_time_left(long_run, tmp_path):
    written = on_a_terminal(long_run(tmp_path / "out.vcf", "--batch", 32), lines_drawn(6))
    lines = written.split("\r\033[K")[1:-1]
    assert len(lines) >= 6
    pattern = re.compile(
        r"\[=* *\] +(\d+) %  ([\d,]+) records, [\d.,]+/s(, (\d+:\d\d:\d\d) left)?$"
    )
    found = [pattern.match(line) for line in lines]
    assert all(found), lines
    records = [int(match[2].replace(",", "")) for match in found]
    assert records == sorted(records) and records[-1] > records[0]
    assert found[-1][4] is not None, "no time left in the last line"
    done = [int(match[1]) for match in found]
    assert done == sorted(done) and done[-1] < 100


def test_the_share_done_fits_the_records_written(long_run, tmp_path):
    """The file is read in blocks ahead of the records; the bar must not run ahead with it."""
    command = long_run(tmp_path / "out.vcf", "--batch", 1000, window=16)
    written = on_a_terminal(command, lines_drawn(4))
    shown = re.findall(r"(\d+) %  ([\d,]+) records", written)
    for share, records in shown:
        assert abs(int(share) - int(records.replace(",", "")) / 200) <= 1.5
    assert int(shown[-1][0]) >= 5


def test_quiet_shows_nothing_on_a_terminal(long_run, tmp_path):
    command = long_run(tmp_path / "out.vcf", "-q")
    assert on_a_terminal(command, lambda written: False, seconds=1.5) == ""


def test_no_progress_where_there_is_no_terminal(long_run, tmp_path):
    process = subprocess.Popen(
        long_run(tmp_path / "out.vcf"), stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    time.sleep(1.5)
    process.terminate()
    out, err = process.communicate(timeout=30)
    assert out == b"" and err == b""


def test_the_summary_counts_every_allele_once(short_run):
    lines = short_run().stderr.splitlines()
    assert "ssmgen: 43 records with 48 ALT alleles: 25 scored, 23 not" in lines
    reasons = dict(
        re.findall(r"^ssmgen:   not scored, (\w+): (\d+)$", "\n".join(lines), re.MULTILINE)
    )
    assert sum(map(int, reasons.values())) == 23
    assert reasons["ref_mismatch"] == "3" and reasons["no_contig"] == "2"
    assert re.fullmatch(r"ssmgen: \d+ windows in [\d.]+ s \([\d.]+ windows/s\)", lines[-1])


def test_quiet_leaves_warnings_alone(short_run):
    lines = short_run("-q").stderr.splitlines()
    assert lines and all(line.startswith("ssmgen: warning: ") for line in lines)
    assert short_run("-q", "-t", "synth_main:900-1500").stderr == ""


def test_only_the_first_mismatches_are_told(score, tmp_path):
    contigs = {"c": random_bases(2000, 8)}
    (tmp_path / "g.fa").write_text(fasta_text(contigs))
    records = snvs(contigs, 50)
    for i in range(0, 40, 2):
        contig, position, ref, alt = records[i]
        records[i] = (contig, position, alt, ref)
    (tmp_path / "in.vcf").write_text(vcf_text(records, contigs))
    done = score(tmp_path / "in.vcf", fasta=tmp_path / "g.fa")
    assert done.stderr.count("warning: ") == 5
    assert "further ones are counted only" in done.stderr
    assert "not scored, ref_mismatch: 20" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL, signal.SIGHUP])
@pytest.mark.parametrize("name", ["out.vcf", "out.vcf.gz", "out.bcf"])
def test_a_stopped_run_leaves_no_finished_looking_file(long_run, tmp_path, number, name):
    out = tmp_path / name
    process = subprocess.Popen(
        long_run(out, "-W") if name != "out.vcf" else long_run(out),
        stderr=subprocess.DEVNULL,
    )
    part = out.with_name(name + ".part")
    end = time.monotonic() + 30
    while not part.exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert part.exists()
    time.sleep(0.3)
    process.send_signal(number)
    assert process.wait(30) != 0
    assert {path.name for path in tmp_path.iterdir()} <= {part.name}


def test_a_stopped_run_leaves_the_older_result(long_run, tmp_path):
    out = tmp_path / "out.vcf"
    out.write_text("an older result\n")
    process = subprocess.Popen(long_run(out), stderr=subprocess.DEVNULL)
    time.sleep(1)
    process.terminate()
    assert process.wait(30) != 0
    assert out.read_text() == "an older result\n"


def test_a_reader_that_leaves_ends_the_run(long_run):
    """`ssmgen score ... | head` must not go on for hours."""
    process = subprocess.Popen(
        long_run("-", "--batch", 8, window=16), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout.readline() == b"##fileformat=VCFv4.2\n"
    process.stdout.close()
    assert process.wait(60) != 0
    process.stderr.close()


@pytest.mark.parametrize("closed, says", [
    (0, "standard input: cannot be read"),
    (1, "standard output: writing failed"),
])  # fmt: skip
def test_a_closed_standard_stream_is_not_mistaken_for_a_file(ssmgen_path, demo, closed, says):
    """The next file that is opened would get its number, and be read or written in its place."""
    options = ["--model", demo.small_model, "--fasta", demo.fasta, "--window", 16]
    source = [] if closed == 0 else [demo.edge_cases]
    done = subprocess.run(
        [str(x) for x in (ssmgen_path, "score", *options, *source)],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.close(closed),
    )
    assert done.returncode == 1 and says in done.stderr


@pytest.mark.parametrize("command, output", [("embed", "out.npy"), ("track", "out.bw")])
def test_embed_and_track_show_bases_rate_and_time_left(ssmgen_path, demo, tmp_path, command, output):
    (tmp_path / "g.fa").write_text(fasta_text(CONTIGS))
    options = ["--model", demo.model, "--window", 128, "--stride", 32, "-o", tmp_path / output]
    given = [str(x) for x in (ssmgen_path, command, *options, tmp_path / "g.fa")]
    written = on_a_terminal(given, lines_drawn(6))
    assert written.startswith("ssmgen: FASTA: 1 records, 40,000 bases, 1,247 windows of up to 128")
    lines = written.split("\r\033[K")[1:-1]
    pattern = re.compile(
        r"\[=* *\] +(\d+) %  [01] records read, ([\d,]+) bases, [\d,]+/s(, (\d+:\d\d:\d\d) left)?$"
    )
    found = [pattern.match(line) for line in lines]
    assert all(found), lines
    bases = [int(match[2].replace(",", "")) for match in found]
    assert bases == sorted(bases) and 0 < bases[-1] < 40000
    for match, count in zip(found, bases):
        assert abs(int(match[1]) - count / 400) <= 1
