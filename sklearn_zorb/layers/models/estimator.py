"""Any scikit-learn estimator as a layer."""

from __future__ import annotations

from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
from sklearn.base import is_classifier, is_regressor

from ..._compat import Interval
from ...linalg import is_traced, namespace
from ...linalg.threads import all_threads
from .cross_fit import cross_fit, whole_copies, with_random_state
from .foreign import POSITIVE, Foreign

if TYPE_CHECKING:
    from ...rows import Targets
    from ...typing import Array, Int, Params, Shape, Stream
    from ..base import Context, Traits

# widths of transformers, by the hash of transformer and number of columns
_WIDTHS: dict[str, int] = {}


class EstimatorLayer(Foreign):
    """Use a scikit-learn regressor, classifier or transformer as a layer.

    A regressor is fitted to the layer's targets, column by column where it takes one column
    only, and a classifier to the labels, whatever the targets. Both are fitted once for
    each fold: while the network is trained the layer hands on out-of-fold predictions or
    probabilities, afterwards the mean of the models of all folds. A transformer is fitted by
    ``fit_transform(X, y)``, whose result is handed on; one that learns from y has to
    cross-fit it, as `sklearn.preprocessing.TargetEncoder` does.

    Parameters
    ----------
    estimator : object
        Never fitted itself; clones of it are.
    units : int or None, default=None
        Number of outputs. None is the number of outputs of the network for a predictor;
        for a transformer, None tries a clone on random rows to see how many columns it gives.
    cv : int, default=5
        Number of folds; copies of a row are in the same one.
    n_keep : int, default=1
        Where the list is swept more than once, the layer is the mean of its latest `n_keep`
        fits.

    Notes
    -----
    An unset ``random_state`` is drawn from that of the network. An estimator that takes no
    `sample_weight` is fitted to as many copies of each row, if all weights are whole numbers.
    A transformer is fitted to copies as well; weights that are not whole it does not see.

    The inverse target is that of a random linear map until the layer is solved, then the
    training row whose output is closest.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn_zorb import ZORBClassifier
    >>> from sklearn_zorb.layers import Dense, EstimatorLayer, Stack, Tanh
    >>> X, y = load_iris(return_X_y=True)
    >>> layers = [Stack([[EstimatorLayer(GaussianNB())], [Dense(32), Tanh()]])]
    >>> model = ZORBClassifier(layers, random_state=0).fit(X, y)
    >>> model.params_[-1]["block_weights"].shape
    (2,)
    """

    _parameter_constraints = {
        "estimator": "no_validation",
        "units": [None, POSITIVE],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "n_keep": [POSITIVE],
    }

    def __init__(
        self, estimator: Any, units: Int | None = None, *, cv: Int = 5, n_keep: Int = 1
    ) -> None:
        self.estimator = estimator
        self.units = units
        self.cv = cv
        self.n_keep = n_keep

    @property
    def traits(self) -> Traits:  # type: ignore[override]  # it depends on hyperparameters
        honest, fits = _is_predictor(self.estimator), is_regressor(self.estimator)
        return replace(super().traits, honest=honest, fits_targets=fits)

    @property
    def gives_probabilities(self) -> bool:
        return is_classifier(self.estimator)

    def _n_units(self, input_shape: Shape) -> int:
        if self.units is None and not _is_predictor(self.estimator):
            return _probed_width(self.estimator, int(input_shape[0]))
        return super()._n_units(input_shape)

    def fit_model(self, rows: Any, targets: Targets, context: Context) -> tuple[Any, Array]:
        _check_estimator(self.estimator)
        # an estimator of others may leave its work to BLAS; what it gives is checked next
        with all_threads(np.inf), np.errstate(all="ignore"):
            model, outputs = self._fit_model(rows, targets, context)
        return model, self._checked(outputs)

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        with np.errstate(all="ignore"):
            outputs = super().forward(params, inputs)
        return self._checked(outputs)

    def _checked(self, outputs: Array) -> Array:
        """The outputs; ValueError where the estimator gave some that are no numbers."""
        finite = namespace(outputs).isfinite(outputs).all(axis=1)
        if not is_traced(outputs) and not finite.all():
            raise ValueError(
                f"EstimatorLayer: {self.estimator!r} gives NaN or infinity for "
                f"{len(finite) - int(finite.sum())} of {len(finite)} rows; take another estimator, "
                "or other settings of it, or drop the columns that it cannot use."
            )
        return outputs

    def _fit_model(self, rows: Any, targets: Targets, context: Context) -> tuple[Any, np.ndarray]:
        if not _is_predictor(self.estimator):
            return self._transform(rows, context)
        if is_classifier(self.estimator):
            values, codes = self._labels(targets, context)
        else:
            values, codes = np.asarray(targets, dtype=np.float64), None
        options: dict[str, Any] = {"cv": self.cv, "units": targets.shape[1], "codes": codes}
        return cross_fit(self.estimator, rows, values, context, **options)

    def _labels(self, targets: Targets, context: Context) -> tuple[np.ndarray, np.ndarray | None]:
        """What a classifier is fitted to, and what folds are stratified by."""
        name = type(self.estimator).__name__
        if context.task == "regression" or context.y is None:
            raise ValueError(
                f"EstimatorLayer({name}()) is fitted to class labels, and y is continuous: "
                "wrap a regressor."
            )
        width = 0 if context.y_targets is None else context.y_targets.shape[1]
        if targets.shape[1] != width:
            raise ValueError(
                f"EstimatorLayer({name}(), units={targets.shape[1]}) hands on one column for "
                f"each output of the network: leave units=None, which is {width} here."
            )
        y = np.asarray(context.y)
        return y, y if y.ndim == 1 else None

    def _transform(self, rows: Any, context: Context) -> tuple[Transformed, np.ndarray]:
        y = None if context.y is None else np.asarray(context.y)
        if y is not None and y.ndim == 2 and y.shape[1] == 1:
            y = y[:, 0]
        transformer = with_random_state(self.estimator, context.rng)
        outputs = _fit_transform(transformer, rows, y, context.sample_weight)
        width = self._n_units(rows.shape[1:])
        if outputs.shape[1] != width:
            raise ValueError(
                f"{type(self.estimator).__name__} gives {outputs.shape[1]} columns, not "
                f"{width}: pass EstimatorLayer(..., units={outputs.shape[1]})."
            )
        return Transformed(transformer), outputs


def _fit_transform(
    transformer: Any, rows: Any, y: np.ndarray | None, sample_weight: np.ndarray | None
) -> np.ndarray:
    """Dense outputs of a transformer fitted to as many copies of each row as it weighs."""
    copies = None if sample_weight is None else whole_copies(sample_weight)
    if sample_weight is None or copies is None:
        return _dense(transformer.fit_transform(rows, y))
    outputs = _dense(transformer.fit_transform(rows[copies], None if y is None else y[copies]))
    # where the transformer cross-fits, copies in different folds differ: their mean
    starts = np.flatnonzero(np.diff(copies, prepend=-1))
    return np.add.reduceat(outputs, starts) / sample_weight[:, None]


class Transformed:
    """A fitted transformer."""

    def __init__(self, transformer: Any) -> None:
        self.transformer = transformer

    def predict(self, rows: Any) -> np.ndarray:
        return _dense(self.transformer.transform(rows))


def _is_predictor(estimator: Any) -> bool:
    if isinstance(estimator, type) or not hasattr(estimator, "fit"):
        raise TypeError(f"EstimatorLayer takes an estimator, such as Ridge(); got {estimator!r}.")
    return is_classifier(estimator) or is_regressor(estimator)


def _check_estimator(estimator: Any) -> None:
    if is_classifier(estimator) and not hasattr(estimator, "predict_proba"):
        raise TypeError(
            f"EstimatorLayer needs predict_proba, which {estimator!r} has not: wrap it in "
            "CalibratedClassifierCV."
        )
    if not _is_predictor(estimator) and not hasattr(estimator, "fit_transform"):
        raise TypeError(
            f"EstimatorLayer takes a regressor, a classifier or a transformer; {estimator!r} "
            "is none."
        )


def _probed_width(estimator: Any, n_features: int) -> int:
    """Columns that a clone of a transformer gives for random rows of this width."""
    _check_estimator(estimator)
    key = joblib.hash((estimator, n_features))
    if key not in _WIDTHS:
        rng = np.random.default_rng(0)
        rows, y = rng.normal(size=(200, n_features)), np.arange(200) % 2
        try:
            outputs = with_random_state(estimator, rng).fit_transform(rows, y)
        except Exception as error:
            raise ValueError(
                f"EstimatorLayer cannot tell how many columns {estimator!r} gives: pass "
                f"units=... It failed on random rows: {error}"
            ) from error
        _WIDTHS[key] = outputs.shape[1]
    return _WIDTHS[key]


def _dense(outputs: Any) -> np.ndarray:
    return outputs.toarray() if hasattr(outputs, "toarray") else np.asarray(outputs, dtype=float)
