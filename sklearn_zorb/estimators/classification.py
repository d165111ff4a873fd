"""What classifiers share: labels to targets, network outputs to labels and probabilities."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from ..calibration import PowerCalibration
from ..discriminant import LinearDiscriminant
from ..encoding import ClassEncoder, decision_values, indicator_scores, predicted_indices
from ..layers import Sigmoid, Softmax
from ..layers.activations import EPSILON
from .weights import balanced_weights, check_labels, weights_of_classes

LABELS = ("binary", "multiclass", "multiclass-multioutput", "multilabel-indicator")
# standard errors by which the log-loss of a discriminant has to be lower
NOISE = 1.0


class LayeredClassifierMixin(ClassifierMixin):
    """Mixin for classifiers, to stand left of `BaseLayered`."""

    _numeric_targets = False
    # whether the rule trains logarithms of odds
    _logits = False
    # stands between outputs and class scores where some classes would never be named
    _discriminant = None

    def _validate(self, X, y, reset=True):
        X, y = super()._validate(X, y, reset)
        _check_types(y)
        kind = _kind_of_labels(y)
        if kind not in LABELS:
            check_classification_targets(y)  # raises, and says why
        if kind == "multiclass-multioutput":
            raise ValueError(
                f"y is multiclass-multioutput, which {type(self).__name__} does not fit; wrap it: "
                f"sklearn.multioutput.MultiOutputClassifier({type(self).__name__}())."
            )
        if kind != "multilabel-indicator" and y.ndim == 2:
            y = y.ravel()
        if reset and isinstance(self.class_weight, dict | list):
            known = self._known_classes()
            classes = np.unique(y) if known is None else known
            check_labels(self.class_weight, np.arange(2) if y.ndim == 2 else classes)
        return X, y

    def _total_weight(self, y, sample_weight):
        if self.class_weight is None:
            return sample_weight
        if isinstance(self.class_weight, str):
            return balanced_weights(y, sample_weight)
        weights = weights_of_classes(self.class_weight, y)
        return weights if sample_weight is None else weights * sample_weight

    def _count_outputs(self, y):
        return y.shape[1] if y.ndim == 2 else len(np.unique(y))

    def _encode(self, y, weights, tail):
        one_hot = bool(tail) and isinstance(tail[0][1], Softmax)
        encoder = ClassEncoder(y, one_hot=one_hot, classes=self._known_classes())
        self.classes_ = encoder.classes
        self._task = encoder.task
        self._discriminant = None
        return encoder

    def _encode_more(self, y):
        """Later rows in the code of the first ones."""
        self._check_kind(y)
        known = None if self._task == "multilabel" else self.classes_
        encoder = ClassEncoder(y, one_hot=self.n_outputs_ == 2, classes=known)
        if encoder.targets.shape[1] != self.n_outputs_:
            raise ValueError(
                f"y has {encoder.targets.shape[1]} labels; the first call had {self.n_outputs_}."
            )
        return encoder

    def _check_kind(self, y):
        """ValueError where one call has labels, several for each row, and the other classes."""
        if (y.ndim == 2) != (self._task == "multilabel"):
            columns = self.n_outputs_ if self._task == "multilabel" else 1
            raise ValueError(
                f"y has shape {y.shape}; the first call had {columns} column(s): pass y of the "
                "same kind, or call fit to begin anew."
            )

    def _judge(self, outputs, encoder, weights):
        """Add rows predicted before they were learned to score and calibration."""
        predicted = predicted_indices(outputs, self._task)
        score = _share_right(encoder.y, predicted, weights)
        before, own = self._sums.weight, len(outputs) if weights is None else weights.sum()
        self.loo_score_ = float((before * self.loo_score_ + own * score) / (before + own))
        if not self._is_probability:
            scores = indicator_scores(outputs, self._task)
            self._calibration.partial_fit(scores, encoder.y, weights)

    def _known_classes(self):
        """All classes, where some may be missing in the rows; None takes them from the rows."""
        return None

    def _fitted_so_far(self, params):
        attributes = super()._fitted_so_far(params)
        attributes.setdefault("_is_probability", bool(self._network.tail))
        attributes.setdefault("_calibration", PowerCalibration())
        return attributes

    def _set_loo(self, outputs, encoder, context):
        """Score and calibrate on what the read-out says of each row left out."""
        weights = context.sample_weight
        self._is_probability = bool(self._network.tail)
        if not self._is_probability:
            scores = indicator_scores(outputs, self._task)
            self._calibration = PowerCalibration().fit(scores, encoder.y, weights)
            # later batches change the read-out, on which a discriminant rests
            if self._task == "multiclass" and self._known_classes() is None:
                outputs = self._discriminate(outputs, encoder.y, weights)
        predicted = predicted_indices(outputs, self._task)
        self.loo_score_ = _share_right(encoder.y, predicted, weights)

    def _discriminate(self, outputs, codes, weights):
        """Left-out class scores: by a discriminant where the outputs hide classes."""
        discriminant = LinearDiscriminant().fit(outputs, codes, weights)
        calibration = self._preferred(discriminant.left_out, outputs, codes, weights)
        if calibration is None:
            return outputs
        self._discriminant, self._calibration = discriminant, calibration
        return discriminant.left_out

    def _preferred(self, scores, outputs, codes, weights):
        """Calibration of left-out scores of a discriminant; None where outputs are preferred.

        Scores replace them where they name as many rows rightly, and their log-loss is lower by
        more than noise. Lower, too, than that of the shares of the classes: where there is next
        to nothing to see, left-out outputs are lower for a row's own class, which lacks that row.
        A discriminant would read classes from that, new rows backwards, and still beat outputs
        that are worse than nothing.
        """
        right, before = (
            _share_right(codes, predicted_indices(table, self._task), weights)
            for table in (scores, outputs)
        )
        if right < before:
            return None
        calibration = PowerCalibration().fit(scores, codes, weights)
        weight = np.ones(len(codes)) if weights is None else weights
        shares = np.bincount(codes, weight) / weight.sum()
        own = calibration.losses(scores, codes)
        for losses in (self._calibration.losses(outputs, codes), -np.log(shares)[codes]):
            if not _lower_by_more_than_noise(own, losses, weight):
                return None
        return calibration

    def _scores(self, X):
        """Class scores: the outputs of the network, or what the discriminant makes of them."""
        outputs = self._outputs(X)
        return outputs if self._discriminant is None else self._discriminant.probabilities(outputs)

    def decision_function(self, X):
        """Signed scores.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,) if binary, else (n_samples, n_classes)
            The sign is the prediction if binary or multilabel, the largest one otherwise.
        """
        return decision_values(self._scores(X), self._task)

    def predict(self, X):
        """Predict class labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
        """
        indices = predicted_indices(self._scores(X), self._task)
        return indices if self._task == "multilabel" else self.classes_[indices]

    def predict_proba(self, X):
        """Probabilities, calibrated on left-out predictions of the training rows.

        Where the list ends in `Softmax` or `Sigmoid`, those are the probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
            Rows sum to one, but for multilabel, where each entry is that of its label.
        """
        scores = indicator_scores(self._scores(X), self._task)
        if self._is_probability:
            solved = not self._logits
            if solved and any(isinstance(layer, Sigmoid) for layer in self._network.tail):
                # a sigmoid stretched to [0, 1] reaches a little beyond: back to its own range
                scores = scores * (1 - 2 * EPSILON) + EPSILON
            shares = np.clip(scores, np.finfo(float).tiny, 1.0)
            probabilities = shares / shares.sum(axis=-1, keepdims=True)
        else:
            probabilities = self._calibration.probabilities(scores)
        return probabilities[..., 1] if self._task == "multilabel" else probabilities

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags


def _lower_by_more_than_noise(losses, others, weight):
    """Whether the mean of some losses is below that of others by `NOISE` standard errors."""
    gains, total = others - losses, weight.sum()
    gain = weight @ gains / total
    return bool(gain > NOISE * np.sqrt(weight @ (gains - gain) ** 2) / total)


def _check_types(y):
    """ValueError where labels are of types that have no order among each other."""
    if y.dtype != object:
        return
    try:
        np.unique(y)
    except TypeError as error:
        types = sorted({type(label).__name__ for label in y.ravel()})
        raise ValueError(
            f"y mixes labels of the types {', '.join(types)}, which have no common order; pass "
            "labels of one type, such as all of them as text, and a name for missing ones."
        ) from error


def _kind_of_labels(y):
    """What scikit-learn's `type_of_target` says, without its checks where y is plain integers."""
    if y.ndim == 1 and y.dtype.kind in "biu":
        n_classes = len(np.unique(y))
        # of more, versions before 1.8 warn
        if 2 * n_classes <= len(y):
            return "binary" if n_classes <= 2 else "multiclass"
    return type_of_target(y, input_name="y")


def _share_right(y, predicted, sample_weight):
    """Accuracy, of codes or of whole rows of labels: scikit-learn's, but its checks, which
    take longer than a small fit.
    """
    right = y == predicted
    right = right if right.ndim == 1 else right.all(axis=1)
    share = right.mean() if sample_weight is None else np.average(right, weights=sample_weight)
    return float(share)
