"""Columns as a graph gets them, and as numbers that layers read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from skl2onnx.common.data_types import StringTensorType

from ..rows.schema import NEW_LEVEL, is_typed
from .tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..estimators.model import FittedModel
    from ..rows.schema import Column
    from .tensor import Graph

# the text that stands for a gap, as ONNX has none
GAP = ""


def columns_of(
    graph: Graph, model: FittedModel, variables: Sequence[Any], names: np.ndarray | None
) -> Tensor:
    """The matrix that the first layer reads, from input variables of a graph.

    Parameters
    ----------
    graph : Graph
    model : FittedModel
    variables : list of Variable
        Of skl2onnx: one matrix, or several that stand side by side, of one or more columns each.
    names : ndarray of str or None
        Those of the columns in fit, which variables of the same names may come in any order of.
    """
    by_name = {variable.raw_name: variable for variable in variables}
    if names is not None and set(by_name) == set(names):
        variables = [by_name[name] for name in names]
    schema, place, blocks = model.schema, 0, []
    for variable in variables:
        alone = len(variables) == 1
        width = math.prod(model.network.input_shape) if alone else variable.type.shape[1]
        columns = None if schema is None else schema.columns[place : place + width]
        block = Tensor(graph, variable.onnx_name)
        blocks.append(_numbers(graph, block, columns, isinstance(variable.type, StringTensorType)))
        place += width
    return _completed(graph, model, graph.concat(blocks, axis=1))


def _numbers(
    graph: Graph, block: Tensor, columns: Sequence[Column] | None, is_text: bool
) -> Tensor:
    """Columns as numbers: codes of categories, seconds of times."""
    if not is_text and not any(column.kind in ("category", "nothing") for column in columns or ()):
        return graph.cast(block)
    if columns is None:
        raise TypeError("X comes as text, and held numbers in fit: convert it.")
    found = []
    for j, column in enumerate(columns):
        values = block[:, [j]]
        if column.kind == "category":
            codes = _codes_of_text if is_text else _codes_of_numbers
            found.append(codes(graph, values, column))
        elif column.kind == "nothing" and is_text:
            found.append(_told(graph, values, {}, np.nan))
        elif is_text:
            raise TypeError(
                f"column {column.name!r} comes as text, and held numbers in fit: convert it."
            )
        else:
            numbers = graph.cast(values)
            found.append(numbers * np.nan if column.kind == "nothing" else numbers)
    return graph.concat(found, axis=1)


def _codes_of_text(graph: Graph, values: Tensor, column: Column) -> Tensor:
    codes = {level: float(code) for code, level in enumerate(column.levels)}
    return _told(graph, values, {GAP: np.nan, **codes}, NEW_LEVEL)


def _told(graph: Graph, texts: Tensor, numbers: dict[str, float], otherwise: float) -> Tensor:
    """Numbers that texts stand for."""
    keys, values = [*numbers] or [GAP], [*numbers.values()] or [otherwise]
    options = {"keys_strings": keys, "values_floats": values, "default_float": otherwise}
    return graph.cast(graph("LabelEncoder", texts, **options))


def _codes_of_numbers(graph: Graph, values: Tensor, column: Column) -> Tensor:
    values = graph.cast(values)
    pairs = [(_as_number(level), code) for code, level in enumerate(column.levels)]
    levels, codes = np.array([pair for pair in pairs if pair[0] is not None] or [(np.nan, 0)]).T
    found = graph.cast(values == levels) @ (codes[:, None] - NEW_LEVEL) + NEW_LEVEL
    return graph("Where", graph("IsNaN", values), np.nan, found)


def _as_number(level: str) -> float | None:
    try:
        return float(level)
    except ValueError:
        return None


def _completed(graph: Graph, model: FittedModel, rows: Tensor) -> Tensor:
    """Means in place of gaps that no layer reads, and the value of columns that never varied."""
    if model.means is not None and not is_typed(model.schema):
        rows = graph("Where", graph("IsNaN", rows), model.means, rows)
    if model.constant is None:
        return rows
    places, values = model.constant.places, np.zeros(math.prod(model.network.input_shape))
    never = np.zeros(len(values), dtype=bool)
    never[places], values[places] = True, model.constant.values
    return graph("Where", never & ~graph("IsNaN", rows), values, rows)
