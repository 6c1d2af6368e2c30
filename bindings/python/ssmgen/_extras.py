"""Libraries that are not needed unless somebody asks for what they make."""

from __future__ import annotations

import importlib
from typing import Any


def extra(name: str) -> Any:
    """The module of that name. Raises ImportError that says how to install it."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"this needs {name}, which is not installed: pip install 'ssmgen[{name}]'", name=name
        ) from error


def anndata_of(values: Any, observations: Any, variables: list[str], facts: dict[str, Any]) -> Any:
    """An AnnData: X is values, (rows, columns), whose memory it shares; obs a row each, named by
    their number; var the columns' names; uns["ssmgen"] what is said of the whole."""
    anndata = extra("anndata")
    pandas = extra("pandas")
    table = pandas.DataFrame(observations)
    table.index = table.index.astype(str)
    columns = pandas.DataFrame(index=variables)
    return anndata.AnnData(values, obs=table, var=columns, uns={"ssmgen": facts})
