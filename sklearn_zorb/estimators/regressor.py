"""The closed-form regressor."""

from numbers import Real

import numpy as np
from sklearn.utils.metaestimators import available_if

from .base import BaseZORB
from .partial import can_learn_in_batches
from .regression import LayeredRegressorMixin


class ZORBRegressor(LayeredRegressorMixin, BaseZORB):
    r"""Layered regressor trained in closed form, without backpropagation.

    Targets travel down the list of layers through pseudoinverses, and each layer is solved
    once by ridge regression; see `ZORBClassifier` for the equations.

    Parameters
    ----------
    layers : "auto", str, list of str or list of layers, default="auto"
        The hidden stack, as in `ZORBClassifier`.
    alpha : "loo" or float, default="loo"
        Ridge penalty of every solve, as in `ZORBClassifier`.
    relaxation : float, default=0.3
        Share of the solved weights in a hidden layer's update.
    readout : {"all", "last"}, default="all"
        Whether the read-out sees the input and every flat hidden block, or the last only.
    n_sweeps : int, default=1
        How often the list is swept.
    rcond : float or None, default=None
        Relative cut-off on singular values in solves with ``alpha=0``.
    backward_rcond : float or None, default=None
        The same for the pseudoinverses that carry targets down; from the second sweep on None
        means 1e-6.
    input_shape : tuple of int or None, default=None
        Shape of one sample where the first layer wants images.
    standardize : bool, default=True
        Whether columns, and targets, are centred and scaled to unit variance first.
        Predictions are in the units of y in any case.
    clip : bool, default=True
        Whether predictions are kept to the range of the training targets.
    dtype : {"float64", "float32"}, default="float64"
        Precision of activations and weights.
    backend : {"auto", "numpy", "jax"}, default="auto"
        Where matrices are multiplied.
    memory_limit : int, str or None, default=None
        Bound on the working set, in bytes or as "500MB".
    n_jobs : int or None, default=None
        Processes for layers that use them.
    random_state : int, RandomState instance or None, default=None
        Seeds the initial weights.
    verbose : int, default=0
        1 prints a line for each layer solved.

    Attributes
    ----------
    layers_ : list of (str, Layer)
        The whole network, scaling and read-out included.
    params_ : list of dict of str to ndarray
        What each layer learned.
    history_ : list of dict
        One entry for each solve.
    loo_score_ : float
        R² of the left-out predictions of the read-out; NaN for a single row.
    n_features_in_ : int
        Number of columns seen during fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, where X had string names.
    n_outputs_ : int
        Width of the read-out.

    See Also
    --------
    ZORBClassifier : The same for classes.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_zorb import ZORBRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = ZORBRegressor(random_state=0).fit(X, y)
    >>> model.predict(X[:2]).shape
    (2,)
    >>> model.score(X, y) > 0.5
    True
    """

    _parameter_constraints = {**BaseZORB._parameter_constraints, "clip": ["boolean"]}

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
        clip=True,
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
        self.clip = clip
        self.dtype = dtype
        self.backend = backend
        self.memory_limit = memory_limit
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def predict_interval(self, X, coverage=0.9):
        """Intervals that hold a new target with about this probability.

        They are as wide for every row, wide enough for that share of the left-out errors of
        the training rows (jackknife). Where layers were chosen on y, those errors are
        somewhat small, and so is the coverage.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        coverage : float, default=0.9

        Returns
        -------
        low, high : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Kept to the range of the training targets where ``clip=True``.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn_zorb import ZORBRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = ZORBRegressor(random_state=0).fit(X[:300], y[:300])
        >>> low, high = model.predict_interval(X[300:], coverage=0.8)
        >>> bool(0.7 < ((low <= y[300:]) & (y[300:] <= high)).mean() < 0.9)
        True
        """
        if not (isinstance(coverage, Real) and 0 < coverage < 1):
            raise ValueError(f"coverage={coverage!r}; pass a share above 0 and below 1.")
        predicted = self._decode(self._outputs(X))
        half = self._left_out.half_width(coverage)
        ends = [predicted - half, predicted + half]
        if self.clip:
            ends = [np.clip(end, self._encoder.low, self._encoder.high) for end in ends]
        low, high = [end[:, 0] if self._flat_output else end for end in ends]
        return low, high

    @available_if(can_learn_in_batches)
    def partial_fit(self, X, y, sample_weight=None):
        """Learn a batch of rows.

        The first call fixes scaling and hidden layers by `fit` on its rows, and the default
        list is then one hidden block of ReLU units. Later calls leave both alone: the
        read-out is solved again from running sums, as one solve on all rows so far would
        give it. With ``alpha="loo"`` the penalty is chosen by generalised cross-validation
        on those sums. `loo_score_` goes on with rows judged before they are learned. A call
        after `fit`, which keeps no sums, is a first call.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
            Fitted estimator.
        """
        self._validate_params()
        return self._learn_batch(X, y, sample_weight)
