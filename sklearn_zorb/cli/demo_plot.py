"""The picture of ``zorb demo``."""

from pathlib import Path

import numpy as np

from ..datasets.optional import import_optional

_HIGHLIGHT, _PLAIN, _TEXT = "#c8442c", "#7d8794", "#3a3f45"


def plot_results(results, path):
    """Dots with bars of one standard deviation: scores above, fit times below.

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
    figure = figure_module.Figure(figsize=(1.2 + 2.9 * len(names), 4.6), layout="constrained")
    axes = figure.subplots(2, len(names), squeeze=False)
    for column, name in enumerate(names):
        rows = [row for row in results if row["dataset"] == name][::-1]
        scores, times = axes[:, column]
        _draw(scores, rows, "scores", f"{rows[0]['metric']} (higher is better)")
        _draw(times, rows, "fit_seconds", "fit time, seconds (log scale)")
        scores.set_title(name.replace("_", " "), color=_TEXT, fontweight="bold")
        times.sharex(axes[1, 0])  # one range for all
    times.set_xscale("log")
    times.xaxis.set_major_formatter("{x:g}")
    times.minorticks_off()
    n_folds = len(results[0]["scores"])
    figure.suptitle(
        f"ZORB beside other methods: mean and standard deviation over {n_folds} folds",
        color=_TEXT,
    )
    figure.savefig(path, dpi=150, format="png")
    return str(Path(path))


def _draw(axis, rows, key, label):
    """One panel: a dot and a bar for each method."""
    for height, row in enumerate(rows):
        color = _HIGHLIGHT if row["method"] == "ZORB" else _PLAIN
        mean, std = np.mean(row[key]), np.std(row[key])
        below = std if key == "scores" else min(std, 0.9 * mean)  # times: logarithms
        bar = {"elinewidth": 4, "ecolor": (color, 0.45)}
        axis.errorbar(mean, height, xerr=[[below], [std]], fmt="o", ms=7, color=color, **bar)
        axis.annotate(
            f"{mean:.3f}" if abs(mean) >= 0.01 else f"{mean:.1g}",
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
