"""The notebooks, executed: no cell fails, and what they found is what they say."""

import base64
import json
import os
import pathlib

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")
pytest.importorskip("anndata")

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "notebooks"


def executed(name, wanted):
    """The notebook after a run, and the value of an expression at its end. A cell that raises
    ends the test. SSMGEN_PLOTS names a folder for the plots, to be looked at."""
    notebook = nbformat.read(FOLDER / name, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(f"import json; print(json.dumps({wanted}))"))
    run = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}
    )
    run.execute()
    value = json.loads("".join(o.text for o in notebook.cells[-1].outputs if "text" in o))
    plots = [
        base64.b64decode(output.data["image/png"])
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert all(plot.startswith(b"\x89PNG") for plot in plots)
    if "SSMGEN_PLOTS" in os.environ:
        for i, plot in enumerate(plots):
            target = pathlib.Path(os.environ["SSMGEN_PLOTS"]) / f"{name}.{i}.png"
            target.write_bytes(plot)
    return value, plots


def test_a_probe_tells_genes_from_spacers():
    found, plots = executed("gene_probe.ipynb", "{**accuracy, 'held_out': int(is_held_out.sum())}")
    assert found["held_out"] > 200 and len(plots) == 1
    assert found["hidden states"] > 0.8
    assert found["hidden states"] > found["share of G and C"]


def test_saturation_mutagenesis_scores_every_change():
    found, plots = executed(
        "saturation_mutagenesis.ipynb",
        "{'rows': len(table), 'missing': int(table['masked'].isna().sum()), "
        "'sums': float(abs(probability.sum(axis=0) - 1).max()), 'right': share_right, "
        "'start_bits': float(bits[24:27].mean()), 'bits': float(bits.mean())}",
    )
    assert (found["rows"], found["missing"], len(plots)) == (180, 0, 1)
    assert found["sums"] < 1e-6 and found["right"] > 0.3
    assert found["start_bits"] > found["bits"]  # a start codon is surer than its surroundings


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.name)
def test_notebooks_are_kept_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs") and cell.get("execution_count") is None
