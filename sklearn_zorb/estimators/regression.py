"""What regressors share: numbers to targets and back."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from ..encoding import RegressionEncoder


class LayeredRegressorMixin(RegressorMixin):
    """Mixin for regressors, to stand left of `BaseLayered`."""

    _numeric_targets = True
    clip = False

    def _total_weight(self, y, sample_weight):
        return sample_weight

    def _encode(self, y, weights, tail):
        self._flat_output = y.ndim == 1
        return RegressionEncoder(y, weights, self.standardize)

    def _set_loo(self, outputs, encoder, context):
        """R² of what the read-out says of each row left out."""
        truth = encoder.decode(encoder.y)
        self.loo_score_ = float(
            r2_score(truth, self._decode(outputs), sample_weight=context.sample_weight)
        )

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


