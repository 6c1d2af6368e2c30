"""R at a terminal, as a user has it: the bar comes unasked, and Ctrl-C gives the prompt back."""

import shutil
import time

import pexpect
import pytest

PROMPT = "ready> "


@pytest.fixture
def terminal():
    if shutil.which("R") is None:
        pytest.skip("R is not installed")
    # A generous timeout: it is how long a busy machine may take, not how long R should.
    options = ["--vanilla", "--quiet", "--no-readline"]
    opened = pexpect.spawn("R", options, encoding="utf-8", timeout=120, echo=False)
    yield opened
    opened.close(force=True)


def ask(terminal, line):
    """What R says to a line, up to the next prompt."""
    terminal.sendline(line)
    terminal.expect_exact(PROMPT)
    return terminal.before


def test_a_bar_comes_unasked_and_control_c_ends_the_call(terminal):
    # In two pieces, since R may write the line again.
    ask(terminal, 'options(prompt = paste0("ready", "> "))')
    ask(terminal, "suppressPackageStartupMessages(library(ssmgen))")
    ask(terminal, 'path <- system.file("extdata", "ecoli-caduceus-ps", package = "ssmgen")')
    ask(terminal, "model <- loadModel(path)")
    ask(terminal, 'reads <- rep(strrep("ACGTTGCA", 64), 50000)')

    terminal.sendline("states <- embedSequences(model, reads)")
    terminal.expect(r"\|=* +\| +\d+%")
    asked = time.monotonic()
    terminal.sendintr()
    terminal.expect_exact(PROMPT)
    assert "100%" not in terminal.before
    # Within one, where nothing else runs.
    assert time.monotonic() - asked < 10

    assert "FALSE" in ask(terminal, 'exists("states")')
    # The session and the model are as good as before.
    assert "1 128" in ask(terminal, 'dim(embedSequences(model, "ACGT", progress = FALSE))')
    assert "100%" in ask(terminal, 'states <- embedSequences(model, "ACGT")')
    assert "%" not in ask(terminal, 'states <- embedSequences(model, "ACGT", progress = FALSE)')
