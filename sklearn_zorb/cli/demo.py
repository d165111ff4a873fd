"""``zorb demo``: ZORB beside three other methods on data that scikit-learn brings."""

import warnings
from functools import partial
from itertools import groupby

import numpy as np
from sklearn import model_selection
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .. import ZORBClassifier, ZORBRegressor
from ..datasets import load_dataset
from ..datasets.optional import import_optional
from .demo_plot import plot_results
from .paths import check_writable
from .progress import progress
from .scores import format_table, shuffled_folds

N_FOLDS = 5
METRICS = {"classification": "accuracy", "regression": "R2"}


def demo(args):
    """Cross-validate, and return the results and a table; the plot goes to a file.

    Parameters
    ----------
    args : argparse.Namespace
        ``datasets, seed, output, no_plot``.

    Returns
    -------
    result : dict
    text : str
    """
    if not args.no_plot:
        check_writable(args.output)
        import_optional("matplotlib", "The plot of the demo (or pass --no-plot)")
    jobs = [(name, _load(name)) for name in args.datasets]
    methods = {name: demo_methods(bunch.task, args.seed) for name, bunch in jobs}
    total = sum(N_FOLDS * len(methods[name]) for name, _ in jobs)
    results = []
    with progress("Demo", total) as advance:
        for name, bunch in jobs:
            for method, estimator in methods[name].items():
                step = partial(advance, f"{name}: {method}")
                scores, seconds = cross_validate(estimator, bunch, args.seed, step)
                results.append(
                    {
                        "dataset": name,
                        "metric": METRICS[bunch.task],
                        "method": method,
                        "scores": scores,
                        "fit_seconds": seconds,
                    }
                )
    plot = None if args.no_plot else plot_results(results, args.output)
    text = format_results(results) + (f"\n\nplot saved to {plot}" if plot else "")
    return {"folds": N_FOLDS, "results": results, "plot": plot}, text


def _load(name):
    """One of the numeric data sets."""
    bunch = load_dataset(name)
    if hasattr(bunch.data, "columns"):
        raise ValueError(f"the demo takes data sets of numbers only; {name!r} is a table")
    return bunch


def demo_methods(task, seed):
    """The estimators to compare, by name.

    The peers that are sensitive to scale are standardised inside the folds; ZORB
    standardises by itself. The others keep scikit-learn's defaults, except that the
    regression MLP gets a standardised target and early stopping, without which it fails.

    Parameters
    ----------
    task : {"classification", "regression"}
    seed : int

    Returns
    -------
    dict of str to estimator
    """
    if task == "classification":
        return {
            "ZORB": ZORBClassifier(random_state=seed),
            "LogisticRegression": make_pipeline(StandardScaler(), LogisticRegression()),
            "RandomForest": RandomForestClassifier(random_state=seed),
            "MLP": make_pipeline(StandardScaler(), MLPClassifier(random_state=seed)),
        }
    return {
        "ZORB": ZORBRegressor(random_state=seed),
        "Ridge": make_pipeline(StandardScaler(), Ridge()),
        "RandomForest": RandomForestRegressor(random_state=seed),
        "MLP": make_pipeline(
            StandardScaler(),
            TransformedTargetRegressor(
                MLPRegressor(early_stopping=True, random_state=seed), transformer=StandardScaler()
            ),
        ),
    }


def cross_validate(estimator, bunch, seed, step):
    """Score and fit time of each fold.

    Parameters
    ----------
    estimator : estimator
    bunch : Bunch
        ``data, target, task``.
    seed : int
        Seeds the folds: every method sees the same ones.
    step : callable
        Called after each fold.

    Returns
    -------
    scores, seconds : list of float
    """
    folds = shuffled_folds(bunch.task, bunch.target, N_FOLDS, seed)
    scores, seconds = [], []
    for fold in folds.split(bunch.data, bunch.target):
        with warnings.catch_warnings():  # peers at their defaults may stop early: known
            warnings.simplefilter("ignore", ConvergenceWarning)
            result = model_selection.cross_validate(
                estimator, bunch.data, bunch.target, cv=[fold], error_score="raise"
            )
        scores += result["test_score"].tolist()
        seconds += result["fit_time"].tolist()
        step()
    return scores, seconds


def format_results(results):
    """The table of the demo; the best score of each data set has a star.

    Parameters
    ----------
    results : list of dict

    Returns
    -------
    str
    """
    rows = []
    for name, group in groupby(results, lambda row: row["dataset"]):
        own = list(group)
        best = max(np.mean(row["scores"]) for row in own)
        title = [name, own[0]["metric"]]
        for row in own:
            star = " *" if np.mean(row["scores"]) == best else "  "
            score, seconds = _mean_and_std(row["scores"]), _mean_and_std(row["fit_seconds"])
            rows.append([*title, row["method"], score + star, seconds])
            title = ["", ""]
        rows.append([])  # a blank line between data sets
    header = ["data", "metric", "method", f"score, {N_FOLDS} folds   ", "fit seconds"]
    return format_table(header, rows[:-1], "<<<>>") + "\n\n* best of its data set; mean +- std"


def _mean_and_std(values):
    return f"{np.mean(values):.3f} +- {np.std(values):.3f}"
