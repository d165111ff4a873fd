"""Prediction intervals from left-out residuals."""

import numpy as np


class LeftOutErrors:
    r"""How far predictions of left-out rows were off: the width of the jackknife interval.

    Of absolute residuals :math:`|r_i|` with weights :math:`w_i`, the half-width for a
    coverage c is the least q with :math:`\sum_{|r_i| \le q} w_i \ge c\,(w + \sum_i w_i)`, w the
    weight of one new row: the rank that covers it with probability c where rows are exchangeable.

    Parameters
    ----------
    residuals : ndarray of shape (n_samples, n_outputs)
    sample_weight : ndarray of shape (n_samples,) or None

    References
    ----------
    .. [1] R. F. Barber, E. J. Candès, A. Ramdas, R. J. Tibshirani, "Predictive inference with
       the jackknife+", Annals of Statistics 49 (2021).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.decoders import LeftOutErrors
    >>> LeftOutErrors(np.arange(-9.0, 10.0)[:, None], None).half_width(0.9).tolist()
    [9.0]
    """

    def __init__(self, residuals, sample_weight):
        self.unit = 1.0
        errors = np.abs(residuals)
        order = errors.argsort(axis=0, kind="stable")
        self.errors = np.take_along_axis(errors, order, axis=0)
        self.reached = None if sample_weight is None else sample_weight[order].cumsum(axis=0)

    def half_width(self, coverage):
        """Half-width of shape (n_outputs,); the largest error where rows are too few."""
        n_rows, n_outputs = self.errors.shape
        total = n_rows if self.reached is None else self.reached[-1, 0]
        wanted = coverage * (self.unit + total) * (1 - 1e-12)
        if self.reached is None:
            return self.errors[min(int(np.ceil(wanted)), n_rows) - 1]
        ranks = [np.searchsorted(self.reached[:, k], wanted) for k in range(n_outputs)]
        return self.errors[np.minimum(ranks, n_rows - 1), np.arange(n_outputs)]

    def extend(self, residuals, sample_weight, unit=1.0):
        """These errors and more of them, as a new object; the larger unit holds."""
        weights = np.ones(len(residuals)) if sample_weight is None else sample_weight
        if self.reached is None:
            before = np.ones_like(self.errors)
        else:
            before = np.diff(self.reached, axis=0, prepend=0)
        joined = object.__new__(LeftOutErrors)
        joined.unit = max(self.unit, unit)
        errors = np.vstack([self.errors, np.abs(residuals)])
        weights = np.vstack([before, np.repeat(weights[:, None], errors.shape[1], axis=1)])
        order = errors.argsort(axis=0, kind="stable")
        joined.errors = np.take_along_axis(errors, order, axis=0)
        joined.reached = np.take_along_axis(weights, order, axis=0).cumsum(axis=0)
        return joined
