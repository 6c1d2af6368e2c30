"""Regions and variants in the tables people have: embed_regions(), pandas and AnnData."""

import sys

import numpy as np
import pytest

import ssmgen

VARIANTS = [("synth_main", 900, "C", "A"), ("synth_main", 1600, "A", "C")]


def test_embeddings_have_the_bits_of_the_command(small, data, command, tmp_path):
    command(
        "embed", "--model", data.small, "--fasta", data.fasta, "--bed", data.bed, "--pool", "mean",
        "-o", tmp_path / "a.npy",
    )  # fmt: skip
    found = small.embed_regions(data.bed, data.fasta)
    assert found.values.tobytes() == np.load(tmp_path / "a.npy").tobytes()
    lines = [line.split("\t") for line in (tmp_path / "a.npy.tsv").read_text().splitlines()[1:]]
    assert [line[:5] for line in lines] == [
        [name, contig, str(begin), str(end), strand]
        for name, contig, begin, end, strand in zip(
            found.name, found.contig, found.begin, found.end, found.strand
        )
    ]
    assert {"+", "-"} == set(found.strand) and len(found) == 44


def test_regions_come_in_many_forms(small, data):
    expected = small.embed_regions([("synth_main", 244, 300), ("synth_main", 400, 480, "x", "-")],
                                   data.fasta, layer=1, window=32)  # fmt: skip
    assert expected.name == ["", "x"] and expected.strand == ["+", "-"]
    columns = {"#chrom": ["synth_main"] * 2, "Start": np.array([244, 400]), "end": [300, 480]}
    same = small.embed_regions({**columns, "strand": ["+", "-"]}, data.fasta, layer=1, window=32)
    assert same.values.tobytes() == expected.values.tobytes()
    plus = small.embed_regions(columns, data.fasta, layer=1, window=32, strand="plus")
    assert plus.values[1].tobytes() != expected.values[1].tobytes()


@pytest.mark.parametrize(
    "regions, word",
    [
        ([], "none"),
        (7, "int"),
        ([("synth_main", 5)], "region 1"),
        ([("synth_main", 5, 9), ("synth_main", -1, 9)], "region 2"),
        ([("synth_main", 9, 9)], "no stretch"),
        ([("synth_main", 1.5, 9)], "1.5"),
        ([("synth_main", 5, 9, "x", "?")], "'?'"),
        ([("synth_main", 47_990, 48_001)], "region 1: synth_main:47991-48001"),
        ([("nowhere", 5, 9)], "nowhere"),
        ({"contig": ["synth_main"], "begin": [5]}, "'end'"),
        ({"contig": ["synth_main"], "begin": [5], "end": [6, 7]}, "lengths"),
    ],
)
def test_bad_regions_are_named(small, data, regions, word):
    with pytest.raises(ValueError) as error:
        small.embed_regions(regions, data.fasta)
    assert word in str(error.value)


@pytest.mark.parametrize("text", ["synth_main\t5\n", "synth_main\t5\tx\n", "\xff\n", "c\t9\t5\n"])
def test_a_bad_bed_is_named_with_its_line(small, data, tmp_path, text):
    bed = tmp_path / "bad.bed"
    bed.write_bytes(b"# regions\nsynth_main\t5\t9\n" + text.encode("latin-1"))
    with pytest.raises(ssmgen.FormatError, match="bad.bed: (line 3|it cannot be read)"):
        small.embed_regions(bed, data.fasta)


def test_a_row_a_region_needs_pooling_and_one_layer(small, data):
    for settings in ({"pool": "none"}, {"layer": "all"}):
        with pytest.raises(ValueError, match="one row a region"):
            small.embed_regions(data.bed, data.fasta, **settings)


# -- pandas and AnnData ----------------------------------------------------------------------------


@pytest.fixture
def found(small, data):
    return small.embed_regions(data.bed, data.fasta)


@pytest.fixture
def scores(small, data):
    return small.score_variants(VARIANTS, data.fasta, window=64, modes=["masked", "unmasked"])


def test_tables_of_pandas(found, scores, small, data):
    pandas = pytest.importorskip("pandas")
    table = found.to_pandas()
    assert list(table.columns[:6]) == ["contig", "begin", "end", "name", "strand", "c0"]
    assert table.shape == (44, 5 + small.info.d_model) and table["name"][0] == "syn0001"
    assert np.array_equal(table.iloc[:, 5:].to_numpy(), found.values)
    again = small.embed_regions(table[["contig", "begin", "end", "strand"]], data.fasta)
    assert again.values.tobytes() == found.values.tobytes()
    table = scores.to_pandas()
    assert list(table.columns) == [
        "variant", "chrom", "pos", "ref", "alt", "masked", "unmasked", "reason",
    ]  # fmt: skip
    assert table["reason"].tolist() == ["", "ref_mismatch"]
    assert table["masked"].isna().tolist() == [False, True]
    assert isinstance(table, pandas.DataFrame) and table["pos"].tolist() == [900, 1600]


def test_anndata_of_regions(found, small, tmp_path):
    anndata = pytest.importorskip("anndata")
    made = found.to_anndata()
    assert made.shape == found.values.shape and np.shares_memory(made.X, found.values)
    assert made.obs["name"].tolist() == found.name and made.var_names[1] == "c1"
    assert dict(made.uns["ssmgen"]) == found.facts and found.facts["model"] == small.info.name
    made.write_h5ad(tmp_path / "genes.h5ad")
    back = anndata.read_h5ad(tmp_path / "genes.h5ad")
    assert np.array_equal(back.X, found.values)
    assert back.obs["begin"].tolist() == found.begin.tolist()


def test_anndata_of_variants(scores):
    pytest.importorskip("anndata")
    made = scores.to_anndata()
    assert made.var_names.tolist() == ["masked", "unmasked"] and made.X.dtype == np.float32
    assert np.array_equal(made.X[:, 1], scores.scores["unmasked"], equal_nan=True)
    assert made.obs["reason"].tolist() == ["", "ref_mismatch"]


@pytest.mark.parametrize(
    "make, name",
    [
        (lambda found, scores: found.to_pandas(), "pandas"),
        (lambda found, scores: scores.to_pandas(), "pandas"),
        (lambda found, scores: found.to_anndata(), "anndata"),
        (lambda found, scores: scores.to_anndata(), "anndata"),
    ],
)
def test_what_is_not_installed_is_named(monkeypatch, found, scores, make, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=rf"pip install 'ssmgen\[{name}\]'"):
        make(found, scores)
