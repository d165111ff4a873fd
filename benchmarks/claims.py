"""Write ``doc/results/performance.rst``: five claims, each with its plot, machine and command."""

from .common import on_record

INTRODUCTION = """\
.. Written by python -m benchmarks.report; change that, not this.

Performance
===========

Five claims, each with a plot, the machine and the command that repeats it, and one table of cases
in which another method is better. Rivals run beside ours, on the same machine in the same run.
Ratios travel between machines better than seconds do.
"""
LOSSES = """\
Where it loses
--------------

"""
RECORDS = """\
All records
-----------

The figures of each benchmark are kept as JSON in ``benchmarks/results``, with versions and
settings. Those of tables are on :doc:`tabular`, those of training rules on :doc:`rules`. ``python
-m benchmarks.run NAME`` measures again.

"""
NAMES = {
    "protocols": "the tasks on which the rule was published",
    "speed": "the published rule beside its plain implementation, all rows of MNIST",
    "accelerator": "networks on a GPU and on the processor beside it",
    "adam": "Adam's time to the same accuracy",
    "serving": "milliseconds of a prediction and bytes of a model",
    "serving_rows": "the same for many rows (``python -m benchmarks.serving --rows``)",
    "small_fits": "fits of few rows beside scikit-learn",
    "many_rows": "the default beside LightGBM on 20 000 rows",
    "scale": "time and memory by the shape of a table",
    "slow_peers": "the default beside xRFM and RealMLP as rows grow",
    "landmarks": "an exact kernel beside landmarks",
    "few_rows": "what a forest adds on few rows",
    "wide": "more columns than rows",
    "intervals": "what intervals hold",
    "long_tails": "columns with long tails",
    "importances": "importances beside permutation importance",
    "decision_linear": "trees below a linear read-out",
    "streaming": "rows on disk",
    "loo_optimism": "what the left-out score promises",
}
RED, GREY = "C3", "0.6"


def page(doc, list_table):
    """Write the page and its plots into the folder `doc`."""
    parts = [INTRODUCTION]
    for claim in (tables, intervals, scale, streaming, published):
        figure, title, text, name = claim()
        record, address = on_record(name), f"images/claim_{name}.png"
        figure.savefig(doc / address, dpi=120)
        version = record["versions"]["sklearn_zorb"]
        parts += [
            f"{title}\n{'-' * len(title)}\n\n{text}\n\n.. image:: {address}\n",
            f"*Repeat it:* ``python -m benchmarks.run {name}``. *Machine:* {record['cores']} cores."
            f" *Version:* {version}.\n",
        ]
    records = [
        {
            "name": f"``{name}``",
            "what": what,
            "version": on_record(name)["versions"]["sklearn_zorb"],
        }
        for name, what in NAMES.items()
        if on_record(name)
    ]
    parts += [LOSSES + list_table(losses()) + "\n", RECORDS + list_table(records) + "\n"]
    (doc / "performance.rst").write_text("\n".join(parts))


def axes_of(width=7.0, height=3.2):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def section():
    """The results of all tables of up to 1500 rows."""
    return next(row for row in on_record("tabular")["rows"] if row["max_rows"] == 1500)


def tables():
    lines = [row for row in section()["elo"] if row["model"] != "ZORB"]
    n_tables = max(row["tables"] for row in section()["costs"])
    lines = sorted(lines, key=lambda row: row["tables lost to ours"])
    figure, axes = axes_of(height=3.8)
    shares = [row["tables lost to ours"] for row in lines]
    bars = axes.barh([row["model"] for row in lines], shares, color=GREY)
    axes.bar_label(bars, fmt="%g", padding=3)
    axes.axvline(n_tables / 2, color=RED, linewidth=1)
    axes.set(xlabel=f"tables of {n_tables} on which the default is ahead", xlim=(0, n_tables))
    rivals = [row for row in lines if not row["model"].startswith("ZORB")]
    least = min(rivals, key=lambda row: row["tables lost to ours"])
    text = (
        "With nothing set, `ZORBClassifier` and `ZORBRegressor` are ahead of each other "
        f"method on at least {least['tables lost to ours']:g} of {n_tables} tables of up to 1500 "
        "rows, by area under the curve or R² of the same folds. The next best by this count is "
        f"{least['model']}. The red line is half of the tables."
    )
    return figure, "On small tables it is ahead of every rival", text, "tabular"


def intervals():
    rows = {row["model"]: row for row in on_record("intervals")["rows"]}
    figure, axes = axes_of()
    shares = ["0.5", "0.8", "0.9", "0.95"]
    for name, color in (("ZORB", RED), ("HistGradientBoosting", "C0"), ("LightGBM", GREY)):
        held = [rows[name][f"{share} all"] for share in shares]
        axes.plot([float(share) for share in shares], held, "o-", color=color, label=name)
    axes.plot([0.4, 1], [0.4, 1], ":", color="black", linewidth=1)
    axes.set(xlabel="coverage asked for", ylabel="new targets within")
    axes.legend(frameon=False)
    ours, other = rows["ZORB"], rows["HistGradientBoosting"]
    text = (
        f"On ten regression tables, intervals of 90 % hold {100 * ours['0.9 all']:.0f} % of new "
        f"targets, and {100 * ours['0.9 highest']:.0f} % of those with the highest predictions. "
        "Quantile regressions by boosting, one model for each end, hold "
        f"{100 * other['0.9 all']:.0f} %. The pinball loss is "
        f"{ours['pinball'] / other['pinball']:.2f} of theirs."
    )
    return figure, "Intervals hold what they promise", text, "intervals"


def scale():
    rows = [row for row in on_record("scale")["rows"] if str(row["shape"]).isdigit()]
    sizes = [int(row["shape"]) for row in rows]
    figure, axes = axes_of()
    lines = {
        "auto s": ('layers="auto"', RED),
        "fast s": ('layers="fast"', "C1"),
        "peer s": ("LightGBM", GREY),
    }
    for key, (name, color) in lines.items():
        axes.loglog(sizes, [row[key] for row in rows], "o-", color=color, label=name)
    axes.set(xlabel="rows", ylabel="fit, seconds of one processor")
    axes.legend(frameon=False)
    first, last = rows[1], rows[-1]
    text = (
        f"From {first['shape']} to {last['shape']} rows of 30 columns, {sizes[-1] / sizes[1]:g} "
        f"times as many, the default takes {last['auto s'] / first['auto s']:.1f} times as long. "
        f'It then takes {last["auto / peer"]:.1f} times as long as LightGBM, and ``layers="fast"`` '
        f"{last['fast / peer']:.1f} times. Accuracy there: {last['auto score']:.3f}, "
        f"{last['fast score']:.3f} and {last['peer score']:.3f} for LightGBM. Up to 3000 rows the "
        "kernel is exact, and its time rises with their cube."
    )
    return figure, "On many rows the time of a fit rises slower than the rows", text, "scale"


def streaming():
    rows = on_record("streaming")["rows"]
    sizes = [row["rows"] / 1e6 for row in rows]
    figure, axes = axes_of()
    axes.semilogx(sizes, [row["extra MB"] for row in rows], "o-", color=RED)
    axes.axhline(500, linestyle=":", color="black", linewidth=1)
    axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
    axes.minorticks_off()
    axes.set(xlabel="million rows of 50 columns on disk", ylabel="memory, MB", ylim=(0, 550))
    last = rows[-1]
    text = (
        f"``Dense[256] Tanh`` learns from {sizes[-1]:g} million rows of a memory map in "
        f'{last["fit s"]:.0f} s with ``memory_limit="500MB"`` (dotted), and adds '
        f"{last['extra MB']:.0f} MB. Twice the rows take {last['time ratio']:.1f} times as long."
    )
    return figure, "Rows may lie on disk", text, "streaming"


def published():
    rows = [row for row in on_record("protocols")["rows"] if "published" in row]
    rows = [row for row in rows if row["published"] < 1 and row["ours"] < 1][::-1]
    figure, axes = axes_of(height=3.6)
    names = [row["task"] for row in rows]
    axes.plot([row["published"] for row in rows], names, "o", color=GREY, label="published rule")
    axes.plot([row["ours"] for row in rows], names, "o", color=RED, label="ours")
    axes.set(xlabel="accuracy (of sinc, mean absolute error: less is better)")
    axes.legend(frameon=False)
    deep = next(row for row in rows if row["task"] == "mnist, 11-layer widths")
    adam = on_record("adam")["rows"][0]
    text = (
        "The widths of the published networks, by the published rule with its settings, and by "
        "`ZORB` with penalties by leave-one-out and a relaxation. Eleven layers on MNIST: "
        f"{deep['ours']:.3f} in {deep['fit s']:.0f} s, published {deep['published']:.3f}. With "
        f"receptive fields they have {adam['ours test']:.3f}; Adam in PyTorch did not come to that "
        f"in {adam['Adam / ours']:.0f} times our time (``python -m benchmarks.run adam``)."
    )
    return figure, "Networks in closed form beat the published rule", text, "protocols"


def losses():
    """List cases in which another method is better, from the same records."""
    rows = [
        loss(f"{row['table']}, {row['measure']}", row["ours"], row["best other"], row["its score"],
             "tabular")
        for row in section()["tables"]
        if row["measure"] in ("accuracy", "r2") and row["ahead by"] < -0.01
    ]  # fmt: skip
    for row in on_record("scale")["rows"]:
        if row["auto / peer"] > 2:
            case = f"time of a fit, {row['shape']}{' rows' if row['shape'].isdigit() else ''}"
            times = [f"{row[key]:.1f} s" for key in ("auto s", "peer s")]
            rows.append(loss(case, times[0], row["peer"], times[1], "scale"))
    for row in on_record("slow_peers")["rows"]:
        if row["ours / peer"] > 1:
            case = f"time of a fit, {row['table']}, {row['rows']} rows"
            times = [f"{row[key]:.1f} s" for key in ("ours s", "peer s")]
            rows.append(loss(case, times[0], row["peer"], times[1], "slow_peers"))
    for row in on_record("paper")["rows"]:
        sign = 1 if row["score"] == "accuracy" else -1
        if sign * (row["Adam"] - row["ZORB"]) > 0.005:
            case = f"{row['task']}, {row['score']}"
            rows.append(loss(case, row["ZORB"], "Adam, the same layers", row["Adam"], "paper"))
    return rows


def loss(case, ours, rival, its, record):
    names = ("case", "ours", "the better one", "it has", "record")
    return dict(zip(names, (case, ours, rival, its, f"``{record}``"), strict=True))
