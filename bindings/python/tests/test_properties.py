"""What holds for any input: properties of the API, checked on inputs that hypothesis draws.

The same inputs every time, so that a check today and one next year run the same tests.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from score_bits import scores_of_both

import ssmgen

settings.register_profile(
    "check", derandomize=True, database=None, deadline=None, max_examples=80,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
settings.load_profile("check")

COMPLEMENT = str.maketrans("ACGTNacgtn", "TGCANtgcan")

dna = st.text("ACGTNacgt", min_size=1, max_size=150)
several = st.lists(dna, min_size=1, max_size=7)
choices = st.fixed_dictionaries(
    {
        "pool": st.sampled_from(["none", "mean", "max", "center:7"]),
        "strand": st.sampled_from(["auto", "plus", "minus", "mean", "concat"]),
        "layer": st.sampled_from(["last", "all", 0, 1, 3]),
        "skip_n": st.booleans(),
    },
    optional={"window": st.integers(16, 64)},
).filter(lambda how: how["pool"] != "none" or not how["skip_n"])  # which is about pooling


@pytest.fixture(scope="session")
def causal(data):
    return ssmgen.load(data.causal)


@pytest.fixture(scope="session")
def genome(data):
    return data.fasta.read_text().split(">")[1].split("\n", 1)[1].replace("\n", "").upper()


def bits(found):
    """Of an array, or of a list of them."""
    return [part.tobytes() for part in found] if isinstance(found, list) else found.tobytes()


def row(found, i, how):
    """What embed() of several gives of sequence i."""
    if isinstance(found, list):
        return found[i]
    return found[:, i] if how["layer"] == "all" else found[i]


# -- logits and hidden states ----------------------------------------------------------------------


@given(dna)
def test_letters_are_their_ids(small, letters):
    ids = small.encode(letters)
    assert ids.shape == (len(letters),) and np.array_equal(ids, small.encode(letters.lower()))
    for call, width in (
        (small.logits, small.info.vocabulary), (small.hidden, small.info.hidden_width),
    ):  # fmt: skip
        found = call(letters)
        assert found.shape == (len(letters), width) and np.isfinite(found).all()
        assert bits(call(ids)) == bits(call(ids.tolist())) == bits(found)
        assert bits(call(letters, output="device").numpy()) == bits(found)


@given(st.integers(1, 80), st.integers(1, 12), st.randoms(use_true_random=False))
def test_a_row_does_not_depend_on_its_batch(small, length, rows, draw):
    ids = np.array([[draw.randrange(7, 12) for _ in range(length)] for _ in range(rows)])
    order = draw.sample(range(rows), rows)
    whole = small.logits(ids)
    assert bits(small.logits(ids[order])) == bits(whole[order])
    one = draw.randrange(rows)
    assert bits(small.logits(ids[one])) == bits(whole[one])


@given(dna.filter(lambda letters: len(letters) > 1), st.data())
def test_a_causal_model_does_not_look_ahead(causal, letters, data):
    cut = data.draw(st.integers(1, len(letters) - 1))
    found = causal.logits(letters)
    assert bits(causal.logits(letters[:cut])) == bits(found[:cut])


# -- embeddings ------------------------------------------------------------------------------------


@given(several, choices, st.randoms(use_true_random=False))
def test_a_sequence_does_not_depend_on_the_others(small, sequences, how, draw):
    found = small.embed(sequences, **how)
    order = draw.sample(range(len(sequences)), len(sequences))
    shuffled = small.embed([sequences[i] for i in order], batch=draw.randrange(1, 5), **how)
    for place, i in enumerate(order):
        alone = small.embed(sequences[i], **how)
        assert bits(row(shuffled, place, how)) == bits(row(found, i, how)) == bits(alone)


@given(dna, choices)
def test_strands_are_each_others_complement(small, letters, how):
    """Of a sequence and its reverse complement, plus and minus change places, base for base."""
    complement = letters.translate(COMPLEMENT)[::-1]
    how = {**how, "pool": "none", "skip_n": False}
    how.pop("window", None)  # windows lie from the left
    plus = small.embed(letters, **{**how, "strand": "plus"})
    minus = small.embed(complement, **{**how, "strand": "minus"})
    assert np.allclose(plus, minus[..., ::-1, :], rtol=1e-4, atol=1e-5)


@given(dna, choices)
def test_pooled_rows_are_those_of_the_bases(small, letters, how):
    bases = small.embed(letters, **{**how, "pool": "none", "skip_n": False})
    kept = np.array([not how["skip_n"] or base in "ACGTacgt" for base in letters])
    mean = small.embed(letters, **{**how, "pool": "mean"})
    most = small.embed(letters, **{**how, "pool": "max"})
    if not kept.any():
        assert np.isnan(mean).all() and np.isnan(most).all()
        return
    rows = bases[..., kept, :]
    assert np.array_equal(most, rows.max(axis=-2))
    assert np.allclose(mean, rows.mean(axis=-2, dtype=np.float64), rtol=1e-6, atol=1e-6)


@given(st.lists(st.tuples(st.integers(0, 47_900), st.integers(1, 90), st.sampled_from("+-")),
                min_size=1, max_size=6))  # fmt: skip
def test_a_region_is_its_letters(small, data, genome, given):
    regions = [("synth_main", begin, begin + size, "r", strand) for begin, size, strand in given]
    letters = [genome[begin : begin + size] for begin, size, _ in given]
    letters = [
        one if strand == "+" else one.translate(COMPLEMENT)[::-1]
        for one, (_, _, strand) in zip(letters, given)
    ]
    found = small.embed_regions(regions, data.fasta)
    assert bits(found.values) == bits(small.embed(letters))


# -- scores ----------------------------------------------------------------------------------------


@st.composite
def variants(draw, genome):
    """Mostly such as can be scored; of the right REF or not, of one base or several."""
    at = draw(st.integers(0, 47_990))
    size = draw(st.sampled_from([1, 1, 1, 2, 3]))
    ref = genome[at : at + size] if draw(st.integers(0, 9)) else "ACG"[:size]
    alt = draw(st.text("ACGT", min_size=size, max_size=size) | st.sampled_from(["<DEL>", "AN"]))
    return "synth_main", at + 1, ref, alt


@settings(max_examples=12)
@given(st.data())
def test_scores_have_the_bits_of_the_command(data, genome, command, tmp_path_factory, given):
    found = scores_of_both(
        command,
        data.small,
        tmp_path_factory.mktemp("drawn"),
        data.fasta,
        given.draw(st.lists(variants(genome), min_size=1, max_size=30)),
        window=given.draw(st.integers(16, 80)),
        edge=given.draw(st.sampled_from(["shift", "pad"])),
    )
    assert len(found.reason) == len(found)


@given(st.data(), st.randoms(use_true_random=False))
def test_a_score_does_not_depend_on_the_others(small, data, genome, given, draw):
    several = given.draw(st.lists(variants(genome), min_size=1, max_size=8))
    order = draw.sample(range(len(several)), len(several))
    found = small.score_variants(several, data.fasta, window=32)
    shuffled = small.score_variants([several[i] for i in order], data.fasta, window=32, batch=3)
    assert bits(shuffled.scores["masked"]) == bits(found.scores["masked"][order])
    assert shuffled.reason == [found.reason[i] for i in order]


# -- whatever else comes ---------------------------------------------------------------------------

anything = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
    | st.binary(max_size=9)
)  # fmt: skip


@settings(max_examples=150)
@given(
    anything | st.lists(anything, max_size=4) | st.tuples(anything, anything, anything, anything)
)
def test_what_is_wrong_is_a_valueerror(small, data, given):
    """Nothing but a result or a ValueError with words, whatever is given."""
    calls = (
        lambda: small.logits(given),
        lambda: small.embed(given),
        lambda: small.embed([given]),
        lambda: small.embed("ACGT", layer=given),
        lambda: small.embed_regions([given], data.fasta),
        lambda: small.score_variants([given], data.fasta),
    )
    for call in calls:
        try:
            call()
        except ValueError as error:
            assert len(str(error)) > 10
