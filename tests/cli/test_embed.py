"""`ssmgen embed`: its numbers, its files, and that neither depends on how the work was cut up."""

import gzip
import json

import numpy as np
import pytest
from caduceus_f64 import CaduceusPS, tokens_of
from genome_files import bgzf, fasta_text, random_bases

TOLERANCE = 5e-6  # relative norm, of a model in f32
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")
CONTIGS = {"one": random_bases(700, 1), "two": random_bases(150, 2), "n": "N" * 40}
CONTIGS["mixed"] = random_bases(90, 3) + "N" * 260 + random_bases(60, 4) + "RYAC"


def error(got, expected):
    return np.linalg.norm(got - expected) / np.linalg.norm(expected)


def reverse_complement(bases):
    return bases.translate(COMPLEMENT)[::-1]


def read_table(path):
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    return [dict(zip(lines[0], line)) for line in lines[1:]]


class Embedded:
    """The files of a run."""

    def __init__(self, path):
        self.array = np.load(path)
        self.rows = read_table(path.with_name(path.name + ".tsv"))
        self.provenance = json.loads(path.with_name(path.name + ".json").read_text())
        self.bytes = path.read_bytes()


@pytest.fixture
def embed(ssmgen, demo, tmp_path):
    """embed(IN, *options) -> Embedded, with a small model of random weights unless told otherwise."""
    fasta = tmp_path / "in.fa"
    fasta.write_text(fasta_text(CONTIGS))

    def run(*options, source=fasta, model=demo.small_model, out="out.npy", **how):
        given = [] if source is None else [source]
        ssmgen("embed", "--model", model, "-o", tmp_path / out, *options, *given, **how)
        return Embedded(tmp_path / out)

    return run


@pytest.fixture(scope="module")
def reference(demo):
    """reference(model, bases) -> the hidden states in f64, plus and minus."""
    models = {}

    def run(model, bases):
        if model not in models:
            models[model] = CaduceusPS(model)
        return [
            (plus[0], minus[0])
            for plus, minus in models[model].hidden_states(tokens_of(bases)[None])
        ]

    return run


# -- what the numbers are --------------------------------------------------------------------------


@pytest.mark.parametrize("strand", ["plus", "minus", "mean", "concat", "auto"])
def test_hidden_states_are_those_of_the_reference(embed, reference, demo, tmp_path, strand):
    bases = random_bases(230, 9)
    (tmp_path / "r.fa").write_text(fasta_text({"r": bases}))
    got = embed(
        "--layer", "all", "--strand", strand, source=tmp_path / "r.fa", model=demo.model
    ).array
    combine = {
        "plus": lambda plus, minus: plus,
        "minus": lambda plus, minus: minus,
        "mean": lambda plus, minus: (plus + minus) / 2,
        "concat": lambda plus, minus: np.concatenate([plus, minus], axis=-1),
    }
    combine["auto"] = combine["mean"]
    expected = [combine[strand](*pair) for pair in reference(demo.model, bases)]
    assert got.shape == (7, *expected[0].shape)
    for layer, values in enumerate(expected):
        assert error(got[layer], values) < TOLERANCE, layer


def test_one_layer_is_its_part_of_all(embed):
    everything = embed("--layer", "all").array
    layers = everything.shape[0]
    for layer in range(layers):
        assert np.array_equal(embed("--layer", layer).array, everything[layer])
    assert np.array_equal(embed("--layer", "last").array, everything[-1])


@pytest.mark.parametrize("model", ["model", "causal_model"])
def test_the_minus_strand_is_the_plus_strand_of_the_complement(embed, demo, tmp_path, model):
    """Of a model that reads both strands and of one that reads the complement by itself."""
    bases = random_bases(300, 5)
    (tmp_path / "f.fa").write_text(fasta_text({"f": bases}))
    (tmp_path / "r.fa").write_text(fasta_text({"r": reverse_complement(bases)}))
    how = {"model": getattr(demo, model)}
    for layer in ("last", "1"):
        # These windows lie the same from either end.
        options = ("--layer", layer, "--window", 128, "--stride", 86)
        minus = embed(*options, "--strand", "minus", source=tmp_path / "f.fa", **how).array
        plus = embed(*options, "--strand", "plus", source=tmp_path / "r.fa", **how).array
        both = embed(*options, "--strand", "concat", source=tmp_path / "f.fa", **how).array
        mean = embed(*options, "--strand", "mean", source=tmp_path / "f.fa", **how).array
        channels = minus.shape[1]
        assert error(minus, plus[::-1]) < TOLERANCE
        assert np.array_equal(both[:, channels:], minus)
        assert np.array_equal(mean, (both[:, :channels] + both[:, channels:]) * np.float32(0.5))


def test_pooled_rows_are_made_of_the_rows_of_the_bases(embed):
    for layer in ("last", "all"):
        options = ("--layer", layer, "--window", 128)
        per_base = embed(*options)
        bases = per_base.array.reshape(-1, *per_base.array.shape[-2:])
        pooled = {
            name: embed(*options, "--pool", name).array.reshape(len(bases), -1, bases.shape[-1])
            for name in ("mean", "max", "center:50", "center:100000")
        }
        for number, row in enumerate(per_base.rows):
            first, count = int(row["row"]), int(row["rows"])
            assert count == len(CONTIGS[row["id"]])
            rows = bases[:, first : first + count].astype(np.float64)
            middle = max(0, (count - 50) // 2)
            expected = {
                "mean": rows.mean(1),
                "max": rows.max(1),
                "center:50": rows[:, middle : middle + 50].mean(1),
                "center:100000": rows.mean(1),
            }
            for name, values in expected.items():
                assert error(pooled[name][:, number], values) < 1e-6, (name, number)


def test_n_can_be_left_out_of_pooling(embed):
    per_base = embed("--window", 64).array
    pooled = embed("--window", 64, "--pool", "mean", "--skip-n")
    first = 0
    for number, (name, bases) in enumerate(CONTIGS.items()):
        known = np.array([base in "ACGT" for base in bases])
        assert int(pooled.rows[number]["bases"]) == known.sum()
        rows = per_base[first : first + len(bases)][known]
        if known.any():
            assert error(pooled.array[number], rows.astype(np.float64).mean(0)) < 1e-6
        else:
            assert np.isnan(pooled.array[number]).all()
        first += len(bases)


def test_windows_of_n_alone_are_not_run(ssmgen, demo, tmp_path):
    fasta = tmp_path / "in.fa"
    fasta.write_text(fasta_text(CONTIGS))
    options = ("--model", demo.small_model, "--window", 64, "--stride", 64, "--pool", "mean")

    def windows(*more):
        text = ssmgen("embed", *options, *more, fasta).stderr
        assert ("without a base to pool, their rows are NaN: 1" in text) == ("--skip-n" in more)
        return int(text.splitlines()[-1].split()[1])

    assert windows() == 11 + 3 + 1 + 7
    assert windows("--skip-n") == 11 + 3 + 0 + 4


# -- windows ---------------------------------------------------------------------------------------


def test_a_window_longer_than_the_record_is_its_whole_context(embed):
    whole = embed("--whole")
    assert np.array_equal(embed("--window", 700).array, whole.array)
    assert not np.array_equal(embed("--window", 699).array, whole.array)


def test_each_base_is_taken_from_the_window_that_holds_it_best(embed, tmp_path):
    bases = CONTIGS["one"]
    got = embed("--window", 256, "--stride", 100).array
    begins = [0, 100, 200, 300, 400, 444]
    windows = {f"w{begin}": bases[begin : begin + 256] for begin in begins}
    (tmp_path / "w.fa").write_text(fasta_text(windows))
    rows = embed(source=tmp_path / "w.fa", out="w.npy").array.reshape(len(begins), 256, -1)
    for position in range(len(bases)):

        def distance_to_a_cut(begin):
            left = position - begin if begin > 0 else np.inf
            right = begin + 256 - position if begin + 256 < len(bases) else np.inf
            return min(left, right)

        inside = [i for i, begin in enumerate(begins) if begin <= position < begin + 256]
        best = max(distance_to_a_cut(begins[i]) for i in inside)
        chosen = [i for i in inside if distance_to_a_cut(begins[i]) >= best - 1]
        assert any(np.array_equal(got[position], rows[i, position - begins[i]]) for i in chosen)


def test_windows_may_have_rows_of_their_own(embed, tmp_path):
    got = embed("--window", 256, "--stride", 100, "--per-window", "--pool", "mean")
    of_one = [row for row in got.rows if row["id"] == "one"]
    assert [int(row["offset"]) for row in of_one] == [0, 100, 200, 300, 400, 444]
    assert [int(row["end"]) - int(row["begin"]) for row in of_one] == [256] * 6
    windows = {row["offset"]: CONTIGS["one"][int(row["begin"]) : int(row["end"])] for row in of_one}
    (tmp_path / "w.fa").write_text(fasta_text(windows))
    alone = embed("--pool", "mean", source=tmp_path / "w.fa", out="w.npy").array
    assert np.array_equal(got.array[: len(of_one)], alone)


# -- regions ---------------------------------------------------------------------------------------


def test_regions_keep_order_names_and_strand(embed, tmp_path):
    bed = tmp_path / "r.bed"
    bed.write_text(
        "# a comment\ntrack name=x\n"
        "two\t10\t110\tgene b\t0\t-\n"
        "one\t500\t600\tgene a\t0\t+\n"
        "one\t0\t60\n"
    )
    got = embed("--fasta", tmp_path / "in.fa", "--bed", bed, "--pool", "mean", source=None)
    assert [row["id"] for row in got.rows] == ["gene b", "gene a", "one:1-60"]
    assert [row["strand"] for row in got.rows] == ["-", "+", "+"]
    assert [(row["contig"], row["begin"], row["end"]) for row in got.rows] == [
        ("two", "10", "110"), ("one", "500", "600"), ("one", "0", "60")]  # fmt: skip
    regions = {
        "b": reverse_complement(CONTIGS["two"][10:110]),
        "a": CONTIGS["one"][500:600],
        "c": CONTIGS["one"][:60],
    }
    (tmp_path / "x.fa").write_text(fasta_text(regions))
    alone = embed("--pool", "mean", source=tmp_path / "x.fa", out="x.npy")
    assert np.array_equal(got.array, alone.array)
    assert got.provenance["input"]["genome"] == "in.fa"
    assert [x["name"] for x in got.provenance["input"]["contigs"]] == ["one", "two"]


def test_genes_of_the_demo_genome(embed, demo, test_data):
    bed = test_data / "genome" / "genes.bed"
    options = ("--fasta", demo.fasta, "--bed", bed, "--pool", "mean")
    got = embed(*options, source=None, model=demo.model)
    assert got.array.shape == (44, 128) and np.isfinite(got.array).all()
    assert [row["id"] for row in got.rows] == [f"syn{i:04}" for i in range(1, 45)]


# -- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [gzip.compress, bgzf], ids=["gzip", "bgzip"])
def test_a_packed_fasta_is_the_same(embed, tmp_path, pack):
    packed = tmp_path / "in.fa.gz"
    packed.write_bytes(pack(fasta_text(CONTIGS, 71).lower().encode()))
    assert embed(source=packed, out="packed.npy").bytes == embed().bytes


def test_a_stream_is_the_same(embed):
    text = fasta_text(CONTIGS)
    expected = embed("--pool", "mean")
    assert embed("--pool", "mean", source="-", stdin=text).bytes == expected.bytes


def test_tsv_holds_the_same_numbers(embed, ssmgen, demo, tmp_path):
    for layer in ("last", "all"):
        expected = embed("--pool", "mean", "--layer", layer)
        options = ("--model", demo.small_model, "--pool", "mean", "--layer", layer)
        text = ssmgen("embed", *options, tmp_path / "in.fa").stdout
        ssmgen("embed", *options, "-o", tmp_path / "out.tsv", tmp_path / "in.fa")
        assert (tmp_path / "out.tsv").read_text() == text
        assert not (tmp_path / "out.tsv.tsv").exists()
        lines = [line.split("\t") for line in text.splitlines()]
        first = lines[0].index("c0")
        values = np.array([line[first:] for line in lines[1:]], dtype=np.float32)
        layers = expected.array.shape[0] if layer == "all" else 1
        rows = expected.array.reshape(layers, len(CONTIGS), -1).swapaxes(0, 1)
        assert np.array_equal(values.reshape(rows.shape), rows)
        assert [line[0] for line in lines[1:]] == [name for name in CONTIGS for _ in range(layers)]


def test_the_provenance_says_where_the_numbers_come_from(embed, ssmgen, demo):
    got = embed("--pool", "center:10", "--window", 200)
    json_ = got.provenance
    info = json_["model"]
    assert info["name"] == "caduceus_ps" and len(info["sha256"]) == 64
    assert json_["ssmgen"]["command"].startswith("embed --model ")
    assert json_["input"] == {
        "kind": "FASTA", "name": "in.fa", "records": 4,
        "bases": sum(map(len, CONTIGS.values()))}  # fmt: skip
    assert json_["embed"]["pool"] == "center:10" and json_["embed"]["window"] == 200
    assert json_["output"]["shape"] == list(got.array.shape)
    assert "ssmgen" not in embed("--pool", "mean", "--no-version").provenance


# -- the answer does not depend on how the work was cut up -----------------------------------------

PLANS = [
    ("--batch", 1),
    ("--batch", 3, "--threads", 1),
    ("--batch", 64, "--threads", 5),
    ("--chunk", 64),
    ("--chunk", 128, "--batch", 2),
]


@pytest.mark.parametrize("model", ["small_model", "causal_model"])
@pytest.mark.parametrize(
    "options",
    [
        ("--window", 200, "--strand", "mean"),
        ("--whole", "--layer", "all", "--strand", "concat"),
        ("--window", 150, "--pool", "mean", "--layer", "all", "--strand", "minus"),
        ("--whole", "--pool", "max", "--skip-n"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(map(str, value)),
)
def test_same_bytes_for_every_batch_thread_count_and_chunk(embed, demo, model, options):
    options = [str(option) for option in options]
    model = getattr(demo, model)
    expected = embed(*options, model=model)
    for plan in PLANS:
        got = embed(*options, *plan, model=model, out="other.npy")
        assert got.bytes == expected.bytes, plan
        assert got.rows == expected.rows, plan


def test_a_record_does_not_depend_on_the_others(embed, tmp_path):
    expected = embed("--pool", "mean", "--window", 128)
    for number, (name, bases) in enumerate(CONTIGS.items()):
        (tmp_path / "alone.fa").write_text(fasta_text({name: bases}))
        alone = embed("--pool", "mean", "--window", 128, source=tmp_path / "alone.fa", out="a.npy")
        assert np.array_equal(alone.array[0], expected.array[number])


# -- the plan --------------------------------------------------------------------------------------


def test_the_plan_tells_sizes_and_files(ssmgen, demo, tmp_path):
    (tmp_path / "in.fa").write_text(fasta_text(CONTIGS))
    options = ("--model", demo.small_model, "--window", 100, "--layer", "all", "-o", "out.npy")
    done = ssmgen("embed", *options, "--dry-run", "in.fa")
    bases = sum(map(len, CONTIGS.values()))
    assert f"FASTA: 4 records, {bases:,} bases, " in done.stderr
    assert f"npy: 4 x {bases:,} x 48 of f32, about" in done.stderr
    assert "to out.npy, out.npy.tsv, out.npy.json" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"in.fa"}
    windows = int(done.stderr.split(" windows of up to 100")[0].split()[-1])
    assert f"\nssmgen: {windows} windows in" in ssmgen("embed", *options, "in.fa").stderr


def test_a_large_output_needs_a_yes(ssmgen, demo, tmp_path):
    (tmp_path / "in.fa").write_text(fasta_text(CONTIGS))
    options = ("--model", demo.small_model, "--max-output", "1k", "-o", "out.npy")
    for source, stdin in (("in.fa", None), ("-", fasta_text(CONTIGS))):
        done = ssmgen("embed", *options, source, stdin=stdin, exits=2)
        assert "more than the 1000 of --max-output" in done.stderr and "--yes" in done.stderr
        assert not (tmp_path / "out.npy").exists()
    ssmgen("embed", *options, "--yes", "in.fa")
    assert (tmp_path / "out.npy").exists()


# -- public data -----------------------------------------------------------------------------------


def test_regions_of_ecoli(embed, shared_dir, ssmgen, demo, tmp_path):
    """Stretches of the genome on both strands give what their sequences give by themselves."""
    packed = (shared_dir / "data" / "ecoli_k12_mg1655.fna.gz").read_bytes()
    (tmp_path / "e.fa").write_bytes(gzip.decompress(packed))
    begins = range(0, 4_600_000, 400_000)
    lines = [f"NC_000913.3\t{b}\t{b + 300 + b // 10_000}\tr{b}\t0\t{'+-'[b // 400_000 % 2]}\n"
             for b in begins]  # fmt: skip
    (tmp_path / "e.bed").write_text("".join(lines))
    options = ("--fasta", tmp_path / "e.fa", "--bed", tmp_path / "e.bed", "--pool", "mean")
    got = embed(*options, source=None, model=demo.model)
    assert got.array.shape == (len(begins), 128)
    genome = "".join((tmp_path / "e.fa").read_text().split("\n")[1:])
    assert len(genome) == 4_641_652
    sequences = {}
    for row in got.rows:
        bases = genome[int(row["begin"]) : int(row["end"])]
        sequences[row["id"]] = bases if row["strand"] == "+" else reverse_complement(bases)
    (tmp_path / "s.fa").write_text(fasta_text(sequences))
    alone = embed("--pool", "mean", source=tmp_path / "s.fa", model=demo.model, out="s.npy")
    assert np.array_equal(got.array, alone.array)


def test_a_human_megabase_without_its_n(embed, shared_dir, tmp_path):
    packed = shared_dir / "data" / "hg38_chr1_1m.fa.gz"
    options = ("--window", 20_000, "--stride", 20_000, "--per-window", "--pool", "mean", "--skip-n")
    got = embed(*options, source=packed)
    bases = "".join(gzip.decompress(packed.read_bytes()).decode().upper().split("\n")[1:])
    assert got.array.shape == (50, 48)
    for row, values in zip(got.rows, got.array):
        known = sum(base in "ACGT" for base in bases[int(row["begin"]) : int(row["end"])])
        assert int(row["bases"]) == known
        assert np.isnan(values).all() if known == 0 else np.isfinite(values).all()
    assert sum(int(row["bases"]) for row in got.rows) == 840_000
    assert sum(row["bases"] == "0" for row in got.rows) > 0
