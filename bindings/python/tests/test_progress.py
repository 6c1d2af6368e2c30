"""How far a run has come: callbacks, and bars of tqdm where they are wanted."""

import io
import sys

import numpy as np
import pytest

import ssmgen
from ssmgen import _progress

SEQUENCES = ["ACGTTGCAGC" * 40] * 300
VARIANTS = [("synth_main", pos, "C", "A") for pos in (900, 903, 908)]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """terminal(): standard error becomes one, on which every bar shows at once. It is called in
    the test's body, before which pytest puts a standard error of its own in place."""

    def begin():
        stream = Terminal()
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setattr(_progress, "_DELAY", 0.0)
        return stream

    return begin


def runs(model, data, tmp_path):
    """One call of each function that tells of its progress."""
    sam = tmp_path / "in.sam"
    sam.write_text("@SQ\tSN:c\tLN:9\n" + "r\t4\t*\t0\t0\t*\t*\t0\t0\tACGTACGT\t*\n" * 20)
    return {
        "embed": lambda **how: model.embed(SEQUENCES[:20], **how),
        "embed_regions": lambda **how: model.embed_regions(data.bed, data.fasta, **how),
        "embed_bam": lambda **how: ssmgen.embed_bam(model, sam, **how),
        "embed_files": lambda **how: ssmgen.embed_files(
            model, sam, tmp_path / "o.npy", pool="max", **how
        ),
        "score_variants": lambda **how: model.score_variants(
            VARIANTS, data.fasta, window=64, **how
        ),
        "score_vcf": lambda **how: ssmgen.score_vcf(
            model, data.edge_cases, data.fasta, tmp_path / "o.vcf", window=64, **how
        ),
    }


NAMES = ("embed", "embed_regions", "embed_bam", "embed_files", "score_variants", "score_vcf")


@pytest.mark.parametrize("name", NAMES)
def test_a_terminal_gets_a_bar(small, data, tmp_path, terminal, name):
    pytest.importorskip("tqdm")
    stderr = terminal()
    runs(small, data, tmp_path)[name]()
    assert name.replace("_regions", "") in stderr.getvalue() and "\r" in stderr.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_false_is_no_bar_and_a_callable_none_beside_it(small, data, tmp_path, terminal, name):
    run, told, stderr = runs(small, data, tmp_path)[name], [], terminal()
    run(progress=False)
    run(progress=told.append)
    assert stderr.getvalue() == "" and told
    assert all({"records", "seconds"} < set(step) for step in told)


def test_nothing_is_drawn_where_nobody_looks(small, capfd, monkeypatch):
    """A pipe, no standard error at all, no tqdm, and a run that is over at once."""
    pytest.importorskip("tqdm")
    small.embed(SEQUENCES[:20])
    monkeypatch.setattr(sys, "stderr", None)
    small.embed(SEQUENCES[:20])
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    small.embed("ACGT")
    with monkeypatch.context() as patch:
        patch.setattr(_progress, "_DELAY", 0.0)
        patch.setitem(sys.modules, "tqdm", None)
        small.embed(SEQUENCES[:20])
    assert stream.getvalue() == "" and capfd.readouterr().err == ""


def test_true_is_a_bar_in_a_pipe_too_or_says_what_is_missing(small, capfd, monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(_progress, "_DELAY", 0.0)
    small.embed(SEQUENCES[:20], progress=True)
    assert "embed" in capfd.readouterr().err
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(ImportError, match=r"pip install 'ssmgen\[tqdm\]'"):
        small.embed(SEQUENCES[:20], progress=True)


def test_a_bar_goes_to_its_end(small, monkeypatch):
    tqdm = pytest.importorskip("tqdm")
    bars = []

    class Bar(tqdm.tqdm):
        def __init__(self, **how):
            super().__init__(file=io.StringIO(), **how)
            bars.append(self)

    monkeypatch.setattr("tqdm.auto.tqdm", Bar)
    with _progress.telling(True, "x", "bases", "bases_total", "b") as told:
        told({"bases": 3, "bases_total": 10})
        told({"bases": 10, "bases_total": 10})
    assert (bars[0].n, bars[0].total, bars[0].disable) == (10, 10, True)  # closed
    with (
        pytest.raises(KeyError),
        _progress.telling(True, "x", "bases", "bases_total", "b") as told,
    ):
        told({"bases": 3, "bases_total": -1})
        raise KeyError
    assert (bars[1].total, bars[1].disable) == (None, True)


def test_what_is_neither_is_named(small):
    with pytest.raises(ValueError, match="progress: expected None, a bool or a callable, not 'x'"):
        small.embed("ACGT", progress="x")


def test_embed_tells_how_far_it_is_and_is_stopped_by_what_is_raised(small):
    told = []
    found = small.embed(SEQUENCES, progress=told.append, batch=4)
    assert np.isfinite(found).all() and told
    bases = [step["bases"] for step in told]
    assert bases == sorted(bases) and told[0]["bases_total"] == 300 * 400 >= bases[-1]

    def stop(step):
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        small.embed(SEQUENCES, progress=stop)
