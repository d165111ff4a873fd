"""The features of hidden layers, for other estimators."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._compat import StrOptions, check_feature_names_in
from ..decoders import Numbers
from ..layers import Identity, Stack
from ..lists import find
from .data import reads_labels
from .layered import BaseLayered, class_decoder
from .plans import CLOSED_FORM_CONSTRAINTS, closed_form_plan

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..decoders import Decoder
    from ..typing import Float, Int, LayersLike, RandomState, Shape, TableLike
    from .data import Data
    from .fitting import Call, Fit
    from .model import FittedModel
    from .plans import Plan, Precision
    from .weights import ClassWeight

# parameters of other closed-form estimators that it does not have
NOT_OURS = {"n_jobs", "warm_start"}


class ZORBTransformer(TransformerMixin, BaseLayered):
    """Turn rows into features by hidden layers that are trained in closed form.

    The layers are solved for y as those of `ZORBClassifier` and `ZORBRegressor` are, and
    `transform` gives what the read-out would see of them.

    Parameters
    ----------
    layers : {"fast", "auto", "best"}, str, list of str or list of layers, default="auto"
        The hidden layers, as in `ZORBClassifier`. "auto", "fast" and "best" are one block of ReLU
        units, as wide as rows pay for. `Stack`, `Trees` and predictors in an `EstimatorLayer`,
        whose outputs for training rows differ from those for others, are refused.
    task : {"auto", "classification", "regression"}, default="auto"
        What y holds. "auto" takes whole numbers and text for classes.
    alpha : "loo" or float, default="loo"
        Ridge penalty of every solve.
    relaxation : float, default=0.3
        Share of the solved weights in a hidden layer's update. 0 leaves features random.
    readout : {"all", "last"}, default="last"
        Whether features are the outputs of every flat hidden block, or of the last layer only.
    n_sweeps : int, default=1
        How often the list is swept.
    rcond : float or None, default=None
        Relative cut-off on singular values in solves with ``alpha=0``.
    backward_rcond : float or None, default=None
        The same for the pseudoinverses that carry targets down.
    input_shape : tuple of int or None, default=None
        Shape of one sample where the first layer wants images.
    standardize : bool, default=True
        Whether columns are centred and scaled to unit variance first.
    categorical_features : "from_dtype", array-like or None, default="from_dtype"
        Which columns are categories, as in `ZORBClassifier`.
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of the classes, which multiply `sample_weight`.
    dtype : {"float64", "float32"}, default="float64"
        Precision of the features.
    backend : {"auto", "numpy", "jax"}, default="auto"
        Where matrices are multiplied.
    memory_limit : int, str or None, default=None
        Bound on the working set, in bytes or as "500MB"; None keeps up to 2 GB.
    random_state : int, RandomState instance or None, default=None
        Seeds the initial weights.
    verbose : int, default=0
        1 prints a line for each layer and block solved, with the time left.

    Attributes
    ----------
    layers_ : list of (str, Layer)
        The layers up to the features.
    params_ : list of dict of str to ndarray
        What each layer learned.
    history_ : list of dict
        One entry for each solve, that of the read-out included.
    n_features_in_ : int
        Number of columns seen during fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, where X had string names.

    See Also
    --------
    ZORBClassifier : With a read-out for classes.
    ZORBRegressor : With a read-out for numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_friedman1
    >>> from sklearn.linear_model import RidgeCV
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_zorb import ZORBTransformer
    >>> X, y = make_friedman1(600, random_state=0)
    >>> ridge = RidgeCV(np.logspace(-6, 2, 9))
    >>> round(ridge.fit(X[:400], y[:400]).score(X[400:], y[400:]), 2)
    0.75
    >>> model = make_pipeline(ZORBTransformer("Kernel[100]", random_state=0), ridge)
    >>> round(model.fit(X[:400], y[:400]).score(X[400:], y[400:]), 2)
    0.99
    >>> model[0].get_feature_names_out()[:2].tolist()
    ['kernel_1_0', 'kernel_1_1']
    """

    # layers that share out jobs are refused
    n_jobs = None

    _parameter_constraints = {
        **BaseLayered._parameter_constraints,
        **{
            name: CLOSED_FORM_CONSTRAINTS[name]
            for name in CLOSED_FORM_CONSTRAINTS.keys() - NOT_OURS
        },
        "task": [StrOptions({"auto", "classification", "regression"})],
        "class_weight": [StrOptions({"balanced"}), dict, list, None],
    }

    def __init__(
        self,
        layers: LayersLike = "auto",
        *,
        task: Literal["auto", "classification", "regression"] = "auto",
        alpha: Float | Literal["loo"] = "loo",
        relaxation: Float = 0.3,
        readout: Literal["all", "last"] = "last",
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
        random_state: RandomState = None,
        verbose: Int = 0,
    ) -> None:
        self.layers = layers
        self.task = task
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
        self.random_state = random_state
        self.verbose = verbose

    def _plan(self, data: Data, call: Call) -> Plan:
        labels = reads_labels(self, data.y)
        width = data.y.shape[1] if data.y.ndim == 2 else len(np.unique(data.y)) if labels else 1
        plan = closed_form_plan(self, data, width, dense=True)
        found = find(plan.layers, lambda one: isinstance(one, Stack) or one.traits.honest)
        if found is not None:
            raise ValueError(
                f"layers hold {type(found).__name__}: in a fit it hands on predictions for rows "
                "that its models have not seen, which transform cannot give afterwards. Leave it "
                "out, or pass the predictions of ZORBClassifier or ZORBRegressor on by "
                "StackingClassifier or StackingRegressor."
            )
        return plan

    def _decoder(self, data: Data, plan: Plan, call: Call) -> Decoder:
        if reads_labels(self, data.y):
            return class_decoder(data.y, plan)
        return Numbers(data.y, data.weights, self.standardize, clip=False)

    def _attributes(self, fit: Fit, data: Data, call: Call) -> dict[str, Any]:
        model = _without_readout(fit.model)
        layers = list(zip(model.network.names, model.network.layers, strict=True))
        # the last one stands in place of the read-out
        return {
            "model_": model,
            "layers_": layers[:-1],
            "params_": model.params[:-1],
            "history_": fit.history,
        }

    def transform(self, X: TableLike) -> Any:
        """Compute the features of rows: the outputs of the hidden layers.

        Parameters
        ----------
        X : data frame, array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        features : ndarray or data frame of shape (n_samples, n_features_out)
            In the container that `set_output` asks for.
        """
        return self._outputs(X).astype(self.model_.dtype, copy=False)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Name the features: the layer that they come from, and a number.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Compared with the names of the columns, where these are known.

        Returns
        -------
        names : ndarray of str objects
            As in ``tanh_1_0``.
        """
        check_is_fitted(self, "model_")
        check_feature_names_in(self, input_features, generate_names=False)
        network = self.model_.network
        return np.array(
            [
                f"{network.names[tap - 1]}_{number}"
                for tap in network.taps
                for number in range(math.prod(network.shapes[tap]))
            ],
            dtype=object,
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = ["float64"]
        return tags


@dataclass(frozen=True)
class Features:
    """Stands where models that predict have a decoder: outputs are taken as they are.

    Attributes
    ----------
    n_outputs : int
    """

    n_outputs: int


def _without_readout(model: FittedModel) -> FittedModel:
    """A model that gives what the read-out of another one sees, but for the columns themselves."""
    network, index = model.network, model.network.readout
    network = replace(
        network,
        names=(*network.names[:index], "features"),
        layers=(*network.layers[:index], Identity()),
        # where there are more, the first is that of the columns
        taps=network.taps[-max(1, len(network.taps) - 1) :],
    )
    decoder = Features(sum(math.prod(network.shapes[tap]) for tap in network.taps))
    params = [*model.params[:index], {}]
    return model.replace(network=network, params=params, decoder=decoder).folded()
