"""Tables of pandas, polars or plain mappings, read by the names of their columns."""

from __future__ import annotations

from typing import Any


def columns_of(
    table: Any, required: dict[str, tuple[str, ...]], optional: tuple[str, ...], what: str
) -> list[tuple[Any, ...]]:
    """A tuple a row: the required columns, each by the first of its names that is there, then the
    optional ones, None where there is none. Names are case-blind, a leading # is left out.

    Raises ValueError naming the column that is missing, or for columns of different lengths.
    """
    given = list(table.columns) if hasattr(table, "columns") else list(table)
    by_name = {str(name).lstrip("#").lower(): name for name in given}
    columns: list[list[Any] | None] = []
    for wanted, names in [*required.items(), *((name, (name,)) for name in optional)]:
        found = next((by_name[name] for name in names if name in by_name), None)
        if found is None and wanted in required:
            raise ValueError(f"{what}: the table has no column '{wanted}', only {given}")
        column = None if found is None else table[found]
        if column is not None:
            column = column.to_list() if hasattr(column, "to_list") else list(column)
        columns.append(column)
    lengths = [len(column) for column in columns if column is not None]
    if len(set(lengths)) > 1:
        raise ValueError(f"{what}: columns of different lengths {lengths}")
    empty = [None] * lengths[0]
    return list(zip(*(empty if column is None else column for column in columns)))
