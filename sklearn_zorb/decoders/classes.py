"""y to target matrix, network outputs to predictions."""

import numpy as np

from .targets import Targets


class ClassEncoder:
    """Class labels as targets of 0 and 1: one column if binary, else one for each class.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_labels)
        Labels, validated; two dimensions mean multilabel.
    one_hot : bool, default=False
        Whether binary labels take two columns too, as a softmax needs.
    classes : ndarray of shape (n_classes,) or None, default=None
        All classes in order, where some may be missing in y.

    Attributes
    ----------
    task : {"binary", "multiclass", "multilabel"}
    classes : ndarray of shape (n_classes,)
        For multilabel, the indices of the labels.
    codes : ndarray of int of shape (n_samples,)
        Index of each row's class, or of its set of labels.
    targets : Targets of shape (n_samples, n_outputs)
    """

    def __init__(self, y, one_hot=False, classes=None):
        if y.ndim == 2:
            self.task, self.classes = "multilabel", np.arange(y.shape[1])
            distinct, self.codes = np.unique(np.asarray(y), axis=0, return_inverse=True)
            self.codes = self.codes.ravel()
            self.targets = Targets(distinct.astype(np.float64), self.codes)
            return
        if classes is None:
            self.classes, self.codes = np.unique(y, return_inverse=True)
        else:
            self.classes, self.codes = classes, _codes(y, classes)
        if len(self.classes) < 2:
            raise ValueError(
                f"y holds one class only, {self.classes.tolist()[0]!r}; a classifier needs at "
                "least 2 classes."
            )
        self.task = "binary" if len(self.classes) == 2 else "multiclass"
        if self.task == "binary" and not one_hot:
            self.targets = Targets(np.array([[0.0], [1.0]]), self.codes)
        else:
            self.targets = Targets(np.eye(len(self.classes)), self.codes)

    def light(self):
        """What predicting takes: nothing that grows with the rows."""
        return None

    @property
    def y(self):
        """What layers fitted to labels see: class indices, or the label matrix."""
        return self.targets[:].astype(int) if self.task == "multilabel" else self.codes


def _codes(y, classes):
    """Index of each label among the classes."""
    codes = np.clip(np.searchsorted(classes, y), 0, len(classes) - 1)
    unknown = np.setdiff1d(y, classes)
    if len(unknown):
        raise ValueError(f"y holds {unknown.tolist()}, which are not among classes={classes!r}.")
    return codes


def indicator_scores(outputs, task):
    """Outputs with a column for each class: binary ones get their second.

    For multilabel, shape (n, n_labels) becomes (n, n_labels, 2).
    """
    if task == "multilabel":
        return np.stack([1 - outputs, outputs], axis=-1)
    if outputs.shape[1] == 1:
        return np.hstack([1 - outputs, outputs])
    return outputs


def decision_values(outputs, task):
    """Signed scores: (n,) for binary, the sign being the prediction."""
    if task == "binary":
        return 2 * outputs[:, 0] - 1 if outputs.shape[1] == 1 else outputs[:, 1] - outputs[:, 0]
    return 2 * outputs - 1 if task == "multilabel" else outputs


def predicted_indices(outputs, task):
    """Class indices, or the 0/1 label matrix."""
    decision = decision_values(outputs, task)
    if task == "multiclass":
        return decision.argmax(axis=1)
    return (decision > 0).astype(int)


class RegressionEncoder:
    """Regression targets, centred and scaled to unit variance where asked.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    sample_weight : ndarray of shape (n_samples,) or None
    scale : bool
        Whether to standardise. Ridge does not care, but one alpha is chosen for all outputs.
    """

    task = "regression"

    def __init__(self, y, sample_weight, scale):
        matrix = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
        self.low, self.high = matrix.min(axis=0), matrix.max(axis=0)
        self.mean, self.spread = np.zeros(matrix.shape[1]), np.ones(matrix.shape[1])
        if scale:
            self.mean = np.average(matrix, axis=0, weights=sample_weight)
            deviation = np.average((matrix - self.mean) ** 2, axis=0, weights=sample_weight)
            spread = np.sqrt(deviation)
            flat = spread <= 10 * np.finfo(np.float64).eps * np.abs(self.mean)
            self.spread = np.where(flat, 1.0, spread)
        self._scale(matrix)

    def _scale(self, matrix):
        self.y = (matrix - self.mean) / self.spread
        self.targets = _shared_rows(self.y)

    def extend(self, y):
        """Later rows of y: same centre and scale, a range that takes them in."""
        matrix = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
        if matrix.shape[1] != len(self.mean):
            raise ValueError(
                f"y has {matrix.shape[1]} outputs; the first call had {len(self.mean)}."
            )
        self.low = np.minimum(self.low, matrix.min(axis=0))
        self.high = np.maximum(self.high, matrix.max(axis=0))
        more = self.light()
        more.y = (matrix - self.mean) / self.spread
        more.targets = Targets(more.y)
        return more

    def same_scale(self, y):
        """Other targets, centred and scaled as these are."""
        copy = self.light()
        matrix = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
        copy.low = np.minimum(copy.low, matrix.min(axis=0))
        copy.high = np.maximum(copy.high, matrix.max(axis=0))
        copy._scale(matrix)
        return copy

    def light(self):
        """What predicting takes: nothing that grows with the rows."""
        copy = object.__new__(RegressionEncoder)
        for name in ("low", "high", "mean", "spread"):
            setattr(copy, name, getattr(self, name))
        return copy

    def decode(self, outputs):
        """Predictions in the units of y."""
        return outputs * self.spread + self.mean


def _shared_rows(matrix, probe=10_000):
    """Targets that store repeated rows once, where at least half of them repeat.

    A sample of rows that are nearly all distinct spares sorting all of them.
    """
    few = matrix[:: max(1, len(matrix) // probe)]
    if len(few) < len(matrix) and len(np.unique(few, axis=0)) > 0.9 * len(few):
        return Targets(matrix)
    distinct, codes = np.unique(matrix, axis=0, return_inverse=True)
    if len(distinct) > len(matrix) // 2:
        return Targets(matrix)
    return Targets(distinct, codes.ravel())
