"""What all estimators of layer lists share: the fit, predictions, the table of layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MultiOutputMixin
from sklearn.utils.validation import check_is_fitted

from .._compat import CallbackSupportMixin, StrOptions, fit_context
from ..decoders import Classes, Labels
from ..layers import Softmax
from ..lists import NestedNames, check_names
from ..network import ends_in
from .columns import read_rows
from .data import read_data
from .fitting import Call, train
from .linear import linear_outputs
from .links import link_fields, link_template
from .progress import Progress
from .summary import summary_html, summary_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from ..layers.base import Layer
    from ..typing import Float, LayersLike, Params, TableLike
    from .data import Data
    from .fitting import Fit
    from .model import FittedModel
    from .plans import Plan


class BaseLayered(NestedNames, CallbackSupportMixin, MultiOutputMixin, BaseEstimator):
    """Base of every estimator that trains a list of layers.

    Layers in a list get names, as in ``dense_1, tanh_1, dense_2``: the class in lower case and
    a count for each class, unless a ``(name, layer)`` pair gives another one. A layer can then
    be set by its name, and its parameters by ``dense_1__units`` or, inside a composite layer,
    ``skip_1__dense_1__units``.

    A subclass gives ``_plan(data, call)``, what it asks of a fit, and
    ``_decoder(data, plan, call)``.
    """

    block_parameter = "layers"
    many_blocks = False
    # what scikit-learn's diagrams link to
    _doc_link_module = "sklearn_zorb"
    _doc_link_template = property(link_template)
    _doc_link_url_param_generator = link_fields
    # where an estimator has no such parameter
    class_weight: Any = None
    memory_limit: Float | str | None = None
    # parameters of all estimators, and what a fit leaves
    layers: LayersLike
    model_: FittedModel
    layers_: list[tuple[str, Layer]]
    params_: list[Params]
    history_: list[dict[str, Any]]
    n_outputs_: int
    n_features_in_: int
    feature_names_in_: np.ndarray

    _parameter_constraints: dict[str, Any] = {
        "layers": "no_validation",  # reading the list says more
        "input_shape": [None, tuple, list],
        "standardize": ["boolean"],
        "categorical_features": [StrOptions({"from_dtype"}), None, "array-like"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: TableLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train every layer.

        A fit that fails or is interrupted leaves the estimator as it was.

        Parameters
        ----------
        X : data frame, array-like or sparse matrix of shape (n_samples, n_features)
            Training rows. Data frames of pandas, polars and pyarrow are read as they are, with
            text, categories, times and gaps. Gaps of arrays are NaN. CSR and CSC matrices are
            never made dense as a whole.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            A weight of 3 is the same as three copies of the row; rows of weight zero are
            dropped first.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If X holds infinity, or a sparse matrix NaN, y holds either, shapes disagree, no
            weight is positive, or a layer does not fit the shape that reaches it.
        TypeError
            If `layers` holds something that is not a layer, a column of X holds values of
            several types, or X is a lazy frame.
        """
        data = read_data(self, X, y, sample_weight, class_weight=self.class_weight)
        return self._become(self._learned(data, Call()))

    def _learned(self, data: Data, call: Call) -> dict[str, Any]:
        """Attributes that a fit to checked data gives; nothing of the estimator changes."""
        if not isinstance(self.layers, str):
            check_names(self)
        data = data.relative(self.class_weight is not None)
        plan = self._plan(data, call)
        data = plan.prepared(data)

        begun: list[Progress] = []

        def report_to(n_steps: int, model: FittedModel) -> Progress:
            begun.append(Progress(self, (data.X, data.y), n_steps, model, model_attributes))
            return begun[-1]

        try:
            fit = train(plan, data, self._decoder(data, plan, call), report_to, self._before(call))
            return {**data.columns, **self._attributes(fit, data, call)}
        except BaseException as error:
            if begun and begun[-1].step:
                self._stopped(begun[-1], error)
            raise

    def _stopped(self, progress: Progress, error: BaseException) -> None:
        """Add to an error what was finished before it."""
        error.add_note(f"{type(self).__name__}: {progress.finished()}.")

    def _before(self, call: Call) -> FittedModel | None:
        """The model that training goes on from; none, as a rule."""
        return None

    def _attributes(self, fit: Fit, data: Data, call: Call) -> dict[str, Any]:
        """Attributes of a fitted estimator, with a decoder that learned from left-out outputs."""
        # further batches are solved from params that are not folded
        model = fit.model if call.batch else fit.model.folded()
        if fit.left_out is not None:
            decoder = model.decoder.learn(fit.left_out, data.y, data.weights, final=not call.batch)
            model = model.replace(decoder=decoder)
        return {**model_attributes(model), "history_": fit.history}

    def _become(self, attributes: dict[str, Any]) -> Self:
        """Take the attributes of a fit in place of all those of a former one, in one step."""
        kept = {
            name: value
            for name, value in vars(self).items()
            if name.startswith("_") or not name.endswith("_")
        }
        self.__dict__ = {**kept, **attributes}
        return self

    def _outputs(self, X: TableLike) -> np.ndarray:
        """Network outputs of shape (n_samples, n_outputs)."""
        check_is_fitted(self, "model_")
        return self.model_.outputs(read_rows(self, X), self.memory_limit)

    def summary(self, print_fn: Callable[[str], object] | None = print) -> str:
        """Print a table of the layers and, of a model that ends in a `Stack`, one of its blocks.

        Layers are told by name, type, output shape and number of parameters. Blocks are told by
        their weight, the score of their left-out predictions, the size and the seconds of the fit.
        A block without weight is not kept.

        Parameters
        ----------
        print_fn : callable or None, default=print
            Called with the text; None only returns it.

        Returns
        -------
        text : str
        """
        check_is_fitted(self, "model_")
        text = summary_text(self.model_, self.history_)
        if print_fn is not None:
            print_fn(text)
        return text

    @property
    def _repr_html_(self) -> Callable[[], str]:
        """What notebooks show: the diagram, and what the summary of a fitted model says."""
        diagram = super()._repr_html_
        return lambda: diagram() + self._tables()

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
        shown: dict[str, str] = super()._repr_mimebundle_(**options)
        if "text/html" in shown:
            shown["text/html"] += self._tables()
        return shown

    def _tables(self) -> str:
        return summary_html(self.model_, self.history_) if hasattr(self, "model_") else ""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        if tags.classifier_tags is not None:
            tags.classifier_tags.multi_label = True
        return tags


def class_decoder(y: np.ndarray, plan: Plan, classes: np.ndarray | None = None) -> Classes | Labels:
    """The decoder of labels; `classes` are all of them, where some may be missing in y."""
    if y.ndim == 2:
        return Labels(y.shape[1], **plan.link())
    classes = np.unique(y) if classes is None else classes
    return Classes(classes, one_hot=ends_in(plan.tail, Softmax), **plan.link())


def known_classes(estimator: Any, classes: ArrayLike | None, needed: bool) -> np.ndarray | None:
    """All classes that calls of partial_fit will see, in order; None where they follow from y."""
    before = getattr(estimator, "classes_", None)
    if classes is None:
        if before is None and needed:
            raise ValueError("classes must be passed to the first call of partial_fit.")
        return before if needed else None
    known = np.unique(classes)
    if not needed and before is not None and not np.array_equal(known, before):
        raise ValueError(f"classes={classes!r} are not those of the first call, {before!r}.")
    return known


def model_attributes(model: FittedModel) -> dict[str, Any]:
    """The attributes of an estimator that show a fitted model."""
    network, decoder = model.network, model.decoder
    attributes = {
        "model_": model,
        "layers_": list(zip(network.names, network.layers, strict=True)),
        "params_": model.params,
        "n_outputs_": decoder.n_outputs,
    }
    if decoder.score is not None:
        attributes["loo_score_"] = decoder.score
    return (
        attributes if decoder.task == "regression" else {**attributes, "classes_": decoder.classes}
    )


class LayeredPredictor(BaseLayered):
    """Base of classifiers and regressors."""

    if TYPE_CHECKING:  # of scikit-learn's mixins

        def score(
            self, X: TableLike, y: ArrayLike, sample_weight: ArrayLike | None = None
        ) -> float: ...

    def predict(self, X: TableLike) -> np.ndarray:
        """Predict labels or numbers.

        Parameters
        ----------
        X : data frame, array-like or sparse matrix of shape (n_samples, n_features)
            Columns of a data frame may come in any order. Levels of a category that training
            rows did not have are taken as new ones.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Class labels, a matrix of labels for multilabel, or numbers in the units of y.
        """
        outputs = self._outputs(X)
        return self.model_.decoder.predict(outputs)

    @property
    def feature_importances_(self) -> np.ndarray:
        """Importances of the columns, of shape (`n_features_in_`,).

        They follow from what the layers learned, are never negative and sum to one, or are all
        zero where no column moves the output.
        """
        check_is_fitted(self, "model_")
        return self.model_.importances.copy()

    @property
    def coef_(self) -> np.ndarray:
        """Weights of the columns, in their own units, of a list that is linear in them.

        Predictions of numbers are ``X @ coef_.T + intercept_``, kept to the range of y where
        ``clip=True``; so is `decision_function` of classifiers. The shape is (n_features,) for one
        column of numbers, else (n_outputs, n_features). Any other list has no such attribute, and
        the error names the layer that is not linear.
        """
        return self._linear()[0]

    @property
    def intercept_(self) -> np.ndarray | float:
        """What goes with `coef_`: a number, or an array of shape (n_outputs,)."""
        return self._linear()[1]

    def _linear(self) -> tuple[np.ndarray, np.ndarray | float]:
        check_is_fitted(self, "model_")
        return self.model_.decoder.linear(*linear_outputs(self.model_))

    def __call__(self, X: TableLike) -> np.ndarray:
        """Predict, as explainers that take any function ask for it."""
        return self.predict(X)


class LayeredClassifier(ClassifierMixin, LayeredPredictor):
    """Base of classifiers: labels and probabilities from the outputs of the network."""

    classes_: np.ndarray

    def __call__(self, X: TableLike) -> np.ndarray:
        """Give probabilities, as explainers that take any function ask for them."""
        return self.predict_proba(X)

    def decision_function(self, X: TableLike) -> np.ndarray:
        """Signed scores; logits where the rule trains them.

        Parameters
        ----------
        X : data frame, array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,) if binary, else (n_samples, n_classes)
            The sign is the prediction if binary or multilabel, the largest one otherwise.
        """
        outputs = self._outputs(X)
        return self.model_.decoder.decision(outputs)

    def predict_proba(self, X: TableLike) -> np.ndarray:
        """Probabilities, calibrated on left-out predictions of the training rows.

        Where the list ends in `Softmax` or `Sigmoid`, or the rule trains logits, those are the
        probabilities.

        Parameters
        ----------
        X : data frame, array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
            Rows sum to one, but for multilabel, where each entry is that of its label.
        """
        outputs = self._outputs(X)
        return self.model_.decoder.probabilities(outputs)
