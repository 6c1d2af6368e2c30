"""`ssmgen bench`: numbers that fit together; how fast the machine is, is not tested here."""

import json

import pytest
from genome_files import random_bases, snvs, vcf_text


def bench_json(ssmgen, *arguments):
    return json.loads(ssmgen("bench", "--json", *arguments).stdout)


KEYS = {
    "model", "d_model", "n_layer", "device", "dtype", "threads", "length", "windows", "seconds",
    "median_seconds", "bases_per_second", "windows_per_second", "peak_memory_bytes",
    "device_peak_bytes",
    "product_flop", "exponentials", "multiply_adds", "product_flop_per_second_at_most",
    "exponentials_per_second_at_most", "multiply_adds_per_second_at_most", "floor_seconds", "times_floor",
}  # fmt: skip


def test_a_model_directory(ssmgen, demo):
    found = bench_json(ssmgen, "--model", demo.model, "--length", 128, "--windows", 3)
    assert set(found) >= KEYS
    assert (found["length"], found["windows"], found["dtype"]) == (128, 3, "f32")
    assert (found["d_model"], found["n_layer"]) == (128, 6)
    assert 0 < found["seconds"] <= found["median_seconds"] < 60
    assert found["bases_per_second"] == pytest.approx(3 * 128 / found["seconds"])
    assert found["windows_per_second"] == pytest.approx(3 / found["seconds"])
    floor = (
        found["product_flop"] / found["product_flop_per_second_at_most"]
        + found["exponentials"] / found["exponentials_per_second_at_most"]
    )
    assert found["floor_seconds"] == pytest.approx(floor)
    assert found["times_floor"] == pytest.approx(found["seconds"] / floor)
    assert found["times_floor"] > 0.8  # no pass is faster than the floor, but for noise
    assert found["peak_memory_bytes"] > 10e6


def test_costs_grow_with_bases_and_strands(ssmgen):
    def cost(shape, length):
        return bench_json(ssmgen, "--shape", shape, "--length", length, "--repeats", 1)

    both, one = cost("ps-d64x2", 200), cost("ph-d64x2", 200)
    assert both["exponentials"] == 2 * one["exponentials"]
    # d_inner x d_state exponentials a base, direction and layer.
    assert one["exponentials"] == 200 * 2 * 2 * (128 * 16)
    twice = cost("ph-d64x2", 400)
    assert twice["product_flop"] == 2 * one["product_flop"]
    assert twice["exponentials"] == 2 * one["exponentials"]


def test_the_floor_of_s4_counts_multiply_adds(ssmgen):
    found = bench_json(ssmgen, "--shape", "s4d-d32x2", "--length", 200, "--repeats", 1)
    assert found["exponentials"] == 0
    # Two in and two out for each of 32 pairs of states, a base, direction, channel and layer.
    assert found["multiply_adds"] == 200 * 2 * 2 * 32 * 32 * 4
    floor = (
        found["product_flop"] / found["product_flop_per_second_at_most"]
        + found["multiply_adds"] / found["multiply_adds_per_second_at_most"]
    )
    assert found["floor_seconds"] == pytest.approx(floor)


@pytest.mark.parametrize(
    "shape", ["ps-d32x2", "ph-d32x2", "causal-d32x2", "mamba-d32x2", "s4d-d32x2", "s4-d32x2"]
)
@pytest.mark.parametrize("dtype", ["f32", "bf16"])
def test_shapes_with_random_weights(ssmgen, shape, dtype):
    options = ("--length", 70, "--windows", 2, "--repeats", 2, "--read", "all", "--chunk", 64)
    found = bench_json(ssmgen, "--shape", shape, *options, "--dtype", dtype)
    assert (found["d_model"], found["n_layer"], found["dtype"]) == (32, 2, dtype)
    assert found["seconds"] > 0


def test_text_names_the_floor_and_the_threads(ssmgen):
    text = ssmgen("bench", "--shape", "ph-d32x1", "--length", 64, "--threads", 1).stdout
    for name in ("sequences", "seconds", "bases/s", "peak memory", "matrix products", "floor"):
        assert f"\n  {name}" in text
    assert "1 thread" in text


def test_reading_and_writing_alone(ssmgen, tmp_path):
    contigs = {"c": random_bases(2000, 1)}
    source = tmp_path / "in.vcf"
    source.write_text(vcf_text(snvs(contigs, 2000), contigs))
    found = bench_json(ssmgen, "--vcf", source)
    assert found["records"] == 2000
    assert found["records_per_second"] == pytest.approx(2000 / found["seconds"])
    out = tmp_path / "out.vcf"
    ssmgen("bench", "--vcf", source, "--output", out)
    assert out.read_text() == source.read_text()


@pytest.mark.parametrize("arguments, says", [
    (["--shape", "ps-256"], "write KIND-dWIDTHxLAYERS"),
    (["--length", 0], "length, windows and repeats must be above 0"),
    (["--read", "some"], "none, center or all"),
    (["model"], "write --model DIR"),
])  # fmt: skip
def test_wrong_command_lines(ssmgen, arguments, says):
    done = ssmgen("bench", *arguments, exits=2)
    assert done.stdout == "" and says in done.stderr
