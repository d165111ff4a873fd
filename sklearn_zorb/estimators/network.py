"""Estimators that train a list of layers by any rule."""

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .._compat import StrOptions
from .base_network import BaseNetwork, Part, goes_on
from .classification import LayeredClassifierMixin
from .regression import LayeredRegressorMixin


class NetworkClassifier(LayeredClassifierMixin, BaseNetwork):
    r"""Layered classifier trained by any rule, backpropagation by default.

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
    >>> model.score(X, y) > 0.9
    True
    """

    _parameter_constraints = {
        **BaseNetwork._parameter_constraints,
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        layers="Dense[100] ReLU",
        *,
        trainer=None,
        standardize=True,
        class_weight=None,
        input_shape=None,
        dtype="auto",
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.layers = layers
        self.trainer = trainer
        self.standardize = standardize
        self.class_weight = class_weight
        self.input_shape = input_shape
        self.dtype = dtype
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    @available_if(goes_on)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one epoch on these rows, from the present params on.

        The first call draws the params; the scales of columns are those of its rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
        classes : array-like of shape (n_classes,), default=None
            All classes that any call will see. The first call needs them.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
            Fitted estimator.
        """
        going_on = hasattr(self, "params_")
        if not going_on and classes is None:
            raise ValueError("classes must be passed to the first call of partial_fit.")
        if (
            going_on
            and classes is not None
            and not np.array_equal(self.classes_, np.unique(classes))
        ):
            raise ValueError(
                f"classes={classes!r} are not those of the first call, {self.classes_!r}."
            )
        known = self.classes_ if going_on else np.unique(classes)
        return self._fit_part(X, y, sample_weight, Part(going_on, known))

    def _encode(self, y, weights, tail):
        if self._part is not None and self._part.going_on:
            self._check_kind(y)
        before = getattr(self, "classes_", None) if self.warm_start else None
        encoder = super()._encode(y, weights, tail)
        if before is not None and not np.array_equal(before, encoder.classes):
            found, self.classes_ = self.classes_, before
            raise ValueError(
                f"warm_start=True goes on from a model of the classes {before.tolist()}, and y "
                f"holds {found.tolist()}: pass rows of the same classes, or warm_start=False to "
                "begin anew."
            )
        return encoder

    def _known_classes(self):
        return None if self._part is None else self._part.classes

    def _fitted_so_far(self, params):
        attributes = super()._fitted_so_far(params)
        if attributes["_logits"]:
            attributes["_is_probability"] = True
        return attributes

    def _finish_fit(self, network, trainer, result, encoder, context):
        super()._finish_fit(network, trainer, result, encoder, context)
        if result.loo_outputs is None:
            self._is_probability = True

    def _outputs(self, X):
        outputs = super()._outputs(X)
        return _probabilities(outputs, self._task) if self._needs_link() else outputs

    def _needs_link(self):
        return self._logits and not self._network.tail

    def decision_function(self, X):
        """Signed scores: logits where the rule trains them.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,) if binary, else (n_samples, n_classes)
            The sign is the prediction if binary or multilabel, the largest one otherwise.
        """
        check_is_fitted(self)
        if not self._needs_link():
            return super().decision_function(X)
        outputs = BaseNetwork._outputs(self, X)
        return outputs[:, 0] if self._task == "binary" else outputs


class NetworkRegressor(LayeredRegressorMixin, BaseNetwork):
    r"""Layered regressor trained by any rule, backpropagation by default.

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
    >>> model.score(X, y) > 0.5
    True
    """

    def __init__(
        self,
        layers="Dense[100] ReLU",
        *,
        trainer=None,
        standardize=True,
        input_shape=None,
        dtype="auto",
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.layers = layers
        self.trainer = trainer
        self.standardize = standardize
        self.input_shape = input_shape
        self.dtype = dtype
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def _encode(self, y, weights, tail):
        if self._part is None or not self._part.going_on:
            return super()._encode(y, weights, tail)
        return self._encoder.same_scale(y)


def _probabilities(logits, task):
    """Softmax over the classes, or the logistic function of each column."""
    if task == "multiclass":
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)
    return 0.5 * (np.tanh(0.5 * logits) + 1)
