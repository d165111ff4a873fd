"""Converters of what reads columns one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..layers import Encode, NormalScores
from ..layers.encode import moment
from ..layers.models.one_hot import JoinedCategories
from ..layers.models.typed import TypedColumns
from ..rows.calendar import calendar
from .registry import converts

if TYPE_CHECKING:
    from ..typing import Params
    from .tensor import Graph, Tensor


@converts(Encode)
def encode(graph: Graph, layer: Encode, params: Params, inputs: Tensor) -> Tensor:
    if layer.schema is None:
        return inputs
    layout, missing = layer.layout(), graph("IsNaN", inputs)
    unknown = missing | (layout.is_category & (inputs < 0.0))
    filled = graph("Where", unknown, params["medians"], inputs)
    parts: list[Any] = [filled[:, layout.numbers]] if len(layout.numbers) else []
    parts += [graph.cast(missing[:, layout.gaps])] if len(layout.gaps) else []
    # a tensor stands for an array
    parts += [moment(filled[:, j]) for j in layout.times]  # type: ignore[arg-type]
    for j, places in layout.places.items():
        columns = np.unique(places[places < layout.n_indicators])
        if len(columns):
            table = (places[:, None] == columns).astype(np.float64)
            parts.append(_looked_up(graph, table, inputs[:, j]))
    return graph.concat(parts, axis=1)


def _looked_up(graph: Graph, table: np.ndarray, codes: Tensor) -> Tensor:
    """Rows of a table by codes of a category; those of new levels and of gaps come last."""
    n_levels = len(table) - 2
    index = graph("Where", graph("IsNaN", codes), n_levels + 1.0, codes)
    index = graph("Where", codes < 0.0, float(n_levels), index)
    return graph("Gather", table, graph.cast(index, np.int64), axis=0)


@converts(NormalScores)
def normal_scores(graph: Graph, layer: NormalScores, params: Params, inputs: Tensor) -> Tensor:
    columns, knots, scores = params["columns"], params["knots"], params["scores"]
    if not len(columns):
        return inputs
    left, widths = knots[:, :-1], np.diff(knots)
    slopes = np.divide(np.diff(scores), widths, out=np.zeros_like(widths), where=widths > 0)
    # rising from the first score by what each bin between two knots adds
    inside = graph("Min", graph("Max", inputs[:, columns][:, :, None], left), knots[:, 1:]) - left
    found = (inside * slopes).sum(axis=2) + scores[:, 0]
    order = np.arange(inputs.shape[1])
    order[columns] = inputs.shape[1] + np.arange(len(columns))
    return graph.concat([inputs, found], axis=1)[:, order]


@converts(JoinedCategories)
def joined_categories(graph: Graph, joined: JoinedCategories, rows: Tensor) -> Tensor:
    if not joined.groups:
        return rows
    parts = [rows[:, joined.others]] if len(joined.others) else []
    for group in joined.groups:
        high = graph.cast(rows[:, group] > joined.between[group])
        code = graph.cast(graph("ArgMax", high, axis=1, keepdims=1))
        parts.append(graph("Where", high.max(axis=1, keepdims=True) > 0.0, code, -1.0))
    return graph.concat(parts, axis=1)


@converts(TypedColumns)
def typed_columns(graph: Graph, typed: TypedColumns, rows: Tensor) -> Tensor:
    parts: list[Any] = [rows[:, typed.numbers]] if len(typed.numbers) else []
    # a tensor stands for an array
    parts += [calendar(rows[:, j]) for j in typed.times]  # type: ignore[arg-type]
    for j, codes in zip(typed.categories, typed.codes, strict=True):
        found = _looked_up(graph, np.append(codes, np.nan), rows[:, j])
        parts.append(graph("Unsqueeze", found, np.array([1])))
    if typed.few:
        # no level is a median
        params = {"medians": np.zeros(len(typed.few))}
        parts.append(encode(graph, typed.encode, params, rows[:, typed.few]))
    return graph.concat(parts, axis=1)
