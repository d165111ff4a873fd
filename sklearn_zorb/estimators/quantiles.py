"""What regressors say beside their predictions: quantiles and intervals of new targets."""

from numbers import Real

import numpy as np


class PredictsQuantiles:
    """Mixin of regressors whose decoder has learned from left-out errors."""

    def predict_interval(self, X, coverage=0.9):
        """Give intervals that hold a new target with about this probability.

        They are equal-tailed: as many targets lie below as above. The ends are the quantiles
        ``(1 - coverage) / 2`` and ``(1 + coverage) / 2`` of `predict_quantiles`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        coverage : float, default=0.9
            Above 0 and below 1.

        Returns
        -------
        low, high : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the units of y; kept to the range of the training targets where ``clip=True``.

        Raises
        ------
        ValueError
            If `coverage` is no number between 0 and 1.

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
        outputs = self._outputs(X)
        return self.model_.decoder.interval(outputs, coverage)

    def predict_quantiles(self, X, quantiles=(0.1, 0.5, 0.9)):
        """Predict quantiles of a new target.

        A quantile is the prediction plus that quantile of the left-out errors of training rows
        with predictions like it; see `sklearn_zorb.decoders.LeftOutErrors`. Where layers were
        chosen on y, those errors are somewhat small. Of fewer than 100 rows all errors count
        for every prediction. After `partial_fit` they do so too, without their signs, which may
        be those of earlier read-outs. Quantiles never cross.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
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
            If a quantile is no number between 0 and 1, or there are none.

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
        levels = list(quantiles) if np.ndim(quantiles) else [quantiles]
        if not levels or not all(map(_is_share, levels)):
            raise ValueError(
                f"quantiles={quantiles!r}; pass shares above 0 and below 1, such as (0.1, 0.9)."
            )
        outputs = self._outputs(X)
        values = self.model_.decoder.quantiles(outputs, np.array(levels, dtype=np.float64))
        return values if np.ndim(quantiles) else values[..., 0]


def _is_share(value):
    return isinstance(value, Real) and 0 < value < 1
