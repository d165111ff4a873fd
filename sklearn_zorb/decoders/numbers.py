"""Numbers to targets, and network outputs to predictions and intervals."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ..rows import Targets
from ..rows.remote import mapped, mean, store_of, total
from .intervals import LeftOutErrors

# rows of targets that say whether looking for repeated ones pays
PROBE = 10_000


@dataclass(frozen=True)
class Judged:
    """Sums over all rows judged so far, of which R² is a ratio.

    R² of a batch compares with the mean of that batch: no mean of such scores is R² of all.

    Attributes
    ----------
    n_rows : int
    weight : float
    mean : ndarray of shape (n_outputs,)
        Of the true targets.
    spread, errors : ndarray of shape (n_outputs,)
        Sums of squares of the targets about their mean, and of what predictions miss.
    """

    n_rows: int = 0
    weight: float = 0.0
    mean: np.ndarray | float = 0.0
    spread: np.ndarray | float = 0.0
    errors: np.ndarray | float = 0.0

    @classmethod
    def of(cls, truth: np.ndarray, predicted: np.ndarray, sample_weight: np.ndarray | None) -> Self:
        """The sums of some rows."""
        weights = np.ones(len(truth)) if sample_weight is None else sample_weight
        mean = np.average(truth, axis=0, weights=weights)
        spread, errors = weights @ (truth - mean) ** 2, weights @ (truth - predicted) ** 2
        return cls(len(truth), weights.sum(), mean, spread, errors)

    def merge(self, other: Judged) -> Judged:
        """The sums of these rows and others, as a new object."""
        weight, shift = self.weight + other.weight, other.mean - self.mean
        share = other.weight / weight
        return Judged(
            self.n_rows + other.n_rows,
            weight,
            self.mean + share * shift,
            self.spread + other.spread + self.weight * share * shift**2,
            self.errors + other.errors,
        )

    def score(self) -> float:
        """R², averaged over outputs; NaN for a single row, which has no spread."""
        if self.n_rows < 2:
            return np.nan
        missed = np.divide(
            self.errors, self.spread, out=np.sign(self.errors), where=self.spread > 0
        )
        return float(np.mean(1 - missed))


class Numbers:
    """Regression targets, centred and scaled to unit variance where asked.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    sample_weight : ndarray of shape (n_samples,) or None
    scale : bool
        Whether to standardise. Ridge does not care, but one alpha is chosen for all outputs.
    clip : bool, default=False
        Whether predictions are kept to the range of the targets seen.

    Attributes
    ----------
    score : float
        R² on left-out rows, or on rows judged before they were learned, averaged over
        outputs; NaN for a single row.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.decoders import Numbers
    >>> decoder = Numbers(np.array([1.0, 3.0]), None, scale=True)
    >>> decoder.targets(np.array([1.0, 3.0]))[:].tolist()
    [[-1.0], [1.0]]
    >>> decoder.predict(np.array([[0.5]])).tolist()
    [2.5]
    """

    task = "regression"

    def __init__(self, y: Any, sample_weight: Any, scale: bool, clip: bool = False) -> None:
        self.flat, self.clip = y.ndim == 1, clip
        self.low, self.high = total(_ends, _wider, y)
        self.n_outputs = len(self.low)
        self.mean, self.spread = np.zeros(self.n_outputs), np.ones(self.n_outputs)
        if scale:
            # not of equal numbers, whose mean is off by rounding
            self.mean = np.where(self.low == self.high, self.low, mean(_columns, sample_weight, y))
            self.spread = self._deviation(y, sample_weight)
        self.judged, self.power = Judged(), 0.0
        self.errors: Any = None  # until rows were left out

    @property
    def score(self) -> float | None:
        return None if self.errors is None else self.judged.score()

    def codes(self, y: np.ndarray) -> np.ndarray:
        """Scaled targets, of shape (n_samples, n_outputs)."""
        return (_columns(y) - self.mean) / self.spread

    def targets(self, y: np.ndarray) -> Targets:
        """The same as `Targets`, repeated rows stored once where at least half repeat."""
        scaled = mapped(self.codes, y)
        if store_of(scaled) is not None:
            return Targets(scaled)
        # where nearly all rows of a sample are distinct, the others need not be sorted
        few = scaled[:: max(1, len(scaled) // PROBE)]
        if len(few) < len(scaled) and len(np.unique(few, axis=0)) > 0.9 * len(few):
            return Targets(scaled)
        distinct, codes = np.unique(scaled, axis=0, return_inverse=True)
        if len(distinct) > len(scaled) // 2:
            return Targets(scaled)
        return Targets(distinct, codes.ravel())

    def check(self, y: np.ndarray) -> None:
        """ValueError where later rows have another number of outputs."""
        found = _columns(y).shape[1]
        if found != self.n_outputs:
            raise ValueError(f"y has {found} outputs; the first call had {self.n_outputs}.")

    def widened(self, y: np.ndarray) -> Self:
        """A decoder of the same scale whose range takes in more targets."""
        wider, table = copy(self), _columns(y)
        wider.low = np.minimum(self.low, table.min(axis=0))
        wider.high = np.maximum(self.high, table.max(axis=0))
        return wider

    def learn(
        self,
        outputs: Any,
        y: Any,
        sample_weight: Any,
        *,
        final: bool = True,
    ) -> Self:
        """A decoder that has learned from left-out outputs of all rows.

        `final` says that the read-out will not change; errors of an earlier one tell sizes only.
        """
        learned, residuals = copy(self), mapped(self._residuals, outputs, y)
        learned.judged = total(self._judged, Judged.merge, outputs, y, sample_weight)
        if final:
            learned.errors = LeftOutErrors(outputs, residuals, sample_weight)
        else:
            learned.errors = LeftOutErrors.of_others(residuals, sample_weight)
        return learned

    def update(
        self,
        outputs: np.ndarray,
        y: np.ndarray,
        sample_weight: np.ndarray | None,
        unit: float = 1.0,
    ) -> Self:
        """A decoder that has also seen rows predicted before they were learned.

        `unit` is the weight of one new row.
        """
        updated, residuals = self.widened(y), self._residuals(outputs, y)
        updated.judged = self.judged.merge(self._judged(outputs, y, sample_weight))
        updated.errors = self.errors.extend(residuals, sample_weight, unit)
        return updated

    def _residuals(self, outputs: np.ndarray, y: np.ndarray) -> np.ndarray:
        return _columns(y) - self._decoded(outputs)

    def _judged(
        self, outputs: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None
    ) -> Judged:
        return Judged.of(_columns(y), self._decoded(outputs), sample_weight)

    def _deviation(self, y: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray:
        """Root mean squares of columns, of which none under- or overflows; 1 for those of zeros."""
        largest = np.maximum(self.high - self.mean, self.mean - self.low)
        largest = np.where(largest > 0, largest, 1.0)

        def squares(y: np.ndarray) -> np.ndarray:
            return ((_columns(y) - self.mean) / largest) ** 2

        spread = largest * np.sqrt(mean(squares, sample_weight, y))
        return np.where(spread > 0, spread, largest)

    def _decoded(self, outputs: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            predicted = outputs * self.spread + self.mean
        if self.clip:
            return np.clip(predicted, self.low, self.high)
        if not np.isfinite(predicted).all():
            raise ValueError(
                "X holds rows so far from those of training that predictions overflow; pass them "
                "in the units of training, or clip=True."
            )
        return predicted

    def linear(
        self, weights: np.ndarray, intercept: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray | float]:
        """Weights and intercepts of predictions, from those (d, n_outputs) of outputs."""
        coef, intercept = (weights * self.spread).T, intercept * self.spread + self.mean
        return (coef[0], float(intercept[0])) if self.flat else (coef, intercept)

    def _shaped(self, table: np.ndarray) -> np.ndarray:
        return table[:, 0] if self.flat else table

    def predict(self, outputs: np.ndarray) -> np.ndarray:
        """Predictions in the units of y."""
        return self._shaped(self._decoded(outputs))

    def scaled(self, log_sizes: np.ndarray) -> Self:
        """A decoder whose errors are in units of sizes, to a power, where that is a gain.

        `log_sizes` are left-out predictions of ``errors.log_sizes()``.
        """
        scaled = copy(self)
        scaled.errors, scaled.power = self.errors.scaled(log_sizes)
        return scaled

    def quantiles(
        self, outputs: np.ndarray, levels: np.ndarray, log_sizes: np.ndarray | float = 0.0
    ) -> np.ndarray:
        """Quantiles of new targets, the levels on the last axis."""
        if self.judged.n_rows < 2:
            raise ValueError(
                "quantiles and intervals come from errors of rows left out, and the estimator was "
                "fitted to n_samples=1; fit it to more."
            )
        sizes = np.exp(self.power * np.asarray(log_sizes))
        errors = self.errors.quantiles(outputs, levels) * sizes[..., None]
        found = self._decoded(outputs)[..., None] + errors
        if self.clip:
            found = np.clip(found, self.low[:, None], self.high[:, None])
        return self._shaped(found)


def _columns(y: np.ndarray) -> np.ndarray:
    return np.asarray(y, dtype=np.float64).reshape(len(y), -1)


def _ends(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    table = _columns(y)
    return table.min(axis=0), table.max(axis=0)


def _wider(one: Any, other: Any) -> tuple[np.ndarray, np.ndarray]:
    return np.minimum(one[0], other[0]), np.maximum(one[1], other[1])
