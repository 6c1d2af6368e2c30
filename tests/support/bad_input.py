"""A bench for bad inputs: a folder to make one in, a run of the command, what holds after it."""

import contextlib
import os
import pathlib
import subprocess
from dataclasses import dataclass, field

from genome_files import copy_model, fasta_text, random_bases, snvs, vcf_text
from vcf_text import read_vcf

TEST_DATA = pathlib.Path(__file__).resolve().parent.parent.parent / "test_data"
MODEL = TEST_DATA / "golden" / "caduceus_ps"
CONTIGS = {"chr1": random_bases(3000, 21), "chr2": random_bases(800, 22)}
OLD_OUTPUT = "what an earlier run wrote\n"


class Bench:
    """A folder with a genome, and ways to put bad things beside it."""

    def __init__(self, folder, stack):
        self.folder = folder
        self.stack = stack
        self.fasta = self.write("g.fa", fasta_text(CONTIGS))

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def vcf(self, records=None, contigs=CONTIGS, name="in.vcf", **more):
        records = snvs(CONTIGS, 6) if records is None else records
        return self.write(name, vcf_text(records, contigs, **more))

    def mounted(self, options):
        """A folder on a small file system of its own; None where nobody may mount."""
        path = self.folder / "mounted"
        path.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)]
        if subprocess.run(command, capture_output=True).returncode != 0:
            return None
        self.stack.callback(subprocess.run, ["umount", str(path)], check=True)
        return path

    def unwritable_folder(self):
        """Permissions do not bind root, a file system that is read only does."""
        if os.geteuid() == 0:
            return self.mounted("size=64k,ro") or pathlib.Path("/proc")
        path = self.folder / "unwritable"
        path.mkdir(mode=0o555)
        return path

    def full_place(self):
        """An output that more than 64 kB do not fit into."""
        path = self.mounted("size=64k")
        return pathlib.Path("/dev/full") if path is None else path / "out.vcf"

    def model(self, **edits):
        return copy_model(MODEL, self.folder / "model", **edits)


@dataclass
class Case:
    name: str
    make: object  # takes a Bench; returns what is not as usual, as keywords of `run`
    exits: int
    says: list = field(default_factory=list)  # on stderr, as regular expressions
    reasons: list = None  # of the ALTs that come out, "." for a score; None: not looked at
    completes: bool = False  # the output is there although the exit code is not 0


@dataclass
class Result:
    code: int
    stdout: bytes
    message: str
    output: pathlib.Path


def run_case(case, folder, command, old_output):
    """Runs one case in an empty folder, with or without a file under the output's name."""
    with contextlib.ExitStack() as stack:
        bench = Bench(folder, stack)
        given = {
            "options": [],
            "fasta": bench.fasta,
            "model": MODEL,
            "window": 64,
            "output": folder / "out.vcf",
            "stdin": b"",
        }
        made = case.make(bench)
        given |= made if isinstance(made, dict) else {"input": made}
        output = pathlib.Path(given["output"])
        if old_output and output == folder / "out.vcf":
            output.write_text(OLD_OUTPUT)
        before = content_of(output)
        arguments = ["score", *given["options"], "-o", given["output"]]
        for name in ("model", "fasta", "window"):
            arguments += [f"--{name}", given[name]]
        if "input" in given:
            arguments.append(given["input"])
        done = subprocess.run(
            [str(x) for x in given.get("arguments", [command, *arguments])],
            input=given["stdin"],
            capture_output=True,
            env={**os.environ, "LC_ALL": "C"},
            cwd=folder,
            timeout=120,
        )
        result = Result(done.returncode, done.stdout, done.stderr.decode(), output)
        check_output(case, result, before)
        return result


def content_of(path):
    return path.read_bytes() if path.is_file() else None


def check_output(case, result, before):
    """Nothing half done stands under the output's own name, nor on stdout."""
    assert result.code >= 0, f"died by signal {-result.code}\n{result.message}"
    assert result.stdout == b""
    if result.code != 0 and not case.completes:
        assert content_of(result.output) == before
        return
    assert not result.output.with_name(result.output.name + ".part").exists()
    if case.reasons is not None:
        records = read_vcf(result.output)[1]
        # A record without a reason has a score for each of its ALTs, one with "." as its ALT none.
        reasons = [
            x.info.get("SSM_REASON", ",".join("." for _ in x.values("SSM_MASKED")))
            for x in records
            if x.site[3] != "."
        ]
        assert reasons == case.reasons
