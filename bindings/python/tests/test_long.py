"""Long sequences: memory budgets of load(), plans, and what is said of bad ones."""

import numpy as np
import pytest

import ssmgen

BASES = "ACGTTGCAGC" * 2500


def test_a_budget_changes_the_plan_and_no_bit(small, data, tmp_path):
    expected = small.embed(BASES, whole=True)
    plan = small.plan(len(BASES))
    assert plan.length == len(BASES) and plan.scratch_bytes == 0 and plan.device_bytes > 0
    tight = ssmgen.load(data.small, chunk=2048, max_memory="1T", scratch=tmp_path)
    assert tight.plan(len(BASES)).chunk == 2048
    assert tight.embed(BASES, whole=True).tobytes() == expected.tobytes()
    assert list(tmp_path.iterdir()) == []


def test_a_small_budget_goes_to_scratch_or_is_refused(small, data, tmp_path):
    length = 100_000_000  # 19 GB of scratch, which must be free and is not written
    free = small.plan(1_000_000)
    with pytest.raises(RuntimeError, match="give scratch DIR, raise max_memory or device_memory"):
        ssmgen.load(data.small, max_memory="700M").plan(length)
    plan = ssmgen.load(data.small, max_memory="700M", scratch=tmp_path).plan(length)
    assert (plan.mode, plan.stream_place) == ("folded", "scratch")
    assert plan.scratch_bytes > 10 * free.device_bytes and plan.seconds == 0


def test_a_plan_estimates_its_time_when_asked(small):
    short, long = (small.plan(n, estimates_time=True).seconds for n in (20_000, 20_000_000))
    assert 0 < short < long
    assert (
        small.plan(2_000_000, predicts_all=True).device_bytes >= small.plan(2_000_000).device_bytes
    )


@pytest.mark.parametrize("text, count", [("2G", 2 * 10**9), ("1.5k", 1500), ("7", 7), (7, 7)])
def test_bytes_are_read_as_the_command_reads_them(text, count):
    from ssmgen._checks import byte_count

    assert byte_count(text, "max_memory") == count
    assert byte_count(np.int64(count), "max_memory") == count


@pytest.mark.parametrize(
    "options, word",
    [
        ({"max_memory": "2X"}, "'2X'"),
        ({"max_memory": "-1G"}, "'-1G'"),
        ({"max_memory": ""}, "max_memory"),
        ({"max_memory": -1}, "-1"),
        ({"max_memory": 1.5}, "1.5"),
        ({"max_memory": "99999999999T"}, "max_memory"),
        ({"device_memory": "2G"}, "device_memory: it is for device 'cuda'"),
        ({"chunk": -4}, "chunk"),
    ],
)
def test_bad_budgets_are_named(data, options, word):
    with pytest.raises(ValueError) as error:
        ssmgen.load(data.small, **options)
    assert word in str(error.value)


def test_a_plan_needs_a_length(small):
    with pytest.raises(ValueError, match="length"):
        small.plan(0)
