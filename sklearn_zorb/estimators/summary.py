"""The table that `summary` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .model import FittedModel


def summary_table(model: FittedModel) -> str:
    """Name, type, output shape and number of parameters of every layer of a `FittedModel`."""
    network = model.network
    shapes = network.shapes
    rows = [("layer", "type", "output shape", "parameters")]
    total = 0
    for i, (name, layer) in enumerate(zip(network.names, network.layers, strict=True)):
        count = count_parameters(model.params[i])
        total += count
        rows.append((name, type(layer).__name__, str(shapes[i + 1]), f"{count:,}"))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = []
    for i, row in enumerate(rows):
        cells = [cell.ljust(width) for cell, width in zip(row[:3], widths, strict=False)]
        lines.append("  ".join([*cells, row[3].rjust(widths[3])]))
        if i == 0:
            lines.append("-" * len(lines[0]))
    lines.append("-" * len(lines[0]))
    seen = [network.names[i] for i in network.taps[:-1]]
    lines.append(f"{total:,} parameters")
    if seen:
        lines.append("the read-out also sees the inputs of: " + ", ".join(seen))
    return "\n".join(lines)


def count_parameters(params: Any) -> int:
    """Number of learned numbers in (nested) params."""
    if isinstance(params, dict):
        return sum(count_parameters(value) for value in params.values())
    dtype = getattr(params, "dtype", None)  # a fitted model has none
    return int(np.size(params)) if dtype is not None and dtype.kind == "f" else 0
