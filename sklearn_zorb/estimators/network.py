"""Estimators that train a list of layers by any rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from sklearn.base import RegressorMixin

from .._compat import StrOptions, available_if, check_parameters
from ..decoders import Decoder, Numbers
from ..trainers import Trainer
from .data import read_data
from .fitting import Call
from .layered import BaseLayered, LayeredClassifier, LayeredPredictor, class_decoder, known_classes
from .partial import refuse_balanced_batches
from .plans import PRECISIONS, rule_plan

if TYPE_CHECKING:
    from ..typing import ArrayLike, Int, LayersLike, RandomState, Shape, TableLike
    from .data import Data
    from .fitting import Fit
    from .model import FittedModel
    from .plans import Plan, Precision
    from .weights import ClassWeight

_CONSTRAINTS = {
    **BaseLayered._parameter_constraints,
    "trainer": [None, Trainer],
    "dtype": [StrOptions({"auto", "float64", "float32"}), *PRECISIONS],
    "warm_start": ["boolean"],
}


def goes_on(estimator: Any) -> bool:
    """Whether the rule can go on from where it was, or an AttributeError that says why not."""
    refuse_balanced_batches(estimator)
    trainer = estimator.trainer
    if trainer is None or trainer.incremental:
        return True
    raise AttributeError(
        f"{type(trainer).__name__} solves for all rows at once: it has no partial_fit. Pass "
        "trainer=Backprop(), or another rule that goes epoch by epoch."
    )


def _before(estimator: Any, call: Call) -> FittedModel | None:
    """The model that a fit goes on from, if it does."""
    wanted = call.batch or estimator.warm_start
    return getattr(estimator, "model_", None) if wanted else None


def _with_epoch(estimator: Any, attributes: dict[str, Any]) -> dict[str, Any]:
    """Attributes after one more epoch: its entry stands behind those of former ones."""
    history = list(getattr(estimator, "history_", []))
    for entry in attributes["history_"]:
        history.append({**entry, "epoch": len(history)})
    return {**attributes, "history_": history, "n_iter_": len(history)}


def _outcome(fit: Fit) -> dict[str, Any]:
    """What the rule says of how training went."""
    return {"status_": fit.status, "n_iter_": len(fit.history)}


class NetworkClassifier(LayeredClassifier):
    r"""Classify rows by layers trained by any rule, backpropagation by default.

    The same lists of layers as in `ZORBClassifier`, with a read-out on the last hidden layer.
    Rules that follow a gradient minimise the weighted cross-entropy

    .. math:: \frac{1}{\sum_i w_i} \sum_i w_i \left(
              \log \sum_k e^{z_{ik}} - z_{i y_i} \right)

    of the read-out z, or its logistic form for two classes and for labels.

    Parameters
    ----------
    layers : str, list of str or list of layers, default="Dense[100] ReLU"
        The hidden stack, as in `ZORBClassifier`. A final `Softmax` or `Sigmoid` is merged
        with the loss.
    trainer : Trainer or None, default=None
        The rule, from `sklearn_zorb.trainers`; None is `Backprop()`.
    standardize : bool, default=True
        Whether columns are centred and scaled to unit variance first.
    categorical_features : "from_dtype", array-like or None, default="from_dtype"
        Which columns are categories. "from_dtype" takes text and categorical columns of a data
        frame; a mask, indices or names say it for frames and arrays; None takes none.
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of the classes, which multiply `sample_weight`.
    input_shape : tuple of int or None, default=None
        Shape of one sample, such as (28, 28, 1), where the first layer wants images.
    dtype : {"auto", "float64", "float32"}, default="auto"
        Precision of activations and weights; "auto" is double up to 1000 rows.
    warm_start : bool, default=False
        Whether `fit` goes on from the present params, cast to the precision that `dtype` says
        for the new rows, and from what `trainer` keeps, such as the state of its optimiser.
        After another `trainer`, or one with settings that change what it keeps, the params
        alone go on.
    random_state : int, RandomState instance or None, default=None
        Seeds initial weights, order of rows and all that a rule draws.
    verbose : int, default=0
        1 prints a line for each epoch, with the time left.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels; the indices of the labels for multilabel.
    layers_ : list of (str, Layer)
        The whole network, scaling and read-out included.
    params_ : list of dict of str to ndarray
        What each layer learned.
    history_ : list of dict
        One entry for each epoch: loss, score, seconds, and what the rule adds.
    status_ : str
        "converged", "max_epochs", "diverged" or "stopped by callback".
    n_iter_ : int
        Number of entries in the history.
    coef_ : ndarray of shape (n_outputs, n_features)
        Of lists that are linear in the columns: their weights in `decision_function`.
    intercept_ : ndarray of shape (n_outputs,)
        What goes with `coef_`.
    n_features_in_ : int
        Number of columns seen during fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, where X had string names.
    n_outputs_ : int
        Width of the read-out.

    See Also
    --------
    NetworkRegressor : The same for numbers.
    ZORBClassifier : The closed form, with nothing to tune.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_zorb import NetworkClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = NetworkClassifier("Dense[16] ReLU", random_state=0).fit(X, y)
    >>> print(model.score(X, y))
    0.9...
    """

    _parameter_constraints = {
        **_CONSTRAINTS,
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        layers: LayersLike = "Dense[100] ReLU",
        *,
        trainer: Trainer | None = None,
        standardize: bool = True,
        categorical_features: ArrayLike | Literal["from_dtype"] | None = "from_dtype",
        class_weight: ClassWeight | None = None,
        input_shape: Shape | None = None,
        dtype: Literal["auto", "float64", "float32"] | Precision = "auto",
        warm_start: bool = False,
        random_state: RandomState = None,
        verbose: Int = 0,
    ) -> None:
        self.layers = layers
        self.trainer = trainer
        self.standardize = standardize
        self.categorical_features = categorical_features
        self.class_weight = class_weight
        self.input_shape = input_shape
        self.dtype = dtype
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    @available_if(goes_on)
    def partial_fit(
        self,
        X: TableLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for one epoch on these rows, from the present params on.

        The first call draws the params; the scales of columns are those of its rows.

        Parameters
        ----------
        X : data frame, array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
        classes : array-like of shape (n_classes,), default=None
            All classes that any call will see. The first call needs them.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
            Fitted estimator.
        """
        check_parameters(self)
        started = hasattr(self, "model_")
        known = known_classes(self, classes, needed=not started)
        data = read_data(
            self, X, y, sample_weight, class_weight=self.class_weight, classes=known,
            reset=not started,
        )  # fmt: skip
        known = self.classes_ if started else known
        return self._become(_with_epoch(self, self._learned(data, Call(known, batch=True))))

    def _plan(self, data: Data, call: Call) -> Plan:
        return rule_plan(self, data, _before(self, call), call.batch)

    def _before(self, call: Call) -> FittedModel | None:
        return _before(self, call)

    def _decoder(self, data: Data, plan: Plan, call: Call) -> Decoder:
        before = _before(self, call)
        if call.batch and before is not None:
            before.decoder.check(data.y)
        decoder = class_decoder(data.y, plan, call.classes)
        if before is not None and not np.array_equal(before.decoder.classes, decoder.classes):
            raise ValueError(
                f"warm_start=True goes on from a model of the classes "
                f"{before.decoder.classes.tolist()}, and y holds {decoder.classes.tolist()}: pass "
                "rows of the same classes, or warm_start=False to begin anew."
            )
        return decoder

    def _attributes(self, fit: Fit, data: Data, call: Call) -> dict[str, Any]:
        return {**super()._attributes(fit, data, call), **_outcome(fit)}


class NetworkRegressor(RegressorMixin, LayeredPredictor):
    r"""Predict numbers by layers trained by any rule, backpropagation by default.

    Rules that follow a gradient minimise :math:`\frac{1}{2 \sum_i w_i} \sum_i w_i \|z_i -
    t_i\|^2`, the targets being standardised if `standardize` is true.

    Parameters
    ----------
    layers : str, list of str or list of layers, default="Dense[100] ReLU"
        The hidden stack, as in `ZORBClassifier`.
    trainer : Trainer or None, default=None
        The rule, from `sklearn_zorb.trainers`; None is `Backprop()`.
    standardize : bool, default=True
        Whether columns, and targets, are centred and scaled to unit variance first.
    categorical_features : "from_dtype", array-like or None, default="from_dtype"
        Which columns are categories. "from_dtype" takes text and categorical columns of a data
        frame; a mask, indices or names say it for frames and arrays; None takes none.
    input_shape : tuple of int or None, default=None
        Shape of one sample where the first layer wants images.
    dtype : {"auto", "float64", "float32"}, default="auto"
        Precision of activations and weights; "auto" is double up to 1000 rows.
    warm_start : bool, default=False
        Whether `fit` goes on from the present params, cast to the precision that `dtype` says
        for the new rows, and from what `trainer` keeps, such as the state of its optimiser.
        After another `trainer`, or one with settings that change what it keeps, the params
        alone go on.
    random_state : int, RandomState instance or None, default=None
        Seeds initial weights, order of rows and all that a rule draws.
    verbose : int, default=0
        1 prints a line for each epoch, with the time left.

    Attributes
    ----------
    layers_ : list of (str, Layer)
        The whole network, scaling and read-out included.
    params_ : list of dict of str to ndarray
        What each layer learned.
    history_ : list of dict
        One entry for each epoch: loss, score, seconds, and what the rule adds.
    status_ : str
        "converged", "max_epochs", "diverged" or "stopped by callback".
    n_iter_ : int
        Number of entries in the history.
    coef_ : ndarray of shape (n_features,) or (n_outputs, n_features)
        Of lists that are linear in the columns: their weights in predictions.
    intercept_ : float or ndarray of shape (n_outputs,)
        What goes with `coef_`.
    n_features_in_ : int
        Number of columns seen during fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, where X had string names.
    n_outputs_ : int
        Width of the read-out.

    See Also
    --------
    NetworkClassifier : The same for classes.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_zorb import NetworkRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = NetworkRegressor("Dense[16] ReLU", random_state=0).fit(X, y)
    >>> print(model.score(X, y))
    0.6...
    """

    _parameter_constraints = _CONSTRAINTS

    def __init__(
        self,
        layers: LayersLike = "Dense[100] ReLU",
        *,
        trainer: Trainer | None = None,
        standardize: bool = True,
        categorical_features: ArrayLike | Literal["from_dtype"] | None = "from_dtype",
        input_shape: Shape | None = None,
        dtype: Literal["auto", "float64", "float32"] | Precision = "auto",
        warm_start: bool = False,
        random_state: RandomState = None,
        verbose: Int = 0,
    ) -> None:
        self.layers = layers
        self.trainer = trainer
        self.standardize = standardize
        self.categorical_features = categorical_features
        self.input_shape = input_shape
        self.dtype = dtype
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    @available_if(goes_on)
    def partial_fit(
        self, X: TableLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Train for one epoch on these rows, from the present params on.

        The first call draws the params; scales of columns and targets are those of its rows.

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
        data = read_data(self, X, y, sample_weight, reset=not hasattr(self, "model_"))
        return self._become(_with_epoch(self, self._learned(data, Call(batch=True))))

    def _plan(self, data: Data, call: Call) -> Plan:
        return rule_plan(self, data, _before(self, call), call.batch)

    def _before(self, call: Call) -> FittedModel | None:
        return _before(self, call)

    def _decoder(self, data: Data, plan: Plan, call: Call) -> Decoder:
        before = _before(self, call)
        if not call.batch or before is None:
            return Numbers(data.y, data.weights, self.standardize)
        before.decoder.check(data.y)
        return before.decoder.widened(data.y)

    def _attributes(self, fit: Fit, data: Data, call: Call) -> dict[str, Any]:
        return {**super()._attributes(fit, data, call), **_outcome(fit)}
