"""Quantiles of a new target from left-out residuals of rows with outputs like its own."""

from __future__ import annotations

from copy import copy
from typing import Self

import numpy as np

from ..rows.quantiles import Ordered

# knots beside the square root of the rows: more are noisier where nothing changes between them
KNOTS = 0.25
# residuals that are kept, and those that levels are calibrated on, by a grid
MOST_ROWS, JUDGED_ROWS = 10_000, 2000
GRID = np.arange(1, 400) / 400
# levels that sizes are judged by, powers of sizes, and the share of the mean error that each gets
JUDGED_LEVELS = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])
POWERS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
SMALL = 0.1


class LeftOutErrors:
    r"""Errors of left-out predictions, as quantiles for a new row with outputs like theirs.

    Residuals spread differently where predictions are low and where they are high. Knots
    :math:`k_1 < k_2 < \dots` stand at quantiles of the outputs, a quarter as many as the
    square root of the rows. Each has quantiles of its own, of all residuals weighted by hat
    functions that are one at the knot and zero from its neighbours on; between knots, quantiles
    are interpolated.

    With :math:`r_{(i)}` the residuals in ascending order, their weights :math:`w_{(i)}` and w that
    of one new row, the quantile of a level p is :math:`r_{(i)}` where

    .. math:: p\,\Big(w + \sum_j w_{(j)}\Big) = \sum_{j < i} w_{(j)} + \frac{w_{(i)} + w}{2},

    and linear between: of n equal weights, :math:`p = i / (n + 1)`, the share of new residuals
    below :math:`r_{(i)}` where all are exchangeable. A weight of 3 is three copies.

    Where there are several knots, levels are calibrated at the end: a level p becomes the one
    below whose quantiles the share p of the residuals lies, so that shares are right over all
    rows, whatever the shape between knots.

    Parameters
    ----------
    outputs, residuals : ndarray of shape (n_samples, n_outputs)
        Outputs of the network for left-out rows, and targets less predictions. Of more than
        10 000 rows, every second, third and so on is kept.
    sample_weight : ndarray of shape (n_samples,) or None
    unit : float, default=1.0
        Weight of one new row.

    References
    ----------
    .. [1] R. F. Barber, E. J. Candès, A. Ramdas, R. J. Tibshirani, "Predictive inference with
       the jackknife+", Annals of Statistics 49 (2021).
    .. [2] L. Guan, "Localized conformal prediction: a generalized inference framework for
       conformal prediction", Biometrika 110 (2023).
    .. [3] V. Chernozhukov, K. Wüthrich, Y. Zhu, "Distributional conformal prediction",
       Proceedings of the National Academy of Sciences 118 (2021).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.decoders import LeftOutErrors
    >>> residuals = np.arange(-9.0, 10.0)[:, None]
    >>> errors = LeftOutErrors(np.zeros((19, 1)), residuals, None)
    >>> errors.quantiles(np.zeros((1, 1)), np.array([0.05, 0.5, 0.9])).tolist()
    [[[-9.0, 0.0, 8.0]]]
    """

    def __init__(
        self,
        outputs: np.ndarray,
        residuals: np.ndarray,
        sample_weight: np.ndarray | None,
        unit: float = 1.0,
    ) -> None:
        every = _every(len(residuals), MOST_ROWS)
        self.rows = slice(None, None, every)
        self.outputs, self.residuals = outputs[self.rows], residuals[self.rows]
        weights = (
            np.ones(len(self.residuals)) if sample_weight is None else sample_weight[self.rows]
        )
        self.weights, self.unit = every * weights, unit

    @classmethod
    def of_others(
        cls, residuals: np.ndarray, sample_weight: np.ndarray | None, unit: float = 1.0
    ) -> Self:
        """Errors of other read-outs than the one to come, as a constant width about predictions.

        The errors of the final read-out are about as large; their signs may differ.
        """
        both = np.vstack([residuals, -residuals])
        weights = None if sample_weight is None else np.tile(sample_weight, 2)
        return cls(np.zeros_like(both), both, weights, unit)

    def extend(
        self, residuals: np.ndarray, sample_weight: np.ndarray | None, unit: float = 1.0
    ) -> LeftOutErrors:
        """These errors and more of other read-outs, as a new object; the larger unit holds."""
        more = LeftOutErrors.of_others(residuals, sample_weight, unit)
        return LeftOutErrors(
            np.vstack([self.outputs, more.outputs]),
            np.vstack([self.residuals, more.residuals]),
            np.concatenate([self.weights, more.weights]),
            max(self.unit, unit),
        )

    def log_sizes(self) -> np.ndarray:
        """What a model of the size of errors is to learn, of shape (n_samples, n_outputs).

        It is log(|r| / m + 0.1) with m the mean of all |r|: logarithms of small errors alone would
        say little and weigh much.
        """
        sizes = np.abs(self.residuals)
        mean = np.average(sizes, axis=0, weights=self.weights)
        return np.log(sizes / np.where(mean > 0, mean, 1.0) + SMALL)

    def scaled(self, log_sizes: np.ndarray) -> tuple[Self, float]:
        """The same in units of sizes expected, and their power, 0 where they tell nothing.

        Of a few powers, the one is taken of least pinball loss, where that is lower by more than
        a standard error. For both, `log_sizes` (n_samples, n_outputs) must not have seen the
        residual of their own row.
        """
        losses = [self._pinball_losses(np.exp(power * log_sizes)) for power in POWERS]
        best = int(np.argmin([self.weights @ loss for loss in losses]))
        gains, total = losses[0] - losses[best], self.weights.sum()
        gain = self.weights @ gains / total
        if gain <= np.sqrt(self.unit * self.weights @ (gains - gain) ** 2) / total:
            return self, 0.0
        scaled = copy(self)
        scaled.residuals = self.residuals / np.exp(POWERS[best] * log_sizes)
        return scaled, POWERS[best]

    def _pinball_losses(self, sizes: np.ndarray) -> np.ndarray:
        """Loss of each row by quantiles of all residuals in units of sizes."""
        losses, ones = np.zeros(len(sizes)), np.ones(len(sizes))
        for residuals, size in zip(self.residuals.T, sizes.T, strict=True):
            order = (residuals / size).argsort(kind="stable")
            ranked, weights = (residuals / size)[order], self.weights[order]
            found = _quantiles(ranked, ones, weights, self.unit, JUDGED_LEVELS)
            over = residuals[:, None] - found * size[:, None]
            losses += np.maximum(JUDGED_LEVELS * over, (JUDGED_LEVELS - 1) * over).sum(axis=1)
        return losses

    def quantiles(self, outputs: np.ndarray, levels: np.ndarray) -> np.ndarray:
        """Quantiles of the residuals of new rows, in units of their sizes where these are scaled.

        Parameters
        ----------
        outputs : ndarray of shape (n_samples, n_outputs)
        levels : ndarray of shape (n_levels,)
            Above 0 and below 1.

        Returns
        -------
        quantiles : ndarray of shape (n_samples, n_outputs, n_levels)
            They do not decrease with the level.
        """
        found = np.empty((*outputs.shape, len(levels)))
        order = np.argsort(levels)
        for k, column in enumerate(outputs.T):
            # slopes between knots overflow where outputs are next to nothing
            size = np.abs(self.outputs[:, k]).max() or 1.0
            scaled, residuals = self.outputs[:, k] / size, self.residuals[:, k]
            local = _Local(scaled, residuals, self.weights, self.unit)
            found[:, k, order] = local.quantiles(column / size, local.calibrated(levels[order]))
        return found


class _Local:
    """Quantiles of the residuals of one output, at knots and between them."""

    def __init__(
        self, outputs: np.ndarray, residuals: np.ndarray, weights: np.ndarray, unit: float
    ) -> None:
        order = residuals.argsort(kind="stable")
        self.outputs, self.residuals = outputs[order], residuals[order]
        self.weights, self.unit = weights[order], unit
        n_rows = min(weights.sum() / unit, MOST_ROWS)
        count = max(1, int(KNOTS * np.sqrt(n_rows)))
        ordered = Ordered(outputs, weights)
        self.knots = np.unique(ordered.quantiles(np.arange(count) + 0.5, count))
        hats = np.eye(len(self.knots))
        self.shares = [np.interp(self.outputs, self.knots, hat) for hat in hats]

    def quantiles(self, outputs: np.ndarray, levels: np.ndarray) -> np.ndarray:
        """Quantiles of shape (n_samples, n_levels), for ascending levels."""
        at_knots = np.stack(
            [_quantiles(self.residuals, share, self.weights, self.unit, levels)
             for share in self.shares]
        )  # fmt: skip
        found = np.stack([np.interp(outputs, self.knots, one) for one in at_knots.T], axis=1)
        # of equal quantiles, rounding may leave the higher one lower
        return np.maximum.accumulate(found, axis=1)

    def calibrated(self, levels: np.ndarray) -> np.ndarray:
        """Levels such that the given shares of the residuals lie below their quantiles."""
        if len(self.knots) == 1:
            return levels
        every = _every(len(self.outputs), JUDGED_ROWS)
        residuals, weights = self.residuals[::every, None], every * self.weights[::every]
        found = self.quantiles(self.outputs[::every], GRID)
        below = ((found < residuals).sum(axis=1) + (found <= residuals).sum(axis=1)) / 2
        reached = (below + 0.5) / (len(GRID) + 1)
        # a row is one of the n about its knot: its i / (n + 1) is (i - 1/2) / n beside the others
        reached += (reached - 0.5) * self.unit * len(self.knots) / self.weights.sum()
        order = reached.argsort(kind="stable")
        return _quantiles(reached[order], np.ones(len(order)), weights[order], self.unit, levels)


def _every(n_rows: int, most: int) -> int:
    """The least n such that every n-th row makes no more than `most` rows."""
    return -(-n_rows // most)


def _quantiles(
    values: np.ndarray, share: np.ndarray, weights: np.ndarray, unit: float, levels: np.ndarray
) -> np.ndarray:
    """Quantiles of ascending values, each with a share of its weight."""
    kept = share > 0
    values, share, weights = values[kept], share[kept], weights[kept]
    reached, one = (share * weights).cumsum(), share * np.minimum(weights, unit)
    # the places of the first and of the last copy of a row
    first = reached - share * weights + (one + unit) / 2
    last = reached - (one - unit) / 2
    places = np.stack([first, last], axis=1).ravel()
    return np.interp(levels * (unit + reached[-1]), places, values.repeat(2))
