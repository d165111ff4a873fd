"""Ensembles of trees as a layer."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..._compat import Interval, StrOptions, boosting_gains
from .cross_fit import cross_fit, whole_copies
from .ensembles import boosting
from .foreign import POSITIVE, Foreign
from .forest import grow_forest
from .one_hot import JoinedCategories, OfJoined
from .typed import TypedColumns

if TYPE_CHECKING:
    from ...rows import Targets
    from ...rows.schema import Schema
    from ...typing import Float, Int, Shape
    from ..base import Context
    from .ensembles import Ensemble

# codes of a category that boosting has room for, beside one for all others
MOST_LEVELS = 254
# copies of rows in a leaf, scikit-learn's default
BOOSTING_LEAF = 20
BOOSTING_LEAVES = 31
# rows, for each distinct one, up to which boosting is given the copies and not their weights:
# where there are weights, scikit-learn takes as long to find the bins as to grow the trees
MOST_COPIES = 1.25
# a tree of one leaf
TREE_BYTES = 2000
FORESTS = {"forest": "DecisionTreeRegressor", "extra": "ExtraTreeRegressor"}


class Trees(Foreign):
    r"""Fit an ensemble of regression trees to the layer's targets.

    While the network is trained, "forest" and "extra" hand on *out-of-bag* outputs, the mean
    over those trees whose bootstrap sample left a row out; "boosting" hands on out-of-fold
    ones. What the trees say of rows they were grown on would tell the next layer that they
    are always right. On targets of 0 and 1 the squared error of a node is its Gini impurity,
    so that trees fitted to the network's own targets are classification trees, and their
    outputs are shares of the classes.

    Bootstrap samples are drawn from distinct rows by their weight, so that a weight of 3 is
    three copies exactly. A row of weight w that a sample holds c times is out of the bag with
    the chance :math:`(1 - 1/w)^c` that one given copy of it is.

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
        and 0.5 for numbers; of columns of several types it is that share of what is made of them.
    max_depth : int or None, default=None
    max_leaf_nodes : int or None, default=None
        None is as many as it takes for forests, and 31 for boosting.
    min_samples_leaf : int or None, default=None
        Least number of distinct rows in a leaf. None is 1 for forests and, for boosting, as
        many as 20 copies of rows of average weight.
    max_samples : int or None, default=None
        Most rows that a bootstrap sample draws; None draws as many as there are. "boosting"
        does not draw.
    learning_rate : float, default=0.1
        What each round of boosting adds is multiplied by this.
    max_bins : int, default=255
        Most values that boosting tells apart in a column, from 2 to 255, but all categories;
        fewer are quicker.
    cv : int, default=5
        Folds of "boosting"; the model is the mean of those of the folds.
    n_keep : int, default=1
        Where the list is swept more than once, the layer is the mean of its latest `n_keep`
        fits, as the sliding ensemble of Zenkai [1]_, and does not jump with every new target.
    schema : Schema or None, default=None
        What is known of columns that are not plain numbers, where the layer stands first; an
        estimator fills it in.

    Notes
    -----
    Gaps and categories are read as they are where the layer stands first: a gap goes to the side
    that suits the training rows, boosting parts the levels of a category as it likes, and forests
    see the codes of the levels beside a column of 0 and 1 for each.

    One-hot columns, neighbours of two values each of which every row has exactly one at its
    higher value, are joined again before trees are grown: boosting parts the categories as it
    likes, forests in the order of the columns. Forests leave the columns of a sparse matrix as
    they are.

    The inverse target is that of a random linear map until the layer is solved, then the
    training row whose output is closest. The outputs of left-out rows still depend on y a
    little, in a way that flexible features can read: a signed read-out should not see both
    (`ZORBClassifier` keeps them apart, and `Stack` combines them safely).

    References
    ----------
    .. [1] G. Short, "Zenkai - Framework For Exploring Beyond Backpropagation",
       arXiv:2311.09663.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_zorb import ZORBClassifier
    >>> from sklearn_zorb.layers import Stack, Trees
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ZORBClassifier([Stack([[Trees(50)]])], random_state=0).fit(X, y)
    >>> print(model.loo_score_)  # accuracy of out-of-bag outputs
    0.9...
    """

    _parameter_constraints = {
        "kind": [StrOptions({*FORESTS, "boosting"})],
        "n_estimators": [POSITIVE],
        "units": [None, POSITIVE],
        "max_features": [
            None,
            StrOptions({"auto", "sqrt", "log2"}),
            POSITIVE,
            Interval(Real, 0, 1, closed="right"),
        ],
        "max_depth": [None, POSITIVE],
        "max_leaf_nodes": [None, Interval(Integral, 2, None, closed="left")],
        "max_samples": [None, POSITIVE],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "max_bins": [Interval(Integral, 2, 255, closed="both")],
        "min_samples_leaf": [None, POSITIVE],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "n_keep": [POSITIVE],
        "schema": "no_validation",
    }

    filled = ("schema",)

    def __init__(
        self,
        n_estimators: Int = 100,
        *,
        kind: Literal["forest", "extra", "boosting"] = "forest",
        units: Int | None = None,
        max_features: Float | Literal["auto", "sqrt", "log2"] | None = "auto",
        max_depth: Int | None = None,
        max_leaf_nodes: Int | None = None,
        min_samples_leaf: Int | None = None,
        max_samples: Int | None = None,
        learning_rate: Float = 0.1,
        max_bins: Int = 255,
        cv: Int = 5,
        n_keep: Int = 1,
        schema: Schema | None = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.kind = kind
        self.units = units
        self.max_features = max_features
        self.max_depth = max_depth
        self.max_leaf_nodes = max_leaf_nodes
        self.min_samples_leaf = min_samples_leaf
        self.max_samples = max_samples
        self.learning_rate = learning_rate
        self.max_bins = max_bins
        self.cv = cv
        self.n_keep = n_keep
        self.schema = schema

    def least_bytes(self, input_shape: Shape, n_rows: int) -> float:
        return TREE_BYTES * self.n_estimators + super().least_bytes(input_shape, n_rows)

    @property
    def one_thread(self) -> bool:
        return self.kind == "boosting"

    @property
    def gives_probabilities(self) -> bool:
        return self.kind == "boosting"

    def fit_model(
        self, rows: Any, targets: Targets, context: Context
    ) -> tuple[OfJoined, np.ndarray]:
        boosted = self.kind == "boosting"
        if self.schema is None:
            joined: JoinedCategories | TypedColumns = JoinedCategories(rows, dense=boosted)
        else:
            joined = TypedColumns(self.schema, max_levels=MOST_LEVELS, indicators=not boosted)
        grow = partial(self._boost, joined.categorical) if boosted else self._grow
        model, outputs = grow(joined.transform(rows), targets, context)
        return OfJoined(model, joined), outputs

    def _grow(self, rows: Any, targets: Targets, context: Context) -> tuple[Ensemble, np.ndarray]:
        make_tree = partial(
            getattr(import_module("sklearn.tree"), FORESTS[self.kind]),
            max_features=self._max_features(context, rows.shape[1]),
            max_depth=self.max_depth,
            max_leaf_nodes=self.max_leaf_nodes,
            min_samples_leaf=self.min_samples_leaf or 1,
        )
        # squared errors are the same in any orthonormal basis, and a node's cost grows with
        # the number of columns
        thin, basis = targets.compress()
        forest, outputs = grow_forest(
            make_tree, int(self.n_estimators), rows, np.asarray(thin, dtype=np.float64),
            context.sample_weight, context.rng, context.n_jobs, self.max_samples,
        )  # fmt: skip
        return (forest, outputs) if basis is None else (forest.then(basis), outputs @ basis)

    def _max_features(self, context: Context, n_columns: int) -> Any:
        if self.max_features != "auto":
            return self.max_features
        if context.task == "regression":
            return 0.5
        # a category is one column, however many stand for it
        return "sqrt" if self.schema is None else round(n_columns / np.sqrt(len(self.schema)))

    def _boost(
        self, categorical: np.ndarray, rows: Any, targets: Targets, context: Context
    ) -> tuple[Any, np.ndarray]:
        direct = targets is context.y_targets and context.task != "regression"
        name = f"HistGradientBoosting{'Classifier' if direct else 'Regressor'}"
        features = self.max_features
        copies = None if self.min_samples_leaf else _few_copies(context.sample_weight)
        leaf = _leaf_size(context.sample_weight) if copies is None else BOOSTING_LEAF
        model = getattr(import_module("sklearn.ensemble"), name)(
            max_iter=self.n_estimators,
            learning_rate=self.learning_rate,
            max_bins=max(self.max_bins, _n_codes(rows[:, categorical])),
            max_leaf_nodes=self.max_leaf_nodes or BOOSTING_LEAVES,
            # all rows of a fold for as many rounds as asked for, however many rows there are
            early_stopping=False,
            max_depth=self.max_depth,
            min_samples_leaf=self.min_samples_leaf or leaf,
            max_features=float(features) if isinstance(features, Real) else 1.0,
            categorical_features=categorical,
        )
        values: Any = context.y if direct else np.asarray(targets, dtype=np.float64)
        codes = values if direct and values.ndim == 1 else None
        # its threads of OpenMP wait for each other after each short loop, actively: where another
        # process has a core, two take five times as long as one, which is as quick without
        options: dict[str, Any] = {
            "cv": self.cv,
            "units": self.units,
            "codes": codes,
            "copies": copies,
            "openmp": 1,
        }
        mean, outputs = cross_fit(model, rows, values, context, **options)
        boosted = [one for fold in mean.models for one in fold.models if one is not None]
        model, n_features = boosting(mean), rows.shape[1]
        # classes of which a fold has one only are not boosted
        gains = (boosting_gains(one, n_features) for one in boosted)
        model.importances = sum(gains, start=np.zeros(n_features))
        return model, outputs


def _n_codes(rows: np.ndarray) -> int:
    """The most codes of a category that there are; gaps are no code."""
    return int(np.fmax.reduce(rows, axis=None, initial=0)) + 1


def _few_copies(sample_weight: np.ndarray | None) -> np.ndarray | None:
    """How often each row comes, where weights say that and few come again; else None."""
    if sample_weight is None or sample_weight.sum() > MOST_COPIES * len(sample_weight):
        return None
    copies = whole_copies(sample_weight)
    return None if copies is None else np.bincount(copies, minlength=len(sample_weight))


def _leaf_size(sample_weight: np.ndarray | None) -> int:
    """The distinct rows that stand for `BOOSTING_LEAF` copies, at least one."""
    if sample_weight is None:
        return BOOSTING_LEAF
    return max(1, round(BOOSTING_LEAF / max(1.0, sample_weight.mean())))
