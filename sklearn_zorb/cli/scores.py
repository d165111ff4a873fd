"""What the command line reports of a model's predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn import metrics
from sklearn.model_selection import KFold, StratifiedKFold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .models import Model


def score(model: Model, X: Any, y: np.ndarray) -> dict[str, float]:
    """Scores of a fitted model.

    Parameters
    ----------
    model : Model
    X, y : data of the rows to score

    Returns
    -------
    dict of str to float
        Classification: accuracy, and log loss where all labels are known to the model.
        Regression: R2, mean absolute and root mean square error.
    """
    predicted = model.estimator.predict(X)
    if model.task == "regression":
        return {
            "r2": float(metrics.r2_score(y, predicted)),
            "mean_absolute_error": float(metrics.mean_absolute_error(y, predicted)),
            "root_mean_squared_error": float(metrics.root_mean_squared_error(y, predicted)),
        }
    scores = {"accuracy": float(metrics.accuracy_score(y, predicted))}
    classes = _classes(model, y)
    if classes is not None and np.isin(y, classes).all():
        probabilities = model.estimator.predict_proba(X)
        scores["log_loss"] = float(metrics.log_loss(y, probabilities, labels=classes))
    return scores


def shuffled_folds(task: str | None, y: np.ndarray, n_folds: int, seed: int) -> Any:
    """The splitter of a cross-validation; folds of one column of classes are stratified."""
    splitter = StratifiedKFold if task == "classification" and y.ndim == 1 else KFold
    return splitter(n_folds, shuffle=True, random_state=seed)


def check_classes(model: Model, y: np.ndarray) -> None:
    """Refuse classes of which a saved model knows none: they are of another kind.

    Parameters
    ----------
    model : Model
    y : ndarray
    """
    classes = _classes(model, y)
    if classes is not None and not np.isin(y, classes).any():
        known = ", ".join(map(repr, classes[:5].tolist())) + (", ..." if len(classes) > 5 else "")
        first = y[:1].tolist()[0]
        raise ValueError(f"none of the targets ({first!r}, ...) is a class of the model ({known})")


def _classes(model: Model, y: np.ndarray) -> np.ndarray | None:
    """The classes of a model and of one column of targets; None where there are none."""
    classes = getattr(model.estimator, "classes_", None)
    return classes if isinstance(classes, np.ndarray) and y.ndim == 1 else None


def format_scores(scores: dict[str, float]) -> str:
    """``{"accuracy": .98}`` as ``"accuracy 0.9800"``.

    Parameters
    ----------
    scores : dict of str to float

    Returns
    -------
    str
    """
    return ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in scores.items())


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]], align: str) -> str:
    """Columns of text under a header.

    Parameters
    ----------
    header : sequence of str
    rows : sequence of sequences of str
        An empty one leaves a line blank.
    align : str
        One of "<" (left) and ">" (right) for each column.

    Returns
    -------
    str

    Examples
    --------
    >>> from sklearn_zorb.cli.scores import format_table
    >>> print(format_table(["name", "n"], [["a", "10"], ["bc", "2"]], "<>"))
    name   n
    --------
    a     10
    bc     2
    """
    filled = [header, *(row for row in rows if row)]
    widths = [max(len(row[i]) for row in filled) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        cells = zip(row, align, widths, strict=True)
        return "  ".join(f"{cell:{side}{width}}" for cell, side, width in cells).rstrip()

    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    return "\n".join([line(header), rule, *(line(row) if row else "" for row in rows)])
