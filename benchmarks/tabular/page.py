"""Write ``doc/results/tabular.rst`` and its plots from the JSON that the suite left."""

import json
from statistics import median

from ..common import RESULTS, on_record
from . import frontier
from .models import EFFORTS, LIGHT, OURS, PEERS, PIPELINE
from .ranks import diagram
from .summary import MAIN, MEASURES

INTRODUCTION = """\
.. Written by python -m benchmarks.report; change that, not this.

Tables
======

`ZORBClassifier()` and `ZORBRegressor()` with nothing set, beside other estimators with
nothing set. ``python -m benchmarks.run tabular`` measures, ``python -m benchmarks.report``
writes this page; ``python -m benchmarks.tabular --help`` names what can be chosen.

- Tables: small public ones, those that come with scikit-learn, and generated ones. Longer ones
  are cut to a drawn subset of rows.
- Five folds, stratified for classes, with rows and folds drawn by the seed. Scores are means
  over folds and seeds.
- Ours takes the frame as it was read, text and gaps included. For others, medians for missing
  numbers, categories and scales are found on training rows only. SVM, MLP and the linear models
  get one-hot categories and scaled numbers; forests get categories as whole numbers; boosting,
  RealMLP and xRFM take categories as they are.
- Nothing is tuned, unless it says so; but forests have 200 trees, SVR and MLPRegressor see a
  target of unit variance, probabilities of the SVM come from ``CalibratedClassifierCV``, and
  the linear models are ``LogisticRegression(max_iter=1000)`` and ``RidgeCV()``. RealMLP
  and xRFM have the defaults of pytabkit, which hold out a fifth of the training rows; *xRFM,
  tuned* is pytabkit's search, which keeps the best of 50 drawn settings on those rows.
- In the log-loss no probability counts as less than 1e-7.
- Seconds are those of one thread, taken along with the scores: ours are what the processor spent
  beside other work; those of the peers are older and by the clock, and agreed to a quarter for
  boosting and forests that were measured again on one fold. The comparison with a forest
  (``python -m benchmarks.tabular --timing``) is timed by itself. Memory is by how much the
  process grew while fitting.
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
    if section["elo"]:
        yield heading("Elo", "~")
        yield ELO
        yield f".. image:: {frontier_plot(section, doc)}\n"
        yield list_table(elo_rows(section["elo"])) + "\n"
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
    yield heading("Efforts", "~")
    yield EFFORT
    yield list_table(effort_rows(section["efforts"])) + "\n"
    if section["tuned"]:
        yield heading("Beside a search for settings", "~")
        yield SEARCH
        yield list_table(tuned_rows(section["tuned"])) + "\n"
    if section["raw"]:
        yield heading("As it was read, and behind a pipeline", "~")
        yield raw_verdict(section["raw"])
        yield list_table(section["raw"]) + "\n"
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


ELO = """\
By the formula of bencheval, the engine of TabArena: a model 400 points ahead of another is the
better one on ten of eleven tables, by area under the curve or R²; RandomForest has 1000.
*from* and *to* bound 95 % of what other draws of the tables would say (bootstrap). *lost* counts
the tables on which *ZORB* is ahead of the model; a tie is half of one. *fit s* is the median over
the tables. *row ms*, *rows ms* and *MB* are the medians of ``benchmarks/serving.py`` for one row,
for the test rows together and for the pickle of the fitted pipeline.
"""
EFFORT = """\
``layers="fast"``, ``"auto"`` and ``"best"``, each beside the untuned others alone: its mean rank
in each measure, and the place that this is, on the tables and folds where it was measured.
"""
SEARCH = """\
Mean ranks of three: ours and one other with the best of 20 drawn settings, by five folds of the
training rows, on the tables and folds that all three have. Settings are drawn by one code for all;
CatBoost draws up to 400 rounds, where its default is 1000, to keep a search to minutes.
"""
RAW = f"""\
The tables with text or gaps: *{OURS}* takes the frame as it was read, *{PIPELINE}* its
numbers after medians for gaps, one-hot encoding and scaling.
"""
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


def elo_rows(lines):
    """One row for each model that was measured."""
    rows = []
    for line in lines:
        served = serving(line["model"])
        rows.append({"model": line["model"], "Elo": round(line["Elo"]), "from": round(line["low"]),
                     "to": round(line["high"]), "lost": line["tables lost to ours"],
                     "fit s": line["fit s"], **served})  # fmt: skip
    return rows


def serving(model):
    """Medians over tables of what it takes to predict with a model, and to keep it."""
    rows = [row for row in on_record("serving").get("rows", []) if row["model"] == model]
    names = {"row ms": "one row ms", "rows ms": "all rows ms", "MB": "pickle MB"}
    return {short: median(row[name] for row in rows) for short, name in names.items() if rows}


def frontier_plot(section, doc):
    """Draw ratings against seconds; its address in the documentation."""
    address = f"images/tabular_elo_{section['max_rows'] or 'all'}.png"
    n_tables = max(row["tables"] for row in section["costs"])
    title = f"{n_tables} tables, nothing tuned unless it says so; further up and left is better"
    frontier.diagram(section["elo"], list(EFFORTS), title, doc / address)
    return address


def effort_rows(lines):
    """One row for each effort that was measured: mean ranks, and how many are ahead of it."""
    rows = []
    for name in EFFORTS:
        found = {line["measure"]: line["mean ranks"] for line in lines
                 if line["effort"] == name and "mean ranks" in line}  # fmt: skip
        row = {"effort": name}
        for measure in MEASURES:
            ranks = found.get(measure)
            if ranks:
                place = 1 + sum(rank < ranks[name] for rank in ranks.values())
                row[measure] = f"{ranks[name]:.2f} ({place}. of {len(ranks)})"
        n_folds = sum(line["folds"] for line in lines
                      if line["effort"] == name and line["measure"] in MAIN.values())  # fmt: skip
        if found:
            rows.append({**row, "folds": n_folds})
    return rows


def tuned_rows(lines):
    """Rows of each peer: one for each model, one column for each measure, and counts of tables."""
    rows = []
    for peer in dict.fromkeys(line["peer"] for line in lines):
        beside = [line for line in lines if line["peer"] == peer]
        found = {line["measure"]: line["mean ranks"] for line in beside if "mean ranks" in line}
        names = dict.fromkeys(name for ranks in found.values() for name in ranks)
        rows += [
            {"beside": peer, "model": name, **{key: ranks[name] for key, ranks in found.items()}}
            for name in names
        ]
        counts = {line["measure"]: line["tables"] for line in beside}
        rows.append({"beside": peer, "model": "*tables*", **counts})
    return rows


def raw_verdict(rows):
    """One sentence on what preparing the columns by hand would bring."""
    level = sum(row["ahead by"] >= 0 for row in rows)
    text = RAW + f"As it was read is level or ahead on {level} of {len(rows)} tables"
    for measure in MAIN.values():
        ours = [row for row in rows if row["measure"] == measure]
        if ours:
            raw, behind = (sum(row[name] for row in ours) / len(ours) for name in (OURS, PIPELINE))
            text += f"; mean {measure} {raw:.4f} and {behind:.4f}"
    return text + ".\n"


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
