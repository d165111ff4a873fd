"""What regressors share: numbers to targets and back."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from ..encoding import RegressionEncoder
from ..intervals import LeftOutErrors


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
        self.loo_score_ = float(r2_score(truth, predicted, sample_weight=context.sample_weight))
        self._left_out = LeftOutErrors(truth - predicted, context.sample_weight)

    def _encode_more(self, y):
        """Later rows in the units of the first ones."""
        return self._encoder.extend(y)

    def _judge(self, outputs, encoder, weights, before):
        """Add rows predicted before they were learned to score and errors.

        `before` is the weight of the rows judged so far.
        """
        truth, predicted = self._encoder.decode(encoder.y), self._decode(outputs)
        own = len(truth) if weights is None else weights.sum()
        score = r2_score(truth, predicted, sample_weight=weights) if len(truth) > 1 else 0.0
        self.loo_score_ = float((before * self.loo_score_ + own * score) / (before + own))
        self._left_out = self._left_out.extend(truth - predicted, weights)

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
