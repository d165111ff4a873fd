"""The closed-form estimators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from sklearn.base import RegressorMixin
from sklearn.utils.multiclass import type_of_target

from .._compat import StrOptions, available_if, check_parameters
from ..decoders import Decoder, Numbers
from .closed_form import ClosedForm
from .data import read_data
from .fitting import Call
from .layered import BaseLayered, LayeredClassifier, LayeredPredictor, class_decoder, known_classes
from .partial import after_batch, can_learn_in_batches
from .plans import CLOSED_FORM_CONSTRAINTS, closed_form_plan, count_classes
from .quantiles import PredictsQuantiles

if TYPE_CHECKING:
    from ..typing import ArrayLike, Float, Int, LayersLike, RandomState, Shape, TableLike
    from .data import Data
    from .plans import Plan, Precision
    from .weights import ClassWeight


class ZORBClassifier(ClosedForm, LayeredClassifier):
    r"""Classify rows by layers trained in closed form, without backpropagation.

    Labels become targets of 0 and 1, which travel down the list of layers through
    pseudoinverses; each layer is then solved once by ridge regression, input side first:

    .. math:: \min_{W, b} \|X_{i-1} W + b - T_i\|^2 + \alpha \|W\|^2,
              \quad T_{i-1} = f_i^{-1}(T_i), \quad T_{j-1} = (T_j - b_j) W_j^+.

    Parameters
    ----------
    layers : {"fast", "auto", "best"}, str, list of str or list of layers, default="auto"
        The hidden stack: layer objects, plain or as (name, layer) pairs, or text such as
        ``"Dense[512] Sigmoid"``. A read-out is added unless the list ends in `Stack`, or in
        ``Dense()`` without units, optionally followed by `Softmax` or `Sigmoid`. "auto"
        takes what `auto_layers` builds: ridge, kernel and trees, "fast" less and "best" more.
    alpha : "loo" or float, default="loo"
        Ridge penalty of every solve. "loo" takes the one of least leave-one-out error, in
        closed form; a float is absolute, as in `sklearn.linear_model.Ridge`; 0 gives the
        minimum-norm solution.
    relaxation : float, default=0.3
        Share :math:`\rho` of the solved weights in a hidden layer's update. 1 is the
        published rule, 0 a random-feature network.
    readout : {"all", "last"}, default="all"
        Whether the read-out sees the input and every flat hidden block, or the last only.
        What comes from `Trees` or an `EstimatorLayer` then gets a ridge of its own, and the
        two are combined as in `Stack`.
    n_sweeps : int, default=1
        How often the list is swept.
    rcond : float or None, default=None
        Relative cut-off on singular values in solves with ``alpha=0``; None means machine
        epsilon times the larger dimension.
    backward_rcond : float or None, default=None
        The same for the pseudoinverses that carry targets down; from the second sweep on None
        means 1e-6.
    input_shape : tuple of int or None, default=None
        Shape of one sample, such as (28, 28, 1), where the first layer wants images. With
        ``layers="auto"`` it makes the list one of images, in single precision, with pixels as
        they are.
    standardize : bool, default=True
        Whether columns are centred and scaled to unit variance first. Sparse columns are
        scaled only.
    categorical_features : "from_dtype", array-like or None, default="from_dtype"
        Which columns are categories. "from_dtype" takes text and categorical columns of a data
        frame; a mask, indices or names say it for frames and arrays; None takes none.
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of the classes, which multiply `sample_weight`.
    dtype : {"float64", "float32"}, default="float64"
        Precision of activations and weights. Sums over rows are float64 in any case.
    backend : {"auto", "numpy", "jax"}, default="auto"
        Where matrices are multiplied.
    memory_limit : int, str or None, default=None
        Bound on the working set, in bytes or as "500MB"; None keeps up to 2 GB.
    n_jobs : int or None, default=None
        Threads for trees, None for as many as BLAS has, and processes for folds, None for one.
    random_state : int, RandomState instance or None, default=None
        Seeds the initial weights. Pass an int for the same model every time.
    warm_start : bool, default=False
        Whether a fit that was interrupted, or failed, keeps the hidden layers that it has solved,
        and the next one, of the same rows, goes on from there.
    verbose : int, default=0
        1 prints a line for each layer and block solved, with the time left.

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
    feature_importances_ : ndarray of shape (`n_features_in_`,)
        How much each column counts for the output, computed when it is read from what the
        layers learned; sums to one.
    n_features_in_ : int
        Number of columns seen during fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
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
    >>> print(model.loo_score_)  # accuracy of left-out predictions
    0.9...
    """

    _parameter_constraints = {
        **BaseLayered._parameter_constraints,
        **CLOSED_FORM_CONSTRAINTS,
        "class_weight": [StrOptions({"balanced"}), dict, list, None],
    }

    def __init__(
        self,
        layers: LayersLike = "auto",
        *,
        alpha: Float | Literal["loo"] = "loo",
        relaxation: Float = 0.3,
        readout: Literal["all", "last"] = "all",
        n_sweeps: Int = 1,
        rcond: Float | None = None,
        backward_rcond: Float | None = None,
        input_shape: Shape | None = None,
        standardize: bool = True,
        categorical_features: ArrayLike | Literal["from_dtype"] | None = "from_dtype",
        class_weight: ClassWeight | None = None,
        dtype: Literal["float64", "float32"] | Precision = "float64",
        backend: Literal["auto", "numpy", "jax"] = "auto",
        memory_limit: Float | str | None = None,
        n_jobs: Int | None = None,
        random_state: RandomState = None,
        warm_start: bool = False,
        verbose: Int = 0,
    ) -> None:
        self.layers = layers
        self.alpha = alpha
        self.relaxation = relaxation
        self.readout = readout
        self.n_sweeps = n_sweeps
        self.rcond = rcond
        self.backward_rcond = backward_rcond
        self.input_shape = input_shape
        self.standardize = standardize
        self.categorical_features = categorical_features
        self.class_weight = class_weight
        self.dtype = dtype
        self.backend = backend
        self.memory_limit = memory_limit
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose

    def _plan(self, data: Data, call: Call) -> Plan:
        return closed_form_plan(self, data, count_classes(data.y, call.classes), call.batch)

    def _decoder(self, data: Data, plan: Plan, call: Call) -> Decoder:
        return class_decoder(data.y, plan, call.classes)

    @available_if(can_learn_in_batches)
    def partial_fit(
        self,
        X: TableLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Learn a batch of rows.

        The first call is a `fit` to its rows, and the default list is then one hidden block of
        ReLU units. Later calls leave scaling and hidden layers alone: the read-out is solved
        again from running sums, as one solve on all rows so far would give it. With
        ``alpha="loo"`` its penalty is then chosen by generalised cross-validation on those
        sums. `loo_score_` goes on with rows judged before they are learned. A call
        after `fit`, which keeps no sums, is a first call.

        Parameters
        ----------
        X : data frame, array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
        classes : array-like of shape (n_classes,), default=None
            All classes that any call will see; the first call needs them, but for
            multilabel y.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If `classes` are missing in the first call or change, or y holds another one.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from sklearn_zorb import ZORBClassifier
        >>> X, y = load_digits(return_X_y=True)
        >>> model = ZORBClassifier("Dense[100] ReLU", random_state=0)
        >>> for start in range(0, 1500, 500):
        ...     batch = slice(start, start + 500)
        ...     model = model.partial_fit(X[batch], y[batch], classes=range(10))
        >>> print(model.score(X[1500:], y[1500:]))
        0.9...
        """
        check_parameters(self)
        started = hasattr(self, "sums_")
        multilabel = type_of_target(y, input_name="y") == "multilabel-indicator"
        known = known_classes(self, classes, needed=not (started or multilabel))
        data = read_data(
            self, X, y, sample_weight, class_weight=self.class_weight, classes=known,
            reset=not started,
        )  # fmt: skip
        return self._become(after_batch(self, data, Call(known, batch=True)))


class ZORBRegressor(ClosedForm, PredictsQuantiles, RegressorMixin, LayeredPredictor):
    r"""Predict numbers by layers trained in closed form, without backpropagation.

    Targets travel down the list of layers through pseudoinverses, and each layer is solved
    once by ridge regression; see `ZORBClassifier` for the equations.

    Parameters
    ----------
    layers : {"fast", "auto", "best"}, str, list of str or list of layers, default="auto"
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
        Shape of one sample where the first layer wants images, as in `ZORBClassifier`.
    standardize : bool, default=True
        Whether columns, and targets, are centred and scaled to unit variance first.
        Predictions are in the units of y in any case.
    categorical_features : "from_dtype", array-like or None, default="from_dtype"
        Which columns are categories. "from_dtype" takes text and categorical columns of a data
        frame; a mask, indices or names say it for frames and arrays; None takes none.
    clip : bool, default=True
        Whether predictions are kept to the range of the training targets.
    dtype : {"float64", "float32"}, default="float64"
        Precision of activations and weights.
    backend : {"auto", "numpy", "jax"}, default="auto"
        Where matrices are multiplied.
    memory_limit : int, str or None, default=None
        Bound on the working set, in bytes or as "500MB"; None keeps up to 2 GB.
    n_jobs : int or None, default=None
        Threads for trees, None for as many as BLAS has, and processes for folds, None for one.
    random_state : int, RandomState instance or None, default=None
        Seeds the initial weights.
    warm_start : bool, default=False
        Whether a fit goes on where the last one was interrupted, as in `ZORBClassifier`.
    verbose : int, default=0
        1 prints a line for each layer and block solved, with the time left.

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
    feature_importances_ : ndarray of shape (`n_features_in_`,)
        How much each column counts for the output, computed when it is read from what the
        layers learned; sums to one.
    n_outputs_ : int
        Width of the read-out.

    See Also
    --------
    ZORBClassifier : The same for classes; both know the names of the columns.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_zorb import ZORBRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = ZORBRegressor(random_state=0).fit(X, y)
    >>> model.predict(X[:2]).shape
    (2,)
    >>> print(model.loo_score_)  # R² of left-out predictions
    0.5...
    """

    _parameter_constraints = {
        **BaseLayered._parameter_constraints,
        **CLOSED_FORM_CONSTRAINTS,
        "clip": ["boolean"],
    }

    def __init__(
        self,
        layers: LayersLike = "auto",
        *,
        alpha: Float | Literal["loo"] = "loo",
        relaxation: Float = 0.3,
        readout: Literal["all", "last"] = "all",
        n_sweeps: Int = 1,
        rcond: Float | None = None,
        backward_rcond: Float | None = None,
        input_shape: Shape | None = None,
        standardize: bool = True,
        categorical_features: ArrayLike | Literal["from_dtype"] | None = "from_dtype",
        clip: bool = True,
        dtype: Literal["float64", "float32"] | Precision = "float64",
        backend: Literal["auto", "numpy", "jax"] = "auto",
        memory_limit: Float | str | None = None,
        n_jobs: Int | None = None,
        random_state: RandomState = None,
        warm_start: bool = False,
        verbose: Int = 0,
    ) -> None:
        self.layers = layers
        self.alpha = alpha
        self.relaxation = relaxation
        self.readout = readout
        self.n_sweeps = n_sweeps
        self.rcond = rcond
        self.backward_rcond = backward_rcond
        self.input_shape = input_shape
        self.standardize = standardize
        self.categorical_features = categorical_features
        self.clip = clip
        self.dtype = dtype
        self.backend = backend
        self.memory_limit = memory_limit
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose

    def _plan(self, data: Data, call: Call) -> Plan:
        n_outputs = data.y.shape[1] if data.y.ndim == 2 else 1
        return closed_form_plan(self, data, n_outputs, call.batch)

    def _decoder(self, data: Data, plan: Plan, call: Call) -> Decoder:
        return Numbers(data.y, data.weights, self.standardize, self.clip)

    @available_if(can_learn_in_batches)
    def partial_fit(
        self, X: TableLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Learn a batch of rows, as `ZORBClassifier.partial_fit` does.

        Parameters
        ----------
        X : data frame, array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
            Fitted estimator.
        """
        check_parameters(self)
        data = read_data(self, X, y, sample_weight, reset=not hasattr(self, "sums_"))
        return self._become(after_batch(self, data, Call(batch=True)))
