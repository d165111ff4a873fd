"""The picture of ``zorb demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..datasets.optional import import_optional

_HIGHLIGHT, _PLAIN, _TEXT = "#c8442c", "#7d8794", "#3a3f45"
_BLOCKS = {"ridge": "#e2a06b", "kernel": "#c8442c", "forest": "#6b8e5a", "boosting": "#4a7ba6"}


def plot_results(results: list[dict[str, Any]], path: str) -> str:
    """Draw scores, losses and the blocks of ZORB, a column for each data set.

    Parameters
    ----------
    results : list of dict
        As `demo.demo` collects them.
    path : str
        The PNG file to write.

    Returns
    -------
    str
        The path.
    """
    figure_module = import_optional("matplotlib.figure", "The plot of the demo")
    names = list(dict.fromkeys(row["dataset"] for row in results))
    figure = figure_module.Figure(figsize=(1.6 + 2.9 * len(names), 6), layout="constrained")
    axes = figure.subplots(3, len(names), squeeze=False, height_ratios=[4, 4, 1])
    for column, name in enumerate(names):
        rows = [row for row in results if row["dataset"] == name][::-1]
        scores, losses, parts = axes[:, column]
        _draw(scores, rows, "scores", f"{rows[0]['metric']} (more is better)")
        _draw(losses, rows, "losses", f"{rows[0]['loss']} (less is better)")
        _draw_blocks(parts, next(row["blocks"] for row in rows if "blocks" in row))
        scores.set_title(name.replace("_", " "), color=_TEXT, fontweight="bold")
        if column:
            scores.set_yticklabels([])
            losses.set_yticklabels([])
    n_folds = len(results[0]["scores"])
    figure.suptitle(
        f"Mean and standard deviation of {n_folds} folds (* best, = a tie with it).\n"
        "Below, the blocks of ZORB and their weights.",
        color=_TEXT, fontsize=10,
    )  # fmt: skip
    figure.savefig(path, dpi=150, format="png")
    return str(Path(path))


def _draw(axis: Any, rows: list[dict[str, Any]], key: str, label: str) -> None:
    """Draw one panel: a dot and a bar for each method."""
    for height, row in enumerate(rows):
        color = _HIGHLIGHT if row["method"] == "ZORB" else _PLAIN
        mean, std = np.mean(row[key]), np.std(row[key])
        bar = {"elinewidth": 4, "ecolor": (color, 0.45)}
        axis.errorbar(mean, height, xerr=std, fmt="o", ms=7, color=color, **bar)
        axis.annotate(
            f"{mean:.3f} {row[f'{key} mark']}" if mean < 10 else f"{mean:.0f} {row[f'{key} mark']}",
            (mean, height),
            (0, 7),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color=color,
        )
    axis.set_yticks(range(len(rows)), [row["method"] for row in rows], color=_TEXT, fontsize=9)
    axis.set_ylim(-0.5, len(rows) - 0.3)
    axis.margins(x=0.12)
    axis.set_xlabel(label, color=_TEXT, fontsize=9)
    axis.tick_params(axis="x", labelsize=8, colors=_TEXT)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x", color="0.92")
    axis.set_axisbelow(True)
    axis.spines[["top", "right", "left"]].set_visible(False)


def _draw_blocks(axis: Any, blocks: dict[str, float]) -> None:
    """Draw one bar, cut by the weights of the blocks."""
    left = 0.0
    for name, share in blocks.items():
        axis.barh(0, share, left=left, color=_BLOCKS[name], height=0.7)
        if share > 0.12:
            text = f"{name}\n{share:.2f}"
            axis.text(
                left + share / 2, 0, text, ha="center", va="center", color="white", fontsize=8
            )
        left += share
    axis.set(xlim=(0, 1), xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
