"""Write ``doc/tabular.rst`` and its plots from the JSON that the suite left."""

import json

from ..common import RESULTS
from .models import LIGHT, OURS, PEERS
from .ranks import diagram
from .summary import MAIN, MEASURES

INTRODUCTION = """\
.. Written by python -m benchmarks.report; change that, not this.

Tables
======

``ZORBClassifier()`` and ``ZORBRegressor()`` with nothing set, beside other estimators with
nothing set. ``python -m benchmarks.run tabular`` measures, ``python -m benchmarks.report``
writes this page; ``python -m benchmarks.tabular --help`` names what can be chosen.

- Tables: small public ones, those that come with scikit-learn, and generated ones. Longer ones
  are cut to a drawn subset of rows.
- Five folds, stratified for classes, with rows and folds drawn by the seed. Scores are means
  over folds and seeds.
- Medians for missing numbers, categories and scales are found on training rows only. SVM, MLP,
  the linear models and ours get one-hot categories and scaled numbers; forests get categories
  as whole numbers; boosting, RealMLP and xRFM take categories as they are.
- Nothing is tuned, unless it says so; but forests have 200 trees, SVR and MLPRegressor see a
  target of unit variance, probabilities of the SVM come from ``CalibratedClassifierCV``, and
  the linear models are ``LogisticRegression(max_iter=1000)`` and ``RidgeCV()``. RealMLP
  and xRFM have the defaults of pytabkit, which hold out a fifth of the training rows; *xRFM,
  tuned* is pytabkit's search, which keeps the best of 50 drawn settings on those rows.
- In the log-loss no probability counts as less than 1e-7.
- Seconds are those of one thread, taken along with the scores, if need be beside other work;
  the comparison with a forest (``python -m benchmarks.tabular --timing``) is timed by itself.
  Memory is by how much the process grew while fitting.
"""


def main(doc, list_table):
    """Write the page into the folder `doc`, tables by `list_table`; nothing without results."""
    path = RESULTS / "tabular.json"
    if not path.exists():
        return
    (doc / "images").mkdir(exist_ok=True)
    record = json.loads(path.read_text())
    parts = [INTRODUCTION, "Versions: " + ", ".join(f"{name} {number}" for name, number in
             {**record["versions"], **record["peers"]}.items()) + ".\n"]  # fmt: skip
    for section in record["rows"]:
        parts += [part for part in section_parts(section, doc, list_table) if part]
    times = RESULTS / "tabular_times.json"
    if times.exists():
        rows = json.loads(times.read_text())["rows"]
        parts += [heading("Beside a forest, on two threads"), list_table(rows) + "\n"]
    (doc / "tabular.rst").write_text("\n".join(parts))


def heading(text, mark="-"):
    return f"{text}\n{mark * len(text)}\n"


def section_parts(section, doc, list_table):
    """The text of one row limit."""
    limit = section["max_rows"]
    title = f"At most {limit} rows" if limit else "All rows"
    yield heading(title)
    yield heading("Mean ranks", "~")
    yield RANKS
    yield list_table(rank_rows(section)) + "\n"
    for row in section["ranks"]:
        if row["measure"] in (*MAIN.values(), "log_loss") and "mean ranks" in row:
            yield f".. image:: {plot(row, limit, doc)}\n"
    for task, measure in MAIN.items():
        rows = [row for row in section["tables"] if row["measure"] == measure]
        if rows:
            yield heading(f"Table by table, {task}", "~")
            yield verdict(rows)
            yield list_table([without(row, "measure") for row in rows]) + "\n"
    if section["slow"]:
        yield heading("Beside RealMLP and xRFM", "~")
        yield SLOW
        yield list_table([without(row, "ours") for row in section["slow"]]) + "\n"
    if section["light"]:
        yield heading("Where milliseconds count", "~")
        yield light()
        yield list_table(section["light"]) + "\n"
    yield heading("Time and memory", "~")
    yield COSTS
    yield list_table(cost_rows(section["costs"])) + "\n"
    yield heading("What leave-one-out promises", "~")
    yield PROMISE
    yield list_table([row for row in section["loo"] if row["tables"]]) + "\n"
    if section["failed"]:
        yield heading("Failed fits", "~")
        yield list_table(section["failed"]) + "\n"


RANKS = """\
Among the untuned models, 1 being the best; ties share a rank. *margin of ours* is the distance
to the best of the others, negative where another is first. Models whose mean ranks differ by
less than the critical difference (Nemenyi, 5 %) the tables do not tell apart; a bar joins them.
Only folds that all models have count: *folds* is their number over all tables and seeds.
"""
SLOW = """\
By accuracy and R², on the folds that both have, however few. *ratio* is our total fit time over
theirs.
"""
COSTS = """\
Seconds to fit, and to predict the test rows of, one fold of every table; megabytes by which the
process grew at the table where it grew most. Freed memory that a library keeps for itself hides
part of what a later fit takes.
"""
PROMISE = """\
``loo_score_`` less the score on test rows, median over the tables. What the blocks learned has
seen each left-out row, hence the optimism.
"""


LIGHT_ONES = """\
Two lists for fits of a few milliseconds, of which one-hot categories and scaled numbers take
about half:

{lists}
They were picked out of about thirty that were tried on these very tables, which flatters them.
"""


def light():
    """What the short lists are."""
    lists = [f"- *{name}*: ``{make.keywords['layers']}``\n" for name, make in LIGHT.items()]
    return LIGHT_ONES.format(lists="".join(lists))


def rank_rows(section):
    """One row for each model, one column for each measure."""
    lines = [row for row in section["ranks"] if "mean ranks" in row]
    rows = [
        {"model": name, **{row["measure"]: round(row["mean ranks"][name], 2) for row in lines}}
        for name in (OURS, *PEERS)
        if any(name in row["mean ranks"] for row in lines)
    ]
    for key in ("margin of ours", "critical difference", "Friedman p", "tables", "folds"):
        rows.append({"model": f"*{key}*", **{row["measure"]: row[key] for row in lines}})
    return rows


def plot(row, limit, doc):
    """Draw one critical-difference plot; its address in the documentation."""
    names, values = zip(*row["mean ranks"].items(), strict=True)
    measure = row["measure"]
    title = f"{measure.replace('_', ' ')}, {MEASURES[measure][0]}, {row['tables']} tables"
    address = f"images/tabular_{measure}_{limit or 'all'}.png"
    diagram(names, values, row["critical difference"], title, doc / address)
    return address


def verdict(rows):
    """One sentence on where ours is first and where it is far from it."""
    first = [row["table"] for row in rows if row["ahead by"] >= 0]
    behind = [row["table"] for row in rows if row["ahead by"] < -0.01]
    text = f"Ours is first, or level with the best, on {len(first)} of {len(rows)} tables"
    if behind:
        text += f", and more than .01 behind the best of the others on {', '.join(behind)}"
    return text + ". *ahead by* is the margin over the best of the others.\n"


def cost_rows(rows):
    names = {"fit_s": "fit s", "predict_s": "predict s", "extra_mb": "most MB"}
    return [{names.get(key, key): value for key, value in row.items()} for row in rows]


def without(row, name):
    return {key: value for key, value in row.items() if key != name}
