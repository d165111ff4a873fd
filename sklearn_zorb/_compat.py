"""The one place for names of other packages that are private or newer than what we require.

Decorators of other packages are wrapped here too: they have no annotations, and would hide those
of the functions that they decorate.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    Options,
    RealNotInt,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

if TYPE_CHECKING:
    from collections.abc import Callable

    from .typing import Method

    def available_if(check: Callable[[Any], bool]) -> Callable[[Method], Method]: ...
    def fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[Method], Method]: ...

    from contextlib import AbstractContextManager

else:
    from sklearn.base import _fit_context as fit_context
    from sklearn.utils.metaestimators import available_if

try:  # scikit-learn >= 1.9
    from sklearn.callback import CallbackSupportMixin

    HAS_CALLBACKS = True
except ImportError:  # pragma: no cover - exercised on older scikit-learn only

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands in where scikit-learn has no callbacks; fits run without them."""

    HAS_CALLBACKS = False


def has_callbacks(estimator: Any) -> bool:
    """Whether a fit of `estimator` has callbacks to call."""
    return bool(getattr(estimator, "_skl_callbacks", ()))


def fit_task(estimator: Any, n_steps: int) -> Any:
    """The task that callbacks of `estimator` are told of, for a fit of at most `n_steps`."""
    return estimator._init_callback_context(max_subtasks=n_steps)


def unlogged() -> AbstractContextManager[Any]:
    """Within this context MLflow, where it is loaded, makes no run of a fit.

    Its `autolog` puts itself around the public `fit` of every class of scikit-learn. What a
    network holds are parts of one model.
    """
    autologging = sys.modules.get("mlflow.utils.autologging_utils")
    # leaving the context switches on what a caller, such as `cross_validate`, has switched off
    if autologging is None or getattr(autologging, "_AUTOLOGGING_GLOBALLY_DISABLED", False):
        return nullcontext()
    return autologging.disable_autologging()


def boosting_gains(model: Any, n_features: int) -> np.ndarray:
    """By how much the splits at each column lower the loss of a fitted histogram boosting."""
    gains, places = np.zeros(n_features), np.arange(n_features)
    if model.is_categorical_ is not None:  # it puts categories in front
        places = np.argsort(~model.is_categorical_, kind="stable")
    for tree in (tree for trees in model._predictors for tree in trees):
        nodes = tree.nodes[tree.nodes["is_leaf"] == 0]
        np.add.at(gains, places[nodes["feature_idx"]], nodes["gain"])
    return gains


def check_parameters(component: Any) -> None:
    """InvalidParameterError unless parameters are what the component's constraints allow."""
    validate_parameter_constraints(
        component._parameter_constraints, component.get_params(deep=False), type(component).__name__
    )


def node_records() -> np.dtype[Any]:
    """The dtype of nodes that `tree_predictor` takes."""
    from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE

    return PREDICTOR_RECORD_DTYPE


def tree_predictor(
    records: np.ndarray, left_sets: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """A function of float64 rows that tells the value of the leaf that each falls into.

    Parameters
    ----------
    records : ndarray of dtype `node_records`
        The root first. Nothing is checked when rows come.
    left_sets : ndarray of uint32 of shape (n_sets, 8)
        Bits of the categories that go left; all others are known and go right.
    """
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

    predictor = TreePredictor(records, left_sets, left_sets)
    known = np.full((1, 8), np.iinfo(np.uint32).max, dtype=np.uint32)

    def predict(rows: np.ndarray) -> np.ndarray:
        places = np.zeros(rows.shape[1], dtype=np.uint32)
        return predictor.predict(rows, known, places, 1)

    return predict


@dataclass(frozen=True)
class BoostedTrees:
    """What a fitted histogram gradient boosting predicts with.

    Attributes
    ----------
    rounds : list of list of (ndarray, ndarray)
        For each round and output, the nodes of a tree, of dtype `node_records`, and its sets
        of categories, as `tree_predictor` takes them.
    baseline : ndarray of shape (n_outputs,)
        What trees add to.
    columns : ndarray of int
        The column of the rows that each column of the nodes is.
    categories : dict
        Known categories of such columns, sorted, NaN last; nodes part their positions.
    """

    rounds: list[list[tuple[np.ndarray, np.ndarray]]]
    baseline: np.ndarray
    columns: np.ndarray
    categories: dict[int, np.ndarray]


def boosted_trees(model: Any) -> BoostedTrees:
    """The `BoostedTrees` of a fitted `HistGradientBoostingClassifier` or regressor."""
    rounds = [
        [(tree.nodes, tree.raw_left_cat_bitsets) for tree in trees] for trees in model._predictors
    ]
    columns, categories = np.arange(model.n_features_in_), {}
    if model._preprocessor is not None:
        # which puts them first
        columns = np.argsort(~model.is_categorical_, kind="stable")
        known = model._preprocessor.named_transformers_["encoder"].categories_
        categories = dict(zip(columns.tolist(), known, strict=False))
    return BoostedTrees(rounds, np.ravel(model._baseline_prediction), columns, categories)


__all__ = [
    "available_if",
    "HAS_CALLBACKS",
    "BoostedTrees",
    "CallbackSupportMixin",
    "Interval",
    "InvalidParameterError",
    "Options",
    "RealNotInt",
    "StrOptions",
    "boosted_trees",
    "boosting_gains",
    "check_feature_names_in",
    "check_parameters",
    "check_sample_weight",
    "fit_context",
    "fit_task",
    "has_callbacks",
    "node_records",
    "tree_predictor",
    "unlogged",
]
