"""Ensembles of trees as a layer."""

from numbers import Integral, Real

import numpy as np
from sklearn.ensemble import (
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)

from .._compat import Interval, StrOptions
from .cross_fit import Mean, cross_fit, fit_model, fold_numbers
from .foreign import Foreign, is_direct, seed

FORESTS = {"forest": RandomForestRegressor, "extra": ExtraTreesRegressor}


class Trees(Foreign):
    r"""An ensemble of regression trees, fitted to the layer's targets.

    While the network is trained, "forest" and "extra" hand on *out-of-bag* outputs, the mean
    over those trees whose bootstrap sample left a row out; "boosting" hands on out-of-fold
    ones. What the trees say of rows they were grown on would tell the next layer that they
    are always right. On targets of 0 and 1 the squared error of a node is its Gini impurity,
    so that trees fitted to the network's own targets are classification trees, and their
    outputs are shares of the classes.

    Parameters
    ----------
    n_estimators : int, default=100
        Number of trees, or of rounds of boosting.
    kind : {"forest", "extra", "boosting"}, default="forest"
        Random forest, extremely randomised trees on bootstrap samples, or histogram
        gradient boosting; boosting minimises the log-loss where it is fitted to classes
        directly.
    units : int or None, default=None
        Number of outputs; None takes that of the network.
    max_features : {"auto", "sqrt", "log2"}, int, float or None, default="auto"
        Columns tried at a node, as in scikit-learn's forests. "auto" is "sqrt" for classes
        and 0.5 for numbers.
    max_depth : int or None, default=None
    min_samples_leaf : int or None, default=None
        None is 1 for forests and 20 for boosting.
    cv : int, default=5
        Folds of "boosting"; the model is the mean of those of the folds.

    Notes
    -----
    The inverse target is that of a random linear map until the layer is solved, then the
    training row whose output is closest. The outputs of left-out rows still depend on y a
    little, in a way that flexible features can read: a signed read-out should not see both
    (`ZORBClassifier` keeps them apart, and `Stack` combines them safely).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_zorb import ZORBClassifier
    >>> from sklearn_zorb.layers import Stack, Trees
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ZORBClassifier([Stack([[Trees(50)]])], random_state=0).fit(X, y)
    >>> bool(0.9 < model.loo_score_ < 1)
    True
    """

    _parameter_constraints = {
        "kind": [StrOptions({*FORESTS, "boosting"})],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "units": Foreign._units,
        "max_features": [
            None,
            StrOptions({"auto", "sqrt", "log2"}),
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0, 1, closed="right"),
        ],
        "max_depth": [None, Interval(Integral, 1, None, closed="left")],
        "min_samples_leaf": [None, Interval(Integral, 1, None, closed="left")],
        "cv": [Interval(Integral, 2, None, closed="left")],
    }

    def __init__(
        self,
        n_estimators=100,
        *,
        kind="forest",
        units=None,
        max_features="auto",
        max_depth=None,
        min_samples_leaf=None,
        cv=5,
    ):
        self.n_estimators = n_estimators
        self.kind = kind
        self.units = units
        self.max_features = max_features
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.cv = cv

    def fit_model(self, rows, targets, context):
        if self.kind == "boosting":
            return self._boost(rows, targets, context)
        table = np.asarray(targets, dtype=np.float64)
        forest = FORESTS[self.kind](
            self.n_estimators,
            max_features=self._max_features(context),
            max_depth=self.max_depth,
            min_samples_leaf=self.min_samples_leaf or 1,
            bootstrap=True,
            n_jobs=context.n_jobs,
            random_state=seed(context.rng),
        )
        column = table[:, 0] if table.shape[1] == 1 else table
        forest.fit(rows, column, sample_weight=context.sample_weight)
        # several threads would add the trees up in an order of their own each time
        forest.n_jobs = None
        return Forest(forest), out_of_bag(forest, rows, table, context.sample_weight)

    def _max_features(self, context):
        if self.max_features != "auto":
            return self.max_features
        return 0.5 if context.task == "regression" else "sqrt"

    def _boost(self, rows, targets, context):
        direct = is_direct(targets, context) and context.task != "regression"
        make = HistGradientBoostingClassifier if direct else HistGradientBoostingRegressor
        features = self.max_features
        model = make(
            max_iter=self.n_estimators,
            max_depth=self.max_depth,
            min_samples_leaf=self.min_samples_leaf or 20,
            max_features=float(features) if isinstance(features, Real) else 1.0,
        )
        rows = rows.toarray() if hasattr(rows, "tocsr") else rows
        values = context.y if direct else np.asarray(targets, dtype=np.float64)
        codes = context.y if direct and context.y.ndim == 1 else None
        folds = fold_numbers(rows.shape[0], min(self.cv, rows.shape[0]), context.rng, codes)
        streams = context.rng.spawn(folds.max() + 1)

        def fit(number, index):
            return fit_model(
                model, rows, values, context.sample_weight, index, streams[number], self.units
            )

        models, outputs = cross_fit(fit, rows, folds, None)
        return Mean(models), outputs


class Forest:
    """A fitted forest whose predictions always have two dimensions."""

    def __init__(self, forest):
        self.forest = forest

    def predict(self, rows):
        return self.forest.predict(rows).reshape(rows.shape[0], -1)


def out_of_bag(forest, rows, targets, sample_weight):
    """Mean over the trees that have not seen a row; the mean target where all have."""
    n_rows = rows.shape[0]
    rows = rows.astype(np.float32)
    total, count = np.zeros(targets.shape), np.zeros((n_rows, 1))
    for tree, drawn in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        left_out = np.ones(n_rows, dtype=bool)
        left_out[drawn] = False
        index = np.flatnonzero(left_out)
        if len(index):
            predicted = tree.predict(rows[index], check_input=False)
            total[index] += predicted.reshape(len(index), -1)
            count[index] += 1
    mean = np.average(targets, axis=0, weights=sample_weight)
    return np.where(count > 0, total / np.maximum(count, 1), mean)
