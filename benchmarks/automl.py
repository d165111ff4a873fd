"""Searches with AutoML tools: a minute each, our learner beside those that the tool brings.

``python -m benchmarks.automl flaml tpot`` runs these tools and leaves the results of others as they
are; each needs its own packages (the extras automl and autogluon). Scores are those that the tool
itself goes by: minus the log-loss for classes, R² for numbers, by five folds, or by the rows that
AutoGluon holds out. Three quarters of the rows are searched, the others are predicted in the end.
"""

import argparse
import json
import sys
import tempfile
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

import numpy as np
from sklearn.metrics import log_loss, r2_score
from sklearn.model_selection import cross_val_score, train_test_split

from sklearn_zorb import ZORBClassifier, ZORBRegressor, automl

from .common import on_record, quiet, save, saved, show
from .tabular.tables import load

PAGE = """\
.. Written by python -m benchmarks.report; change that, not this.

Searches
========

A search of 60 seconds with each tool that :doc:`/howto/automl` names, on three quarters of the
rows of two tables, with one thread. ``python -m benchmarks.automl TOOL`` measures, ``python -m
benchmarks.report`` writes this page.

- *default*, *ours* and *its score* are what the tool itself goes by, the more the better: minus the
  log-loss for classes, R² for numbers, by five folds, or by the rows that AutoGluon holds out.
  *ours* is the best of our models that were tried, and is nowhere below *default*.
- *place* is ours among the learners that the tool searched in the same minute. Optuna and the
  searches of scikit-learn have one estimator. AutoGluon is given the default and two other sets of
  blocks.
- *held out* and *default held out* are scores on the rows that no search saw, of what the tool
  returned and of `ZORBClassifier()` or `ZORBRegressor()`.
- *seconds* are those of the whole call: the last fit, and the start of processes, too. AutoGluon
  ends where it has fitted each learner once. The random searches try as many as the default alone
  takes a minute for, and at least four, however long these take.

"""
TABLES = ("pima", "wine_red")
SECONDS = 60
FOLDS = 5
PACKAGES = ("flaml", "tpot", "optuna", "autogluon")
# what AutoGluon is given to try beside the default
BLOCKS = ("kernel+forest+boosting", "linear+kernel+smooth+forest+extra+boosting")
SCORING = {"classification": "neg_log_loss", "regression": "r2"}


def estimator(task, layers="auto"):
    cls = ZORBClassifier if task == "classification" else ZORBRegressor
    return cls(layers, random_state=0)


def flaml(task, X, y):
    from flaml import AutoML

    search = AutoML()
    search.add_learner("zorb", automl.FlamlLearner)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        search.fit(
            X, y, task=task, metric="log_loss" if task == "classification" else "r2",
            estimator_list=["zorb", "lgbm", "xgboost", "rf", "extra_tree"], time_budget=SECONDS,
            eval_method="cv", n_splits=FOLDS, n_jobs=1, seed=0, verbose=0,
            log_file_name=str(log), log_type="all",
        )  # fmt: skip
        trials = [json.loads(line) for line in log.read_text().splitlines()]
    # losses: of R², what is missing to 1
    sign = 1.0 if task == "regression" else 0.0
    ours = [sign - one["validation_loss"] for one in trials if one.get("learner") == "zorb"]
    best = {name: sign - loss for name, loss in search.best_loss_per_estimator.items()}
    best["ZORB"] = best.pop("zorb")
    return search, len(ours), ours[0], best


def tpot(task, X, y):
    import tpot as package
    from tpot.search_spaces.pipelines import ChoicePipeline

    kind = "Classifier" if task == "classification" else "Regressor"
    names = ("RandomForest", "ExtraTrees", "LGBM", "XGB", "KNeighbors")
    sizes = {"n_classes": len(np.unique(y)), "n_samples": len(y), "n_features": X.shape[1]}
    others = [
        package.config.get_search_space(name + kind, random_state=0, **sizes) for name in names
    ]
    node = automl.tpot_node(task, *X.shape, random_state=0)
    search = package.TPOTEstimator(
        search_space=ChoicePipeline([node, *others]), scorers=[SCORING[task]], scorers_weights=[1],
        classification=task == "classification", cv=FOLDS, population_size=12,
        max_time_mins=SECONDS / 60, max_eval_time_mins=SECONDS / 60, n_jobs=1, verbose=0,
        random_state=0,
    ).fit(X, y)  # fmt: skip
    found = search.evaluated_individuals
    found["score"] = found[search.objective_names[0]].astype(float)
    found["learner"] = [str(one).partition("(")[0] for one in found["Instance"]]
    best = found.groupby("learner")["score"].max().dropna().to_dict()
    ours = found[found["learner"] == f"ZORB{kind}"].dropna(subset="score")
    default = ours[["layers='Auto'," in str(one) for one in ours["Instance"]]]
    best["ZORB"] = best.pop(f"ZORB{kind}")
    return search, len(ours), default["score"].max(), best


def optuna(task, X, y):
    import optuna as package

    package.logging.set_verbosity(package.logging.WARNING)

    def score(trial):
        model = estimator(task, automl.suggest_layers(trial, task, *X.shape))
        return cross_val_score(model, X, y, scoring=SCORING[task], cv=FOLDS).mean()

    study = package.create_study(direction="maximize", sampler=package.samplers.TPESampler(seed=0))
    study.enqueue_trial(automl.default_trial(task, *X.shape))
    study.optimize(score, timeout=SECONDS)
    layers = automl.suggest_layers(package.trial.FixedTrial(study.best_params), task, *X.shape)
    model = estimator(task, layers).fit(X, y)
    return model, len(study.trials), study.trials[0].value, {"ZORB": study.best_value}


def of_scikit_learn(make, task, X, y):
    """A random search of as many candidates as a minute may have of the default."""
    started = perf_counter()
    cross_val_score(estimator(task), X, y, cv=FOLDS)
    count = max(4, int(SECONDS / (perf_counter() - started)))
    space = automl.param_distributions(task, *X.shape)
    search = make(count)(
        estimator(task), space, scoring=SCORING[task], cv=FOLDS, random_state=0
    ).fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    # of candidates that were let go, the scores on fewer rows
    default = [one["layers"] == "Auto" for one in search.cv_results_["params"]]
    tried = len({str(one) for one in search.cv_results_["params"]})
    return search, tried, scores[default][-1], {"ZORB": search.best_score_}


def randomized(count):
    from sklearn.model_selection import RandomizedSearchCV

    return partial(RandomizedSearchCV, n_iter=count)


def halving(count):
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingRandomSearchCV

    return partial(HalvingRandomSearchCV, n_candidates=2 * count, min_resources=200, factor=3)


def autogluon(task, X, y):
    from autogluon.tabular import TabularPredictor

    automl.AutoGluonModel  # noqa: B018 - registers it
    learners = {name: {} for name in ("GBM", "XGB", "RF", "XT", "LR")}
    predictor = TabularPredictor(
        "target", verbosity=0, path=tempfile.mkdtemp(),
        problem_type="binary" if task == "classification" else task,
        eval_metric="log_loss" if task == "classification" else "r2",
    )  # fmt: skip
    predictor.fit(
        X.assign(target=y), time_limit=SECONDS, num_cpus=1, hyperparameters={
            "ZORB": [{}, *({"blocks": blocks} for blocks in BLOCKS)], **learners
        },
    )  # fmt: skip
    scores = predictor.leaderboard().set_index("model")["score_val"].to_dict()
    ours = {name: score for name, score in scores.items() if name.startswith("ZORB")}
    best = {name: score for name, score in scores.items() if name not in ours}
    best = {name: score for name, score in best.items() if "Ensemble" not in name}
    return predictor, len(ours), ours["ZORB"], {**best, "ZORB": max(ours.values())}


TOOLS = {
    "flaml": flaml,
    "tpot": tpot,
    "optuna": optuna,
    "autogluon": autogluon,
    "randomized": partial(of_scikit_learn, randomized),
    "halving": partial(of_scikit_learn, halving),
}


def on_held_out(task, model, X, y):
    if task == "regression":
        return r2_score(y, model.predict(X))
    return -log_loss(y, np.asarray(model.predict_proba(X)))


def measure(tool, name):
    table = load(name)
    classes = table.y if table.task == "classification" else None
    X, X_test, y, y_test = train_test_split(table.X, table.y, stratify=classes, random_state=0)
    X, X_test = X.reset_index(drop=True), X_test.reset_index(drop=True)
    started = perf_counter()
    model, count, default, best = TOOLS[tool](table.task, X, y)
    seconds = perf_counter() - started
    ours = best.pop("ZORB")
    first = max(best, key=best.get) if best else None
    return {
        "tool": tool, "table": name, "seconds": seconds, "tried": count, "default": default,
        "ours": ours, "best other": first or "", "its score": best[first] if best else "",
        "place": f"{1 + sum(score > ours for score in best.values())} of {1 + len(best)}"
        if best else "", "held out": on_held_out(table.task, model, X_test, y_test),
        "default held out": on_held_out(
            table.task, estimator(table.task).fit(X, y), X_test, y_test
        ),
    }  # fmt: skip


def main():
    quiet()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tools", nargs="*", default=list(TOOLS), help="all by default")
    arguments = parser.parse_args(sys.argv[1:] if __name__ == "__main__" else [])
    for tool in arguments.tools:
        if tool in PACKAGES and find_spec(tool) is None:
            print(f"{tool} is not installed: its results stay as they are")
            continue
        for name in TABLES:
            row = measure(tool, name)
            show([row])
            found = {**saved("automl", "tool", "table"), (tool, name): row}
            save("automl", [found[key] for key in sorted(found, key=_place)])


NONE = "the tool searched one estimator"


def page(doc, list_table):
    """Write the page of results into the folder `doc`."""
    record = on_record("automl")
    version = record["versions"]["sklearn_zorb"]
    lines = f"Version {version}, {record['cores']} cores:\n\n{list_table(record['rows'], NONE)}\n"
    (doc / "searches.rst").write_text(PAGE + lines)


def _place(key):
    return list(TOOLS).index(key[0]), key[1]


if __name__ == "__main__":
    main()
