"""``zorb demo``: ZORB beside four other methods, on data that need no download."""

from __future__ import annotations

import warnings
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn import model_selection
from sklearn.exceptions import ConvergenceWarning

from ..datasets import load_dataset
from ..datasets.optional import import_optional
from ..layers import Kernel, Trees
from .demo_plot import plot_results
from .paths import check_writable
from .progress import progress
from .rivals import rivals
from .scores import format_table, shuffled_folds

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence

N_FOLDS = 5
# a score, of which more is better, and a loss, each with its name and scikit-learn's
SCORES = {"classification": ("accuracy", "accuracy"), "regression": ("R2", "r2")}
LOSSES = {
    "classification": ("log-loss", "neg_log_loss"),
    "regression": ("RMSE", "neg_root_mean_squared_error"),
}


def demo(args: Namespace) -> tuple[dict[str, Any], str]:
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
    jobs = [(name, load_dataset(name, random_state=args.seed)) for name in args.datasets]
    methods = {name: rivals(bunch.task, bunch.data, args.seed) for name, bunch in jobs}
    total = sum(N_FOLDS * len(methods[name]) for name, _ in jobs)
    results = []
    with progress("Demo", total) as advance:
        for name, bunch in jobs:
            for method, estimator in methods[name].items():
                step = partial(advance, f"{name}: {method}")
                found = cross_validate(estimator, bunch, args.seed, step)
                results.append({
                    "dataset": name,
                    "metric": SCORES[bunch.task][0],
                    "loss": LOSSES[bunch.task][0],
                    "method": method,
                    **found,
                })  # fmt: skip
    for _, group in groupby(results, lambda row: row["dataset"]):
        mark_ties(list(group))
    plot = None if args.no_plot else plot_results(results, args.output)
    text = format_results(results) + (f"\n\nplot saved to {plot}" if plot else "")
    return {"folds": N_FOLDS, "results": results, "plot": plot}, text


def cross_validate(
    estimator: Any, bunch: Any, seed: int, step: Callable[[], object]
) -> dict[str, Any]:
    """Score each fold.

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
    dict
        Of each fold its score, loss and seconds of the fit; of ZORB also the blocks and their mean
        weights.
    """
    scoring = {"score": SCORES[bunch.task][1], "loss": LOSSES[bunch.task][1]}
    found: dict[str, list[Any]] = {"scores": [], "losses": [], "fit_seconds": []}
    weights = []
    for fold in shuffled_folds(bunch.task, bunch.target, N_FOLDS, seed).split(
        bunch.data, bunch.target
    ):
        with warnings.catch_warnings():  # peers at their defaults may stop early: known
            warnings.simplefilter("ignore", ConvergenceWarning)
            result = model_selection.cross_validate(
                estimator, bunch.data, bunch.target, cv=[fold], error_score="raise",
                scoring=scoring, return_estimator=True,
            )  # fmt: skip
        found["scores"] += result["test_score"].tolist()
        found["losses"] += (-result["test_loss"]).tolist()
        found["fit_seconds"] += result["fit_time"].tolist()
        weights += [blocks(model) for model in result["estimator"] if hasattr(model, "model_")]
        step()
    if weights:
        names = dict.fromkeys(name for fold in weights for name in fold)
        mean = {name: float(np.mean([fold.get(name, 0.0) for fold in weights])) for name in names}
        return {**found, "blocks": mean}
    return found


def blocks(model: Any) -> dict[str, float]:
    """Name the blocks of a fitted default list, and give their weights."""
    found: dict[str, float] = {}
    stack = model.layers_[-1][1]
    for block, weight in zip(stack.children(), model.params_[-1]["block_weights"], strict=True):
        name = _kind(block)
        found[name] = found.get(name, 0.0) + float(weight)
    return found


def _kind(block: Sequence[Any]) -> str:
    for layer in block:
        if isinstance(layer, Trees):
            return "boosting" if layer.kind == "boosting" else "forest"
        if isinstance(layer, Kernel):
            return "kernel"
    return "ridge"


def mark_ties(rows: list[dict[str, Any]]) -> None:
    """Say in each row, for score and loss, whether it is the best, or no worse than by chance.

    A method ties with the best one where its mean is within two standard errors of the differences
    of the folds.

    Parameters
    ----------
    rows : list of dict
        Of one data set; each gets "scores mark" and "losses mark", of "*", "=" and "".
    """
    for key, sign in (("scores", 1), ("losses", -1)):
        table = sign * np.array([row[key] for row in rows])
        behind = table[table.mean(axis=1).argmax()] - table
        errors = behind.std(axis=1, ddof=1) / np.sqrt(table.shape[1])
        for row, mean, error in zip(rows, behind.mean(axis=1), errors, strict=True):
            mark = "*" if mean <= 0 else "=" if mean <= 2 * error else ""
            row[f"{key} mark"] = mark


def format_results(results: list[dict[str, Any]]) -> str:
    """Write the table of the demo, and what ZORB is made of.

    Parameters
    ----------
    results : list of dict

    Returns
    -------
    str
    """
    rows: list[list[str]] = []
    made = []
    for name, group in groupby(results, lambda row: row["dataset"]):
        title = name
        for row in group:
            rows.append([
                title, row["method"],
                f"{row['metric']} {_mean_and_std(row['scores'])} {row['scores mark']:1}",
                f"{row['loss']} {_mean_and_std(row['losses'])} {row['losses mark']:1}",
                f"{np.mean(row['fit_seconds']):.2f}",
            ])  # fmt: skip
            title = ""
            if "blocks" in row:
                parts = [f"{share:.2f} {block}" for block, share in row["blocks"].items()]
                made.append(f"{name:14}{' + '.join(parts)}")
        rows.append([])  # a blank line between data sets
    header = ["data", "method", f"score, {N_FOLDS} folds", "loss", "fit s"]
    return "\n".join([
        format_table(header, rows[:-1], "<<<<>"), "",
        "* best   = a tie: behind by less than two standard errors   mean +- std of folds", "",
        "ZORB is made of", *made,
    ])  # fmt: skip


def _mean_and_std(values: list[float]) -> str:
    mean = float(np.mean(values))
    digits = 1 if mean >= 10 else 3
    return f"{mean:.{digits}f} +- {np.std(values):.{digits}f}"
