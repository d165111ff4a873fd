"""What regressors say beside their predictions: quantiles and intervals of new targets."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import check_is_fitted

from ..decoders import Numbers
from ..layers import Identity, Parallel, PiecewiseLinear, Standardize
from ..memory import Memory
from ..rows.duplicates import row_keys
from ..trainers import ZORB
from .columns import read_rows
from .fitting import train
from .plans import Plan, read_layers

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..typing import Float, TableLike
    from .data import Data
    from .fitting import Call, Fit
    from .model import FittedModel

# as in the linear block of the default
BENT_COLUMNS = 100
# fewer rows say too little of sizes, and more would not say it better
LEAST_ROWS, MOST_ROWS = 50, 2000


class PredictsQuantiles:
    """Mixin of regressors whose decoder has learned from left-out errors."""

    model_: FittedModel
    memory_limit: Float | str | None

    def _attributes(self, fit: Fit, data: Data, call: Call) -> dict[str, Any]:
        attributes: dict[str, Any] = super()._attributes(fit, data, call)  # type: ignore[misc]  # a mixin
        if fit.left_out is None or call.batch:
            return attributes
        return {
            **attributes,
            "model_": with_sizes(attributes["model_"], data, Memory(self.memory_limit)),
        }

    def predict_interval(
        self, X: TableLike, coverage: Float = 0.9
    ) -> tuple[np.ndarray, np.ndarray]:
        """Give intervals that hold a new target with about this probability.

        They are equal-tailed: as many targets lie below as above. The ends are the quantiles
        ``(1 - coverage) / 2`` and ``(1 + coverage) / 2`` of `predict_quantiles`.

        Parameters
        ----------
        X : data frame, array-like or sparse matrix of shape (n_samples, n_features)
        coverage : float, default=0.9
            Above 0 and below 1.

        Returns
        -------
        low, high : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the units of y; kept to the range of the training targets where ``clip=True``.

        Raises
        ------
        ValueError
            If `coverage` is no number between 0 and 1, or the estimator was fitted to one row.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn_zorb import ZORBRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = ZORBRegressor(random_state=0).fit(X[:300], y[:300])
        >>> low, high = model.predict_interval(X[300:], coverage=0.8)
        >>> print(f"{((low <= y[300:]) & (y[300:] <= high)).mean():.1f}")
        0.8
        """
        if not _is_share(coverage):
            raise ValueError(f"coverage={coverage!r}; pass a share above 0 and below 1.")
        ends = self._quantiles(X, np.array([1 - coverage, 1 + coverage]) / 2)
        return ends[..., 0], ends[..., 1]

    def predict_quantiles(self, X: TableLike, quantiles: ArrayLike = (0.1, 0.5, 0.9)) -> np.ndarray:
        """Predict quantiles of a new target.

        A quantile is the prediction plus that quantile of the left-out errors of training rows
        with predictions like it. Errors are in units of their size, which a ridge regression on
        the columns tells where that lowers the pinball loss of left-out rows. Shares below a
        quantile are right over all rows like those of training; where layers were chosen on y,
        errors are somewhat small. Quantiles never cross.

        Of fewer than 64 rows all errors count for every prediction. After `partial_fit` they do so
        too, without their signs, which may be those of earlier read-outs.

        Parameters
        ----------
        X : data frame, array-like or sparse matrix of shape (n_samples, n_features)
        quantiles : float or array-like of shape (n_quantiles,), default=(0.1, 0.5, 0.9)
            Shares of targets that lie below, above 0 and below 1, in any order.

        Returns
        -------
        values : ndarray of shape (n_samples, n_quantiles) or (n_samples, n_outputs, n_quantiles)
            In the units of y, kept to the range of the training targets where ``clip=True``;
            without the last axis where `quantiles` is a float.

        Raises
        ------
        ValueError
            If a quantile is no number between 0 and 1, or there are none, or the estimator was
            fitted to one row.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn_zorb import ZORBRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = ZORBRegressor(random_state=0).fit(X[:300], y[:300])
        >>> values = model.predict_quantiles(X[300:], quantiles=(0.1, 0.9))
        >>> (y[300:, None] < values).mean(axis=0).round(1).tolist()
        [0.1, 0.9]
        """
        given: Any = quantiles
        levels = list(given) if np.ndim(given) else [given]
        if not levels or not all(map(_is_share, levels)):
            raise ValueError(
                f"quantiles={quantiles!r}; pass shares above 0 and below 1, such as (0.1, 0.9)."
            )
        values = self._quantiles(X, np.array(levels, dtype=np.float64))
        return values if np.ndim(quantiles) else values[..., 0]

    def _quantiles(self, X: TableLike, levels: np.ndarray) -> np.ndarray:
        check_is_fitted(self, "model_")
        model, rows = self.model_, read_rows(self, X)
        outputs = model.outputs(rows, self.memory_limit)
        if model.sizes is None:
            return model.decoder.quantiles(outputs, levels)
        sizes = model.sizes.outputs(rows, self.memory_limit)
        return model.decoder.quantiles(outputs, levels, model.sizes.decoder.predict(sizes))


def with_sizes(model: FittedModel, data: Data, memory: Memory) -> FittedModel:
    """The model with one of the size of its errors, where that makes quantiles better.

    It is a ridge regression of the logarithm on the columns, bent at their quartiles.
    """
    errors = model.decoder.errors
    if errors.weights.sum() / errors.unit < LEAST_ROWS:
        return model
    X = (data.X.tocsr() if sp.issparse(data.X) else data.X)[errors.rows]
    y = data.y[errors.rows].reshape(X.shape[0], -1)
    # all copies of a row are left out at once: one would tell of the others
    keys = row_keys(X, memory) + row_keys(y, memory, seed=1)
    _, first, copies = np.unique(keys, return_index=True, return_inverse=True)
    weights = np.bincount(copies, errors.weights)
    X, logs, weights = X[first], errors.log_sizes()[first], weights / weights.max()
    some = slice(MOST_ROWS)
    decoder = Numbers(logs[some], weights[some], scale=True)
    rows = replace(data, X=X[some], y=logs[some], weights=weights[some])
    fit = train(_plan(X, memory), rows, decoder, lambda n_steps, model: nullcontext())
    # of rows that it has not seen, predictions are as honest
    outputs = fit.model.outputs(X)
    outputs[some] = fit.left_out
    decoder = model.decoder.scaled(decoder.predict(outputs)[copies])
    return model if decoder.power == 0 else model.replace(decoder=decoder, sizes=fit.model)


def _plan(X: Any, memory: Memory) -> Plan:
    """Of a ridge regression on the columns, bent where these are few."""
    bent = X.shape[1] <= BENT_COLUMNS and not sp.issparse(X)
    bends = [Parallel([[Identity()], [PiecewiseLinear(4)]])] if bent else []
    layers = read_layers([*bends, Standardize(clip=3.0)])
    return Plan(*layers, rule=ZORB(), standardize=False, memory=memory, random_state=0)


def _is_share(value: Any) -> bool:
    return isinstance(value, Real) and 0 < float(value) < 1
