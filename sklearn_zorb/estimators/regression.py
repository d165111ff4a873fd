"""What regressors share: numbers to targets and back."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import RegressorMixin

from ..encoding import RegressionEncoder
from ..intervals import LeftOutErrors
from .weights import weight_of_one


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

    def extend(self, truth, predicted, sample_weight):
        """These rows and more of them, as a new object."""
        weights = np.ones(len(truth)) if sample_weight is None else sample_weight
        own, own_mean = weights.sum(), np.average(truth, axis=0, weights=weights)
        weight, shift = self.weight + own, own_mean - self.mean
        own_spread = weights @ (truth - own_mean) ** 2
        return Judged(
            self.n_rows + len(truth),
            weight,
            self.mean + own / weight * shift,
            self.spread + own_spread + self.weight * own / weight * shift**2,
            self.errors + weights @ (truth - predicted) ** 2,
        )

    def score(self):
        """R², averaged over outputs; NaN for a single row, which has no spread."""
        if self.n_rows < 2:
            return np.nan
        missed = np.divide(
            self.errors, self.spread, out=np.sign(self.errors), where=self.spread > 0
        )
        return float(np.mean(1 - missed))


class LayeredRegressorMixin(RegressorMixin):
    """Mixin for regressors, to stand left of `BaseLayered`."""

    _numeric_targets = True
    clip = False

    def _total_weight(self, y, sample_weight):
        return sample_weight

    def _count_outputs(self, y):
        return y.shape[1] if y.ndim == 2 else 1

    def _encode(self, y, weights, tail):
        self._flat_output = y.ndim == 1
        return RegressionEncoder(y, weights, self.standardize)

    def _set_loo(self, outputs, encoder, context):
        """R² of what the read-out says of each row left out."""
        truth, predicted = encoder.decode(encoder.y), self._decode(outputs)
        self._judged = Judged().extend(truth, predicted, context.sample_weight)
        self.loo_score_ = self._judged.score()
        self._left_out = LeftOutErrors(truth - predicted, context.sample_weight)

    def _encode_more(self, y):
        """Later rows in the units of the first ones."""
        return self._encoder.extend(y)

    def _judge(self, outputs, encoder, weights):
        """Add rows predicted before they were learned to score and errors."""
        truth, predicted = self._encoder.decode(encoder.y), self._decode(outputs)
        self._judged = self._judged.extend(truth, predicted, weights)
        self.loo_score_ = self._judged.score()
        unit = weight_of_one(weights, by_class=False)
        self._left_out = self._left_out.extend(truth - predicted, weights, unit)

    def _decode(self, outputs):
        predicted = self._encoder.decode(outputs)
        if self.clip:
            predicted = np.clip(predicted, self._encoder.low, self._encoder.high)
        return predicted

    def predict(self, X):
        """Predict targets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        predicted = self._decode(self._outputs(X))
        return predicted[:, 0] if self._flat_output else predicted
