"""The tables that `summary` prints and notebooks show: layers, and the blocks of a stack."""

from __future__ import annotations

import pickle
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from ..lists import format_layers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .model import FittedModel

    Row = Sequence[str]


def summary_text(model: FittedModel, history: Sequence[dict[str, Any]]) -> str:
    """Write the tables of a fitted model as text."""
    rows, total = layer_rows(model)
    lines = [*_lines(rows, "<<<>"), f"{total:,} parameters"]
    seen = [model.network.names[i] for i in model.network.taps[:-1]]
    if seen:
        lines.append("the read-out also sees the inputs of: " + ", ".join(seen))
    blocks = block_rows(model, history)
    if blocks:
        lines += ["", *_lines(blocks, ">>>>><")]
    return "\n".join(lines)


def summary_html(model: FittedModel, history: Sequence[dict[str, Any]]) -> str:
    """Write the tables of a fitted model as HTML, as they stand below a diagram."""
    tables = [layer_rows(model)[0], block_rows(model, history)]
    return "".join(_table(rows) for rows in tables if rows)


def layer_rows(model: FittedModel) -> tuple[list[Row], int]:
    """List name, type, output shape and number of parameters of every layer, and their sum."""
    network, total = model.network, 0
    rows: list[Row] = [("layer", "type", "output shape", "parameters")]
    for i, (name, layer) in enumerate(zip(network.names, network.layers, strict=True)):
        count = count_parameters(model.params[i])
        total += count
        rows.append((name, type(layer).__name__, str(network.shapes[i + 1]), f"{count:,}"))
    return rows, total


def block_rows(model: FittedModel, history: Sequence[dict[str, Any]]) -> list[Row]:
    """List what each block of a stack at the end weighs and knows; nothing without a stack."""
    reports = [entry for entry in history if "block_scores" in entry]
    if not reports:
        return []
    report, stack = reports[-1], model.network.layers[-1]
    score = "R2" if model.decoder.task == "regression" else "accuracy"
    rows: list[Row] = [("block", "weight", f"left-out {score}", "kB", "seconds", "layers")]
    for i, block in enumerate(stack.children()):
        kept = pickle.dumps(model.params[-1][f"branch_{i + 1}"])
        weight = report["block_weights"][i]
        rows.append((
            str(i + 1), f"{weight:.2f}", f"{report['block_scores'][i]:.3f}",
            f"{len(kept) / 1000:.0f}" if weight else "0",
            f"{report['block_seconds'][i]:.2f}", _described(block),
        ))  # fmt: skip
    return rows


def count_parameters(params: Any) -> int:
    """Count the learned numbers in (nested) params."""
    if isinstance(params, dict):
        return sum(count_parameters(value) for value in params.values())
    dtype = getattr(params, "dtype", None)  # a fitted model has none
    return int(np.size(params)) if dtype is not None and dtype.kind == "f" else 0


def _described(layers: Sequence[Any]) -> str:
    try:
        return format_layers(layers)
    except ValueError:  # parameters that text cannot hold
        return " ".join(type(layer).__name__ for layer in layers)


def _lines(rows: Sequence[Row], sides: str) -> list[str]:
    """Lines of a table, its head set apart; a last column is not filled with spaces."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    head, *body = (
        "  ".join(f"{cell:{side}{w}}" for cell, side, w in zip(row, sides, widths, strict=True))
        for row in rows
    )
    rule = "-" * min(sum(widths) + 2 * len(widths) - 2, 79)
    return [line.rstrip() for line in (head, rule, *body, rule)]


def _table(rows: Sequence[Row]) -> str:
    head, *body = rows
    return (
        '<table style="margin-top: 0.5em"><thead>' + _row(head, "th") + "</thead><tbody>"
        + "".join(_row(row, "td") for row in body) + "</tbody></table>"
    )  # fmt: skip


def _row(cells: Iterable[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"
