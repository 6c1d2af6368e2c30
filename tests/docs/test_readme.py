"""The README's examples, run; what it prints must be what the command prints.

Every fenced `sh` block is run by bash in a copy of the data it needs, every `python` and `r` block by
Python and R where the package is built, one after another, since a later one may read what an earlier one
wrote; a `text` block that follows it is what it prints, both
streams together. They are compared line by line with runs of blanks taken as one. Numbers with a
point or an exponent may differ by TOLERANCE, since processors differ in the last digits; whole
numbers may not. Left out of the comparison: times ("10.5 s"), rates ("29.8 windows/s"), the lines
of progress that a run of over a minute prints, and where the project lies, which the README calls
~/ssmgen. Blocks that call make are not run: they would build and test the project inside its own
test; that they are the two targets of the Makefile is checked.
"""

import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

import pytest

SOURCE_DIR = pathlib.Path(__file__).resolve().parents[2]
README = SOURCE_DIR / "README.md"
DATA = ["models", "genome", "variants", "golden"]
TOLERANCE = 1e-4  # of a score, absolute, or relative where it is above 1

TIME = re.compile(r"\b\d+\.\d+ s\b")
RATE = re.compile(r"[\d.,]+ (windows|records|bases)/s")
PROGRESS = re.compile(r"^ssmgen: (\[.*\].*% +)?[\d,]+ records, \S+/s")
# A number that stands alone: not part of a name, a version or a hash.
NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.])")


@dataclass
class Block:
    language: str
    text: str
    line: int


@dataclass
class Example:
    command: Block
    expected: Block | None

    @property
    def name(self):
        return f"README.md line {self.command.line}"


def fenced_blocks(text):
    blocks, language = [], None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("```"):
            if language is not None:
                blocks[-1].text += line + "\n"
        elif language is None:
            language = line[3:].strip()
            blocks.append(Block(language, "", number + 1))
        else:
            language = None
    assert language is None, "a fenced block is not closed"
    return blocks


def is_run(block):
    if block.language in ("python", "r"):
        return True
    return block.language == "sh" and not is_make(block)


def is_make(block):
    return all(line.startswith("make ") for line in block.text.splitlines())


def examples(blocks):
    found = []
    for block in blocks:
        if is_run(block):
            found.append(Example(block, None))
        elif block.language == "text":
            assert found and found[-1].expected is None, (
                f"README.md line {block.line}: this output follows no command"
            )
            found[-1].expected = block
    return found


def differences(expected, printed):
    """What differs, a text a line; empty when nothing does."""

    def lines(text):
        kept = [line for line in text.splitlines() if not PROGRESS.match(line)]
        return [" ".join(RATE.sub("RATE", TIME.sub("TIME", line)).split()) for line in kept]

    def close(a, b):
        if not set(a + b) & set(".eE"):
            return a == b
        return abs(float(a) - float(b)) <= TOLERANCE * max(1.0, abs(float(a)))

    wanted, got = lines(expected), lines(printed)
    found = [] if len(wanted) == len(got) else [f"{len(wanted)} lines expected, {len(got)} printed"]
    for a, b in zip(wanted, got):
        same_words = NUMBER.sub("#", a) == NUMBER.sub("#", b)
        if not same_words or not all(map(close, NUMBER.findall(a), NUMBER.findall(b))):
            found.append(f"expected: {a}\n printed: {b}")
    return found


BLOCKS = fenced_blocks(README.read_text())
EXAMPLES = examples(BLOCKS)


@pytest.fixture(scope="module")
def printed(ssmgen_path, tmp_path_factory):
    """What each example printed, by its line in the README."""
    home = tmp_path_factory.mktemp("readme") / "ssmgen"
    (home / "build" / "bin").mkdir(parents=True)
    shutil.copy2(ssmgen_path, home / "build" / "bin" / "ssmgen")
    for folder in DATA:
        shutil.copytree(SOURCE_DIR / "test_data" / folder, home / "test_data" / folder)
    outputs = {}
    for example in EXAMPLES:
        program = ["bash", "-euo", "pipefail", "-c"]
        if example.command.language == "python":
            if importlib.util.find_spec("ssmgen") is None:
                continue  # a sanitized build has no package
            program = [sys.executable, "-c"]
        elif example.command.language == "r":
            if not os.environ.get("R_LIBS") or shutil.which("Rscript") is None:
                continue
            program = ["Rscript", "--vanilla", "-e"]
        done = subprocess.run(
            [*program, example.command.text],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=home,
            env={**os.environ, "LC_ALL": "C"},
            timeout=600,
        )
        assert done.returncode == 0, f"{example.name}: exit {done.returncode}\n{done.stdout}"
        outputs[example.command.line] = done.stdout.replace(str(home), "~/ssmgen")
    return outputs


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"line{example.command.line}")
def test_example_prints_what_the_readme_shows(example, printed):
    if example.command.line not in printed:
        pytest.skip(f"the package for {example.command.language} is not part of this build")
    if example.expected is None:
        return  # that it ran is all there is to see
    found = differences(example.expected.text, printed[example.command.line])
    assert not found, f"{example.name}:\n" + "\n".join(found)


def test_the_commands_have_examples():
    commands = "".join(example.command.text for example in EXAMPLES)
    for name in ("score", "embed", "track", "info", "selftest"):
        assert f"build/bin/ssmgen {name}" in commands


def test_the_two_make_commands_come_first():
    first = next(block for block in BLOCKS if block.language == "sh")
    assert first.text.splitlines() == ["make demo", "make check"]
    makefile = (SOURCE_DIR / "Makefile").read_text()
    assert re.search(r"^demo:", makefile, re.M) and re.search(r"^check:", makefile, re.M)


def test_the_program_is_the_one_that_is_built_against_the_install_tree():
    programs = [block.text for block in BLOCKS if block.language == "cpp"]
    assert programs == [(SOURCE_DIR / "tests" / "install" / "consumer" / "main.cpp").read_text()]


def test_every_reason_is_explained():
    header = (SOURCE_DIR / "libssmgen/src/genome/allele.cpp").read_text()
    names = re.search(r"reason_name\(.*?\n}\n", header, re.S).group()
    # `edge` belongs to modes that this version does not have.
    reasons = set(re.findall(r'return "(\w+)";', names)) - {"unknown", "edge"}
    section = README.read_text().split("| `SSM_REASON` |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.M)) == reasons


def test_every_folder_of_the_map_exists():
    section = README.read_text().split("## Folders")[1].split("## ")[0]
    folders = re.findall(r"^\| `(\w+)/` \|", section, re.M)
    assert folders and all((SOURCE_DIR / folder).is_dir() for folder in folders)


@pytest.mark.parametrize(
    "line, other, same",
    [
        ("SSM_MASKED=-1.173", "SSM_MASKED=-1.17302", True),
        ("SSM_MASKED=-1.173", "SSM_MASKED=-1.175", False),
        ("SSM_MASKED=-1.173", "SSM_MASKED=.", False),
        ("SSM_MASKED=0.3,.,1.5", "SSM_MASKED=0.3,.,1.6", False),
        ("312 windows in 10.5 s (29.8 windows/s)", "312 windows in 7.0 s (1,044.6 windows/s)", True),
        ("312 windows in 10.5 s", "313 windows in 10.5 s", False),
        ("logits   1.8e-05   5.0e-06  PASS", "logits   2.1e-05   5.0e-06  PASS", True),
        ("logits   1.8e-05   5.0e-06  PASS", "logits   2.1e-05   5.0e-06  FAIL", False),
        ("SHA256=3140bbb0", "SHA256=3140bbb1", False),
        ("version 0.1.0", "version 0.1.1", False),
        ("a\nb", "a", False),
        ("a", "ssmgen: 1,200 records, 19.4/s\na", True),
    ],
)
def test_the_comparison_sees_what_it_should(line, other, same):
    assert (differences(line, other) == []) == same
