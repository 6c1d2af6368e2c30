"""Model.causal(): pieces are the whole, states go to bytes and back, foreign ones are refused."""

import os
import struct
import subprocess
import sys

import numpy as np
import pytest

import ssmgen

BORDER = ssmgen.CausalState.border
IDS = np.random.default_rng(11).integers(7, 11, 4 * BORDER + 333).astype(np.int32)
PIECES = ([BORDER] * 4 + [333], [3 * BORDER, BORDER, 333], [2 * BORDER, 2 * BORDER + 333])


@pytest.fixture(scope="module")
def causal(data):
    return ssmgen.load(data.causal)


@pytest.fixture(scope="module")
def whole(causal):
    return causal.logits(IDS)


def cut(sequence, lengths):
    ends = np.cumsum(lengths)
    return [sequence[end - length : end] for end, length in zip(ends, lengths)]


@pytest.mark.parametrize("lengths", PIECES, ids=str)
def test_pieces_have_the_bits_of_the_whole(causal, whole, lengths):
    state = causal.causal()
    parts = [state.feed(piece) for piece in cut(IDS, lengths)]
    assert [part.shape[0] for part in parts] == lengths and state.position == len(IDS)
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_hidden_states_are_those_of_embed(causal):
    """The last layer of plus: what embed() gives of the whole sequence."""
    letters = "".join("ACGT"[i - 7] for i in IDS)
    expected = causal.embed(letters, pool="none", strand="plus", whole=True)
    state = causal.causal()
    found = [state.feed(piece, output="hidden") for piece in cut(letters, PIECES[1])]
    assert np.concatenate(found).tobytes() == np.ascontiguousarray(expected).tobytes()


def test_a_state_goes_to_bytes_and_back(causal, whole, data):
    state = causal.causal()
    state.feed(IDS[: 2 * BORDER])
    saved = state.state()
    assert isinstance(saved, bytes) and saved == state.state()
    first = state.feed(IDS[2 * BORDER :])
    other = ssmgen.load(data.causal, threads=1).causal()
    other.resume(saved)
    assert other.position == 2 * BORDER
    assert other.feed(IDS[2 * BORDER :]).tobytes() == first.tobytes()
    assert first.tobytes() == whole[2 * BORDER :].tobytes()
    state.resume(saved)  # back from the sequence's end
    assert state.feed(IDS[2 * BORDER : 3 * BORDER]).tobytes() == first[:BORDER].tobytes()


def test_a_state_goes_to_another_process(causal, whole, data, tmp_path):
    state = causal.causal()
    state.feed(IDS[:BORDER])
    (tmp_path / "state").write_bytes(state.state())
    np.save(tmp_path / "ids.npy", IDS[BORDER:])
    code = f"""
import numpy as np, pathlib, ssmgen
folder = pathlib.Path({str(tmp_path)!r})
state = ssmgen.load({str(data.causal)!r}).causal()
state.resume((folder / "state").read_bytes())
np.save(folder / "out.npy", state.feed(np.load(folder / "ids.npy")))
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    assert np.load(tmp_path / "out.npy").tobytes() == whole[BORDER:].tobytes()


def damaged(saved):
    middle = len(saved) // 2
    return saved[:middle] + bytes([saved[middle] ^ 1]) + saved[middle + 1 :]


def newer(saved):
    at = len(b"ssmgen causal state\n")
    return saved[:at] + struct.pack("<I", 2) + saved[at + 4 :]


@pytest.mark.parametrize(
    "change, word",
    [
        (damaged, "damaged"),
        (newer, "version 2 was given; this ssmgen reads version 1"),
        (lambda saved: saved[:-1], "holds"),
        (lambda saved: saved[:30], "cut"),
        (lambda saved: b"", "no causal state"),
        (lambda saved: b"PK" + saved[2:], "no causal state"),
    ],
)
def test_bad_bytes_are_a_format_error_and_move_nothing(causal, whole, change, word):
    state = causal.causal()
    state.feed(IDS[:BORDER])
    with pytest.raises(ssmgen.FormatError, match=word):
        state.resume(change(state.state()))
    assert state.position == BORDER
    assert state.feed(IDS[BORDER:]).tobytes() == whole[BORDER:].tobytes()


def test_a_state_of_another_model_or_dtype_is_refused(causal, data):
    state = causal.causal()
    state.feed(IDS[:BORDER])
    mamba = ssmgen.load(data.causal.parent / "hf_mamba").causal()
    with pytest.raises(ssmgen.FormatError, match="another model"):
        mamba.resume(state.state())
    half = ssmgen.load(data.causal, dtype="bf16").causal()
    with pytest.raises(ssmgen.FormatError, match="another dtype"):
        half.resume(state.state())


def test_wrong_calls_are_value_errors(causal, small):
    with pytest.raises(ValueError, match="causal"):
        small.causal()
    state = causal.causal()
    for piece, word in (([99], "99"), ("", "empty"), ([[7]], r"\(length,\), got"), ("A C", "' '")):
        with pytest.raises(ValueError, match=word):
            state.feed(piece)
    with pytest.raises(ValueError, match="'states'"):
        state.feed([7], output="states")
    with pytest.raises(TypeError):
        state.resume("text")
    state.feed(IDS[:10])
    with pytest.raises(ValueError, match="multiple of"):
        state.feed(IDS[:10])
    with pytest.raises(ValueError, match="multiple of"):
        state.state()


def test_a_state_keeps_its_model_and_is_let_go_in_a_callback(data, tmp_path):
    state = ssmgen.load(data.causal).causal()
    assert state.feed("ACGT").shape[0] == 4  # the model has no other name
    model, held = ssmgen.load(data.causal), []
    held.append(model.causal())
    ssmgen.embed_files(model, data.fasta, tmp_path / "o.npy", plan=lambda plan: held.clear())
    assert (tmp_path / "o.npy").exists() and not held


def test_a_forked_child_is_told(causal):
    state = causal.causal()
    state.feed(IDS[:BORDER])
    child = os.fork()
    if child == 0:
        try:
            state.feed(IDS[:BORDER])
        except RuntimeError as error:
            del state
            os._exit(0 if "forked child" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert state.feed(IDS[BORDER:]).shape[0] == len(IDS) - BORDER
