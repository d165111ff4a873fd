"""The one place for scikit-learn names that are private or newer than what we require."""

import numpy as np
from sklearn.base import _fit_context as fit_context
from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

try:  # scikit-learn >= 1.9
    from sklearn.callback import CallbackSupportMixin

    HAS_CALLBACKS = True
except ImportError:  # pragma: no cover - exercised on older scikit-learn only

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands in where scikit-learn has no callbacks; fits run without them."""

    HAS_CALLBACKS = False


def has_callbacks(estimator):
    """Whether anything is to be called in a fit of `estimator`."""
    return bool(getattr(estimator, "_skl_callbacks", ()))


def fit_task(estimator, n_steps):
    """The task that callbacks of `estimator` are told of, for a fit of at most `n_steps`."""
    return estimator._init_callback_context(max_subtasks=n_steps)


def boosting_gains(model, n_features):
    """By how much the splits at each column lower the loss of a fitted histogram boosting."""
    gains, places = np.zeros(n_features), np.arange(n_features)
    if model.is_categorical_ is not None:  # it puts categories in front
        places = np.argsort(~model.is_categorical_, kind="stable")
    for tree in (tree for trees in model._predictors for tree in trees):
        nodes = tree.nodes[tree.nodes["is_leaf"] == 0]
        np.add.at(gains, places[nodes["feature_idx"]], nodes["gain"])
    return gains


def check_parameters(component):
    """InvalidParameterError unless parameters are what the component's constraints allow."""
    validate_parameter_constraints(
        component._parameter_constraints, component.get_params(deep=False), type(component).__name__
    )


__all__ = [
    "HAS_CALLBACKS",
    "CallbackSupportMixin",
    "Interval",
    "InvalidParameterError",
    "Options",
    "StrOptions",
    "boosting_gains",
    "check_parameters",
    "check_sample_weight",
    "fit_context",
    "fit_task",
    "has_callbacks",
]
