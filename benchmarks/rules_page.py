"""Write ``doc/results/rules.rst``: training rules beside their published figures."""

import json
from itertools import groupby

from .common import RESULTS

INTRODUCTION = """\
.. Written by python -m benchmarks.report; change that, not this.

Training rules, beside what was published
=========================================

Each table comes from a script in ``benchmarks/``, with fixed seeds; its docstring says what data,
settings and splits it takes, and in what they differ from the published ones. Published figures
are those of the papers named there and of their code, on their machines; ours are of the
machine that wrote the table. Nothing is chosen by test rows.
"""
SECTIONS = {
    "zenkai": (
        "Target propagation",
        "MNIST, test accuracy. Trees, solved layers and layers that take gradient steps stand in "
        "one network. The published figures are those of Table 1 of G. Short, \"Zenkai\", "
        "arXiv:2311.09663.",
    ),
    "forward_gradient": (
        "Forward gradients",
        "The published runs stop at a cross-entropy of .3 and .2: the column *s to it* is our time "
        "until then, and the accuracy is that after going on to .1. The convolutional network "
        "sees the same 500 images over and over; the published one stayed at chance.",
    ),
    "random_bases": (
        "Random bases",
        "Test accuracy of every rule, and its share of what gradient descent reaches after as many "
        "epochs (NES, whose epoch takes as long as 64 of the others, has fewer), each on one core. "
        "The published figures took 100 epochs.",
    ),
    "paper": (
        "Closed forms and Adam",
        "The same layers trained by `ZORBClassifier` or `ZORBRegressor`, by Adam and by a "
        "multi-layer extreme learning machine: accuracy, or mean absolute error for sinc and "
        "Boston, and seconds of a fit.",
    ),
}  # fmt: skip
# what figures of a version were measured with, and is gone since
GONE = {
    ("0.1.0", "random_bases"): (
        "Measured at 0.1.0. There the directions of RBD and FPD were rows of a Hadamard matrix, "
        "which are gone, but for count sketches in the fully connected network on Fashion-MNIST. "
        "The script now takes count sketches everywhere."
    ),
}
IMAGES = {"forward_gradient": "images/forward_gradient.png"}


# rows with other columns get a table of their own
PARTS = {"forward_gradient": lambda row: row["data"], "paper": lambda row: "MLELM" in row}


def tables_of(name, rows):
    """The rows of each table of a benchmark; gradient descent reaches all of what it reaches."""
    if name == "random_bases":
        rows = [{**row, "share": 1, "published share": 1} if row["rule"] == "sgd" else row
                for row in rows]  # fmt: skip
    return [list(part) for _, part in groupby(rows, PARTS.get(name))] if name in PARTS else [rows]


def page(doc, list_table):
    """Write the page into the folder `doc`, a section for each benchmark that has results."""
    parts = [INTRODUCTION]
    for name, (title, text) in SECTIONS.items():
        path = RESULTS / f"{name}.json"
        if not path.exists():
            continue
        record = json.loads(path.read_text())
        version = record["versions"]["sklearn_zorb"]
        text = "\n\n".join([text, *([GONE[version, name]] if (version, name) in GONE else [])])
        command = f"python -m benchmarks.{name} --{record['size']}"
        parts += [
            f"{title}\n{'-' * len(title)}\n\n{text}\n",
            f"``{command}``, version {version}, on {record['cores']} cores:\n",
            *(list_table(rows, "not published") + "\n" for rows in tables_of(name, record["rows"])),
        ]
        if name in IMAGES and (doc / IMAGES[name]).exists():
            parts.append(f".. image:: {IMAGES[name]}\n")
    (doc / "rules.rst").write_text("\n".join(parts))
