"""The closed-form classifier."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from .._compat import StrOptions
from ..calibration import PowerCalibration
from ..encoding import ClassEncoder, decision_values, indicator_scores, predicted_indices
from ..layers import Softmax
from .base import BaseZORB


class ZORBClassifier(ClassifierMixin, BaseZORB):
    r"""Layered classifier trained in closed form, without backpropagation.

    Labels become targets of 0 and 1, which travel down the list of layers through
    pseudoinverses; each layer is then solved once by ridge regression, input side first:

    .. math:: \min_{W, b} \|X_{i-1} W + b - T_i\|^2 + \alpha \|W\|^2,
              \quad T_{i-1} = f_i^{-1}(T_i), \quad T_{j-1} = (T_j - b_j) W_j^+.

    Parameters
    ----------
    layers : "auto", str, list of str or list of layers, default="auto"
        The hidden stack: layer objects, plain or as (name, layer) pairs, or text such as
        ``"Dense[512] Sigmoid"``. A read-out is added unless the list ends in ``Dense()``
        without units, optionally followed by `Softmax` or `Sigmoid`. "auto" takes what
        `auto_layers` builds from the data.
    alpha : "loo" or float, default="loo"
        Ridge penalty of every solve. "loo" takes the one of least leave-one-out error, in
        closed form; a float is absolute, as in `sklearn.linear_model.Ridge`; 0 gives the
        minimum-norm solution.
    relaxation : float, default=0.3
        Share :math:`\rho` of the solved weights in a hidden layer's update. 1 is the
        published rule, 0 a random-feature network.
    readout : {"all", "last"}, default="all"
        Whether the read-out sees the input and every flat hidden block, or the last only.
    n_sweeps : int, default=1
        How often the list is swept.
    rcond : float or None, default=None
        Relative cut-off on singular values in solves with ``alpha=0``; None means machine
        epsilon times the larger dimension.
    backward_rcond : float or None, default=None
        The same for the pseudoinverses that carry targets down.
    input_shape : tuple of int or None, default=None
        Shape of one sample, such as (28, 28, 1), where the first layer wants images.
    standardize : bool, default=True
        Whether columns are centred and scaled to unit variance first. Sparse columns are
        scaled only.
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of the classes, which multiply `sample_weight`.
    dtype : {"float64", "float32"}, default="float64"
        Precision of activations and weights. Sums over rows are float64 in any case.
    backend : {"auto", "numpy", "jax"}, default="auto"
        Where matrices are multiplied.
    memory_limit : int, str or None, default=None
        Bound on the working set, in bytes or as "500MB"; None keeps every activation.
    n_jobs : int or None, default=None
        Processes for layers that use them.
    random_state : int, RandomState instance or None, default=None
        Seeds the initial weights. Pass an int for the same model every time.
    verbose : int, default=0
        1 prints a line for each layer solved.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels; the indices of the labels for multilabel.
    layers_ : list of (str, Layer)
        The whole network, scaling and read-out included.
    params_ : list of dict of str to ndarray
        What each layer learned.
    history_ : list of dict
        One entry for each solve: layer, seconds, alpha, effective degrees of freedom (the
        rank for ``alpha=0``), leave-one-out error.
    loo_score_ : float
        Accuracy of the left-out predictions of the read-out. The hidden layers have seen
        each row, so it is somewhat optimistic.
    n_features_in_ : int
        Number of columns seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where X had string names.
    n_outputs_ : int
        Width of the read-out.

    See Also
    --------
    ZORBRegressor : The same for numbers.

    References
    ----------
    .. [1] V. Ranganathan and A. Lewandowski, "ZORB: A Derivative-Free Backpropagation
       Algorithm for Neural Networks", arXiv:2011.08895.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_zorb import ZORBClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ZORBClassifier(random_state=0).fit(X, y)
    >>> model.predict(X[:2]).tolist()
    [0, 0]
    >>> model.score(X, y) > 0.95
    True
    """

    _numeric_targets = False
    _parameter_constraints = {
        **BaseZORB._parameter_constraints,
        "class_weight": [StrOptions({"balanced"}), dict, list, None],
    }

    def __init__(
        self,
        layers="auto",
        *,
        alpha="loo",
        relaxation=0.3,
        readout="all",
        n_sweeps=1,
        rcond=None,
        backward_rcond=None,
        input_shape=None,
        standardize=True,
        class_weight=None,
        dtype="float64",
        backend="auto",
        memory_limit=None,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.layers = layers
        self.alpha = alpha
        self.relaxation = relaxation
        self.readout = readout
        self.n_sweeps = n_sweeps
        self.rcond = rcond
        self.backward_rcond = backward_rcond
        self.input_shape = input_shape
        self.standardize = standardize
        self.class_weight = class_weight
        self.dtype = dtype
        self.backend = backend
        self.memory_limit = memory_limit
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def _validate(self, X, y):
        X, y = super()._validate(X, y)
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
        if kind == "multiclass-multioutput":
            raise ValueError(
                "y is multiclass-multioutput, which ZORBClassifier does not fit; wrap it: "
                "sklearn.multioutput.MultiOutputClassifier(ZORBClassifier())."
            )
        if kind != "multilabel-indicator" and y.ndim == 2:
            y = y.ravel()
        return X, y

    def _total_weight(self, y, sample_weight):
        if self.class_weight is None:
            return sample_weight
        weights = compute_sample_weight(self.class_weight, y)
        return weights if sample_weight is None else weights * sample_weight

    def _encode(self, y, weights, tail):
        one_hot = bool(tail) and isinstance(tail[0][1], Softmax)
        encoder = ClassEncoder(y, one_hot=one_hot)
        self.classes_ = encoder.classes
        self._task = encoder.task
        return encoder

    def _set_loo(self, outputs, encoder, context):
        """Score and calibrate on what the read-out says of each row left out."""
        predicted = predicted_indices(outputs, self._task)
        self.loo_score_ = float(
            accuracy_score(encoder.y, predicted, sample_weight=context.sample_weight)
        )
        self._is_probability = bool(self._network.tail)
        if not self._is_probability:
            scores = indicator_scores(outputs, self._task)
            self._calibration = PowerCalibration().fit(scores, encoder.y, context.sample_weight)

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
        return decision_values(self._outputs(X), self._task)

    def predict(self, X):
        """Predict class labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
        """
        indices = predicted_indices(self._outputs(X), self._task)
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
        scores = indicator_scores(self._outputs(X), self._task)
        if self._is_probability:
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
