"""``zorb report``: one HTML page on how well a saved model predicts a table."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from ..estimators.summary import summary_html
from ..writing import write_beside
from .scores import check_classes, score

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Sequence

N_WORST, N_COLUMNS, N_BINS = 10, 20, 10
LEVELS = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95])
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
td, th { padding: .2rem .7rem; border-bottom: 1px solid #ddd; text-align: left; }
td, th { white-space: nowrap; }
.bar { background: #c8442c; height: .8rem; } svg { max-width: 100%; }
"""


def write_report(args: Namespace, data: Any, model: Any) -> dict[str, Any]:
    """Score the rows and write the page.

    Parameters
    ----------
    args : argparse.Namespace
        ``load, data, output``.
    data : Data
        Rows with their targets.
    model : Model

    Returns
    -------
    dict
        What ``--json`` prints.
    """
    X, y = (data.X, data.y) if data.y_test is None else (data.X_test, data.y_test)
    check_classes(model, y)
    scores = score(model, X, y)
    parts = [
        ("Scores", _scores(model, scores, len(X))),
        ("Reliability", _reliability(model, X, y)),
        ("Importances of columns", _importances(model.estimator)),
        ("What the model is made of", _made_of(model.estimator)),
        ("Rows that it predicts worst", _worst(model, X, y)),
    ]
    title = f"{args.load} on {args.data}"
    body = "".join(f"<h2>{name}</h2>{part}" for name, part in parts if part)
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style><h1>{escape(title)}</h1>{body}</html>\n"
    )
    with write_beside(args.output) as file:
        file.write(page.encode())
    return {"n_rows": len(X), "scores": scores, "output": args.output}


def _scores(model: Any, scores: dict[str, float], n_rows: int) -> str:
    rows = [(name.replace("_", " "), f"{value:.4f}") for name, value in scores.items()]
    left_out = getattr(model.estimator, "loo_score_", None)
    kind = "R2" if model.task == "regression" else "accuracy"
    told = [] if left_out is None else [(f"{kind}, rows left out of the fit", f"{left_out:.4f}")]
    return _table(["score", f"of {n_rows} rows"], [*rows, *told]) + (
        "<p>Scores of rows that the model was fitted to are too good. Compare them with the last "
        "line, which the fit found by leaving rows out.</p>" if told else ""
    )  # fmt: skip


def _reliability(model: Any, X: Any, y: np.ndarray) -> str:
    """Draw predicted probabilities against observed shares: of classes, or of intervals."""
    if y.ndim > 1:
        return ""
    if model.task == "regression":
        if not hasattr(model.estimator, "predict_interval") or len(y) < 2:
            return ""
        ends = [model.estimator.predict_interval(X, level) for level in LEVELS]
        held = [np.mean((low <= y) & (y <= high)) for low, high in ends]
        return _curve(LEVELS, held) + "<p>Share of targets within intervals of each coverage.</p>"
    predicted = model.estimator.predict_proba(X)
    right = model.estimator.classes_[predicted.argmax(axis=1)] == y
    sure = predicted.max(axis=1)
    bins = np.array_split(np.argsort(sure), min(N_BINS, len(sure)))
    points = [(sure[rows].mean(), right[rows].mean()) for rows in bins]
    text = "Probability of the predicted class, and how often it is right, in tenths of the rows."
    return _curve(*zip(*points, strict=True)) + f"<p>{text}</p>"


def _curve(predicted: Iterable[float], observed: Iterable[float]) -> str:
    """Draw points about the diagonal, from 0 to 1 on both axes."""
    dots = [(40 + 300 * p, 310 - 300 * c) for p, c in zip(predicted, observed, strict=True)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
    marks = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#c8442c"/>' for x, y in dots)
    return (
        '<svg width="360" height="350" font-size="12" role="img" aria-label="reliability curve">'
        '<rect x="40" y="10" width="300" height="300" fill="none" stroke="#999"/>'
        '<line x1="40" y1="310" x2="340" y2="10" stroke="#999" stroke-dasharray="4"/>'
        f'<polyline points="{line}" fill="none" stroke="#c8442c"/>{marks}'
        '<text x="40" y="328">0</text><text x="333" y="328">1</text>'
        '<text x="150" y="345">predicted</text><text x="24" y="310">0</text>'
        '<text x="24" y="20">1</text><text x="14" y="165" text-anchor="middle" '
        'transform="rotate(-90 14 165)">observed</text></svg>'
    )


def _importances(estimator: Any) -> str:
    values = estimator.feature_importances_
    names = getattr(estimator, "feature_names_in_", [f"column {j}" for j in range(len(values))])
    order = values.argsort()[::-1][:N_COLUMNS]
    rows = "".join(
        f"<tr><td>{escape(str(names[j]))}</td><td>{values[j]:.3f}</td><td style='width: 20rem'>"
        f'<div class="bar" style="width: {100 * values[j] / max(values.max(), 1e-12):.0f}%">'
        "</div></td></tr>"
        for j in order
    )
    return f"<table>{rows}</table>"


def _made_of(estimator: Any) -> str:
    return summary_html(estimator.model_, estimator.history_)


def _worst(model: Any, X: Any, y: np.ndarray) -> str:
    """List the rows of the largest loss: of the log of the probability, or of the error."""
    if y.ndim > 1:
        return ""
    predicted = model.estimator.predict(X)
    if model.task == "regression":
        losses, name = np.abs(predicted - y), "error"
    else:
        places = np.searchsorted(model.estimator.classes_, y)
        known = np.isin(y, model.estimator.classes_)
        chances = model.estimator.predict_proba(X)
        chance = chances[np.arange(len(y)), np.where(known, places, 0)]
        losses, name = 1 - np.where(known, chance, 0.0), "1 - probability of the target"
    worst = np.argsort(losses)[::-1][:N_WORST]
    frame = hasattr(X, "columns")
    columns = (
        [str(column) for column in X.columns] if frame else [f"x{j}" for j in range(X.shape[1])]
    )
    shown = columns[:N_COLUMNS]
    rows = [
        [i + 1, y[i], predicted[i], f"{losses[i]:.4g}",
         *(X.iloc[i, : len(shown)] if frame else X[i, : len(shown)])]
        for i in worst
    ]  # fmt: skip
    return _table(["row", "target", "predicted", name, *shown], rows)


def _table(header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> str:
    head = "".join(f"<th>{escape(str(cell))}</th>" for cell in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(_text(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)
