"""Write the documentation's figures and plots from the JSON that benchmarks left."""

import json
from pathlib import Path

from . import blocks, rules_page
from .common import RESULTS
from .tabular import page

DOC = Path(__file__).parent.parent / "doc" / "results"
PAGES = {
    "protocols": (
        "Published tasks",
        "Means over seeds 0 to 10 on the published splits; accuracy, or mean absolute error for "
        "sinc and Boston. The column *published rule, same splits* is the rule with "
        "``relaxation=1, alpha=0, readout='last'`` on unscaled rows, run here, for iris behind a "
        "softmax.",
    ),
    "speed": (
        "The published rule, beside its plain implementation",
        "All rows of MNIST in float64. *plain* takes ``numpy.linalg.pinv`` of every layer's rows "
        "and weights, behind a softmax as published; ours chooses its penalties by leave-one-out "
        "and has no softmax. With a relaxation of 1, as published, that is less accurate on so "
        "many rows; with one of .9 it is more. Times are medians and accuracies means over three "
        "seeds. The Gram bound is what the sums of squares of all widths times the rows would "
        "take at the rate of BLAS's symmetric product, measured in the same run.",
    ),
    "accelerator": (
        "On an accelerator",
        "The eleven-layer network above, with a relaxation of 1 and .5 for the first layer, on an "
        "accelerator, by JAX, and on the processor beside it, by NumPy. The first fit of a size "
        "waits for compilers; *warm* is the median of seven later ones. *predict* takes the rows "
        "of the fit. *fit / products* is the warm time beside that of all Gram matrices at the "
        "rate of the device's large products.",
    ),
    "adam": (
        "Beside Adam",
        "Training time of Adam (PyTorch, batches of 128) to the test accuracy of our fit, or to "
        ".980; the clock stops while accuracy is looked at. The fastest run of a claim counts; "
        "one that is slower than the fastest so far, or than the ratio to be shown and a "
        "twentieth more, ends there.",
    ),
    "serving": (
        "To predict with, and to keep",
        "Fits on 1200 rows of each table, as on :doc:`/results/tabular`, with one thread, and what "
        "is then predicted through the whole pipeline: the median and the slowest of 50 single "
        "rows, the median of five times all test rows, and the bytes of the pickle. Seconds are "
        "those of the processor.",
    ),
    "small_fits": (
        "Small fits",
        "Medians of runs in turn with the peer, and the median of their ratios.",
    ),
    "many_rows": (
        "The default on many rows",
        "Tables: means over ten splits, all other rows for the test, both models with two jobs; "
        "the standard error is that of the difference of scores. MNIST: all test rows.",
    ),
    "scale": (
        "Time and memory of efforts, by the shape of a table",
        "Rows of 30 numeric columns and three classes beside LightGBM, and wide tables of two "
        "classes, which ten columns decide, beside a random forest of 200 trees, all with one "
        "thread, in seconds of the processor. Each fit has a process of its own; *MB* is the most "
        "memory that it adds. Scores are those of 5000 other rows, and of 500 for wide tables.",
    ),
    "slow_peers": (
        "Beside xRFM and RealMLP as rows grow",
        "Accuracy and R² on all other rows, and seconds of a fit with two threads; both peers have "
        "the defaults of pytabkit. A kernel machine without landmarks takes time in proportion to "
        "the cube of the rows, or nearly so, and is the faster one on few rows.",
    ),
    "landmarks": (
        "An exact kernel on a few thousand rows",
        "The default, the first kernel of which is exact up to 3000 distinct rows, beside the "
        "same stack with 1500 landmarks there; scores are accuracies, or R² of both "
        "friedman tables. Means over three splits, all other rows up to 4000 for the test.",
    ),
    "few_rows": (
        "Trees on few rows",
        "What the forest in the default brings when so many rows are drawn from each table: mean "
        "gains over tables with their standard errors, and on how many tables it is the better.",
    ),
    "wide": (
        "More columns than rows",
        "The default beside a linear model with a penalty found by cross-validation and a forest "
        "of 200 trees, on 2000 rows held out; *loo* is what the default says of itself.",
    ),
    "intervals": (
        "Intervals and quantiles",
        "Regression tables, at most 3000 training rows, means over tables of means over splits. "
        "*pinball* is the pinball loss over seven quantiles from .05 to .95, relative to that of "
        "the quantiles of the training targets; the other columns are the shares covered by "
        "intervals, of all test rows and of the thirds with the lowest, middle and highest "
        "predictions. *one width* is that of the left-out errors of the same model; boosting has "
        "one model for each quantile.",
    ),
    "long_tails": (
        "Columns with long tails",
        "1000 rows of eight columns, scores on 2000 more; *without* is the default without "
        "``NormalScores`` before its kernels.",
    ),
    "importances": (
        "Importances of columns",
        "Rank correlations with permutation importance on real tables, in log-loss or R²: *halves* "
        "is that of two runs on one half of the test rows each, *seeds* that of two runs with "
        "other shuffles of the same test rows, *training* that of a run on training rows.",
    ),
    "decision_linear": (
        "Trees below a linear read-out",
        "All rows of MNIST, 32 outputs of a forest and a ridge on them; the last column says which "
        "one leave-one-out chose.",
    ),
    "streaming": (
        "Rows on disk",
        "``Dense[256] Tanh`` on 50 columns of a memory map, each size in a process of its own.",
    ),
}

# what figures of a version were measured with, and is gone since
GONE = {
    ("0.1.0", "speed"): (
        "Measured at 0.1.0, which read only those units of a hidden layer that the others followed "
        "from. That is gone."
    ),
    ("0.1.0", "accelerator"): (
        "Measured at 0.1.0 with initial weights of low rank in the first layer. They are gone."
    ),
    ("0.1.0", "small_fits"): (
        "Measured at 0.1.0, which made random generators late and checked equal parameters only "
        "once. Both are gone."
    ),
    ("0.1.0", "many_rows"): (
        "Measured at 0.1.0, which inverted triangles by halves and told penalties from tridiagonal "
        "forms. Both are gone."
    ),
}


# layer texts are long, and goals are for whoever runs the script
HIDDEN = ("layers", "to reach", "fit s to reach")


def cell(value):
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"``{value}``" if isinstance(value, str) and "[" in value else str(value)


def list_table(rows):
    """A reStructuredText table; columns that no row fills are left out."""
    names = [n for n in dict.fromkeys(n for row in rows for n in row) if n not in HIDDEN]
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in [dict(zip(names, names, strict=True)), *rows]:
        for i, name in enumerate(names):
            lines.append(f"   {'*' if i == 0 else ' '} - {cell(row.get(name, ''))}")
    return "\n".join(lines)


def plot_streaming(record):
    from matplotlib.figure import Figure

    rows = record["rows"]
    sizes = [row["rows"] / 1e6 for row in rows]
    figure = Figure(figsize=(7, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.loglog(sizes, [row["fit s"] for row in rows], "o-")
    left.set(xlabel="million rows", ylabel="fit, seconds", title="time")
    right.semilogx(sizes, [row["extra MB"] for row in rows], "o-")
    right.set(xlabel="million rows", ylabel="extra memory, MB", title="memory", ylim=(0, None))
    figure.savefig(DOC / "images" / "streaming.png", dpi=120)
    return "images/streaming.png"


def plot_speed(record):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 2.8), layout="constrained")
    axes = figure.subplots()
    names = [f"{row['net']}, {row['ours']}" for row in record["rows"]]
    for offset, key in ((0.2, "plain s"), (-0.2, "ours s")):
        values = [row.get(key, 0) for row in record["rows"]]
        bars = axes.barh([i + offset for i in range(len(names))], values, 0.38, label=key[:-2])
        axes.bar_label(bars, fmt="%.3g s", padding=3)
    axes.set(xscale="log", yticks=range(len(names)), yticklabels=names, xlabel="fit, seconds")
    axes.margins(x=0.25)
    axes.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1))
    figure.savefig(DOC / "images" / "speed.png", dpi=120)
    return "images/speed.png"


PLOTS = {"streaming": plot_streaming, "speed": plot_speed}


def main():
    (DOC / "images").mkdir(exist_ok=True)
    parts = [
        ".. Written by python -m benchmarks.report; change that, not this.\n",
        "Performance\n===========\n",
        "Every figure on this page comes from a script in ``benchmarks/``, run with the rivals "
        "beside it on the same machine in the same run. Ratios travel between machines better "
        "than seconds do. The line above each table says which version was measured. Why the "
        "figures are what they are: :doc:`/project/how_fast`.\n",
    ]
    for name, (title, text) in PAGES.items():
        path = RESULTS / f"{name}.json"
        if not path.exists():
            continue
        record = json.loads(path.read_text())
        version = record["versions"]["sklearn_zorb"]
        parts.append(f"{title}\n{'-' * len(title)}\n\n{text}\n")
        if (version, name) in GONE:
            parts.append(GONE[version, name] + "\n")
        device = f" and one {record['device']}" if "device" in record else ""
        cores = f"on {record['cores']} cores{device}"
        parts.append(f"``python -m benchmarks.run {name}``, version {version}, {cores}:\n")
        parts.append(list_table(record["rows"]) + "\n")
        if name in PLOTS:
            parts.append(f".. image:: {PLOTS[name](record)}\n")
    (DOC / "performance.rst").write_text("\n".join(parts))
    page.main(DOC, list_table)
    blocks.page(DOC, list_table)
    rules_page.page(DOC, list_table)


if __name__ == "__main__":
    main()
