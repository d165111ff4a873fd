"""Models fitted to parts of the rows, each predicting the rows it has not seen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed
from sklearn import get_config
from sklearn.base import clone, is_classifier
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import threadpool_limits

from .foreign import Mean, seed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...typing import Int
    from ..base import Context


def fold_numbers(
    n_rows: int, n_folds: int, rng: np.random.Generator, codes: np.ndarray | None = None
) -> np.ndarray:
    """Fold of each row, at random; with `codes`, every fold gets its share of every class."""
    order = rng.permutation(n_rows)
    if codes is not None:
        order = order[np.argsort(codes[order], kind="stable")]
    folds = np.empty(n_rows, dtype=int)
    folds[order] = np.arange(n_rows) % n_folds
    return folds


def with_random_state(estimator: Any, rng: np.random.Generator) -> Any:
    """A clone whose unset random states are drawn from `rng`."""
    copy = clone(estimator)
    unset = [
        name
        for name, value in sorted(copy.get_params(deep=True).items())
        if value is None and (name == "random_state" or name.endswith("__random_state"))
    ]
    return copy.set_params(**{name: seed(rng) for name in unset})


def cross_fit(
    estimator: Any,
    rows: Any,
    values: np.ndarray,
    context: Context,
    *,
    cv: Int,
    units: Any,
    codes: np.ndarray | None = None,
    copies: np.ndarray | None = None,
    openmp: int | None = None,
) -> tuple[Mean, np.ndarray]:
    """The mean of one model for each fold, and each row's prediction by that of its own fold.

    Parameters
    ----------
    estimator : object
        Clones of it are fitted.
    rows : ndarray or sparse matrix
    values : ndarray
        As in `fit_model`.
    context : Context
        Its `rng` draws the folds, and unset random states; its `n_jobs` folds are fitted at once.
    cv : int
        Number of folds.
    units : int
    codes : ndarray of shape (n_samples,) or None
        Classes of which every fold gets its share.
    copies : ndarray of int of shape (n_samples,) or None
        How often a row comes where a model is fitted to it, in place of its weight.
    openmp : int or None
        Threads of OpenMP for each model, as many as there are by default.

    Returns
    -------
    model : Mean
    outputs : ndarray of shape (n_samples, units)
    """
    n_rows = rows.shape[0]
    if n_rows < 2:
        raise ValueError(
            "out-of-fold predictions need at least 2 distinct rows; there is n_samples=1."
        )
    n_folds = min(cv, n_rows)
    folds = fold_numbers(n_rows, n_folds, context.rng, codes)
    fit = partial(_fit_fold, estimator, rows, values, context.sample_weight, copies, units, openmp)
    done = Parallel(n_jobs=context.n_jobs)(
        delayed(fit)(folds == number, stream)
        for number, stream in enumerate(context.rng.spawn(n_folds))
    )
    outputs = np.empty((n_rows, done[0][1].shape[1]))
    for number, (_, left_out) in enumerate(done):
        outputs[folds == number] = left_out
    return Mean([model for model, _ in done]), outputs


def _fit_fold(
    estimator: Any,
    rows: Any,
    values: np.ndarray,
    sample_weight: np.ndarray | None,
    copies: np.ndarray | None,
    units: int,
    openmp: int | None,
    in_fold: np.ndarray,
    rng: np.random.Generator,
) -> tuple[Columns | Probabilities, np.ndarray]:
    """A model of the rows that are not the fold's own, and its predictions of these."""
    index, weights = np.flatnonzero(~in_fold), None
    if copies is not None:
        index = np.repeat(index, copies[index])
    elif sample_weight is not None:
        weights = sample_weight[index]
    with threadpool_limits(openmp, user_api="openmp"):
        model = fit_model(estimator, rows[index], values[index], weights, rng, units)
        return model, model.predict(rows[np.flatnonzero(in_fold)])


class Columns:
    """Regressors of one column each, or one of all columns."""

    def __init__(self, models: Sequence[Any]) -> None:
        self.models = models

    def predict(self, rows: Any) -> np.ndarray:
        columns = [np.asarray(model.predict(rows)) for model in self.models]
        return np.hstack([column.reshape(rows.shape[0], -1) for column in columns])


class Probabilities:
    """Class probabilities by classifiers, one column for each output of the network.

    Parameters
    ----------
    models : list
        One, or one for each label of a multilabel task. None stands for a constant.
    units : int
    constants : list of float
        The share of each class or label among the rows, for what a model cannot say.
    """

    def __init__(self, models: Sequence[Any], units: int, constants: Sequence[float]) -> None:
        self.models, self.units, self.constants = models, units, constants

    def predict(self, rows: Any) -> np.ndarray:
        if len(self.models) == self.units:  # labels, or the second of two classes
            pairs = zip(self.models, self.constants[-self.units :], strict=True)
            return np.stack([self._positive(m, c, rows) for m, c in pairs], axis=1)
        if self.models[0] is None:
            return np.tile(self.constants, (rows.shape[0], 1))
        shares = np.zeros((rows.shape[0], self.units))
        # a class without rows in a fold has no column there
        shares[:, self.models[0].classes_.astype(int)] = self.models[0].predict_proba(rows)
        return shares

    def _positive(self, model: Any, constant: float, rows: Any) -> np.ndarray:
        if model is None:
            return np.full(rows.shape[0], constant)
        return model.predict_proba(rows)[:, list(model.classes_).index(1)]


def fit_model(
    estimator: Any,
    rows: Any,
    values: np.ndarray,
    sample_weight: np.ndarray | None,
    rng: np.random.Generator,
    units: int,
) -> Columns | Probabilities:
    """A fitted model: `Probabilities` of a classifier, `Columns` of a regressor.

    `values` are class indices or a label matrix for a classifier, else targets.
    """

    def fitted(column: np.ndarray) -> Any:
        return fit_estimator(with_random_state(estimator, rng), rows, column, sample_weight)

    if is_classifier(estimator):
        columns = values.T if values.ndim == 2 else [values]
        models = [fitted(c) if len(np.unique(c)) > 1 else None for c in columns]
        if values.ndim == 2:
            constants = list(np.average(values, axis=0, weights=sample_weight))
        else:
            shares = np.bincount(values, sample_weight, minlength=max(units, 2))
            constants = list(shares / shares.sum())
        return Probabilities(models, units, constants)
    if values.shape[1] > 1 and get_tags(estimator).target_tags.multi_output:
        return Columns([fitted(values)])
    return Columns([fitted(column) for column in values.T])


def fit_estimator(
    estimator: Any, rows: Any, y: np.ndarray, sample_weight: np.ndarray | None
) -> Any:
    """`estimator`, fitted, with weights where there are any."""
    if sample_weight is None:
        return estimator.fit(rows, y)
    if takes_weights(estimator):
        return estimator.fit(rows, y, sample_weight=sample_weight)
    copies = whole_copies(sample_weight)
    if copies is None:
        raise ValueError(
            f"{type(estimator).__name__}.fit takes no sample_weight, and weights that are not "
            "whole numbers cannot be rows repeated: leave out sample_weight and class_weight, "
            "or use an estimator that takes weights."
        )
    return estimator.fit(rows[copies], y[copies])


def takes_weights(estimator: Any) -> bool:
    """Whether `fit` takes weights of rows: by name, or routed to a step that asks for them."""
    if has_fit_parameter(estimator, "sample_weight"):
        return True
    routed = get_config()["enable_metadata_routing"]
    return routed and bool(get_routing_for_object(estimator).consumes("fit", {"sample_weight"}))


def whole_copies(sample_weight: np.ndarray) -> np.ndarray | None:
    """Index that repeats each row as often as it weighs; None if some weight is no count."""
    counts = np.rint(sample_weight)
    if not np.array_equal(counts, sample_weight):
        return None
    return np.repeat(np.arange(len(counts)), counts.astype(int))
