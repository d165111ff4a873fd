"""The closed-form estimators for rows on the workers of a Dask cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import dask
import numpy as np
from dask import is_dask_collection
from distributed import default_client
from sklearn.base import clone, is_classifier
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.validation import check_is_fitted

from .._compat import StrOptions, fit_context
from ..estimators import ZORBClassifier, ZORBRegressor
from ..estimators.fitting import Call
from ..estimators.layered import BaseLayered
from .predicting import lazily
from .reading import read_collections

if TYPE_CHECKING:
    from distributed import Client
    from numpy.typing import ArrayLike

    from ..estimators.plans import Precision
    from ..estimators.weights import ClassWeight
    from ..typing import Float, Int, LayersLike, RandomState, Shape

# what a decoder makes of outputs, for each method
DECODED = {
    "predict": "predict",
    "predict_proba": "probabilities",
    "decision_function": "decision",
}


class _OnWorkers(BaseLayered):
    """Mixin of a closed-form estimator that is fitted to collections of Dask.

    The class that it is mixed into has the parameters. `_local_class` is the estimator for rows in
    memory that fits the same model.
    """

    _local_class: type[ZORBClassifier | ZORBRegressor]
    client: Client | None

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train every layer where the rows lie.

        Parameters
        ----------
        X : array or data frame of Dask of shape (n_samples, n_features)
            Its chunks or partitions may be of unknown length. They are kept on the workers while
            the fit lasts, which spill to their disks what they have no memory for.
        y : array, data frame or series of Dask
            Divided as X is. Where lengths are known, it is divided again to match.
        sample_weight : array or series of Dask or None, default=None

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        TypeError
            If X, y or the weights are no collections of Dask.
        ValueError
            Where the local estimator raises one, and if partitions of X and y differ in length.
        """
        data, classes = read_collections(self.client_, self._unfitted(), X, y, sample_weight)
        return self._become(self._learned(data, Call(classes)))

    @property
    def client_(self) -> Client:
        """The client that is used: the parameter, or the one that was made last."""
        if self.client is not None:
            return self.client
        try:
            return default_client()
        except ValueError as error:
            raise ValueError(
                "there is no client of a Dask cluster: make one, as by "
                "distributed.Client('tcp://...'), or pass client=..."
            ) from error

    def to_local(self) -> Any:
        """Give the ordinary estimator that predicts the same.

        Returns
        -------
        estimator : ZORBClassifier or ZORBRegressor
            Fitted where this one is. It needs no Dask where it is loaded.
        """
        local = self._unfitted()
        learned = {
            name: value
            for name, value in vars(self).items()
            if name.endswith("_") and not name.startswith("_")
        }
        vars(local).update(learned)
        return local

    def _unfitted(self) -> Any:
        params = self.get_params(deep=False)
        del params["client"]
        return self._local_class(**params)

    def _of(self, method: str, X: Any) -> Any:
        """Predictions for rows here or, when they are asked for, on workers."""
        check_is_fitted(self, "model_")
        local = self.to_local()
        if not is_dask_collection(X):
            return getattr(local, method)(X)
        example = getattr(self.model_.decoder, DECODED[method])(np.zeros((1, self.n_outputs_)))
        return lazily(local, method, X, example)

    def predict(self, X: Any) -> Any:
        """Predict labels or numbers.

        Parameters
        ----------
        X : collection of Dask, data frame or array-like of shape (n_samples, n_features)

        Returns
        -------
        y : dask.array.Array or ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Of Dask where X is, and then computed when it is asked for.
        """
        return self._of("predict", X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Compute the accuracy of labels, or R² of numbers; predictions and y are brought here.

        Parameters
        ----------
        X : collection of Dask, data frame or array-like of shape (n_samples, n_features)
        y : collection of Dask or array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : collection of Dask, array-like or None, default=None

        Returns
        -------
        score : float
        """
        (found,) = dask.compute(self.predict(X))
        y, sample_weight = dask.compute(y, sample_weight)
        measure = accuracy_score if is_classifier(self) else r2_score
        return float(measure(y, found, sample_weight=sample_weight))

    @property
    def partial_fit(self) -> Any:
        raise AttributeError(
            f"{type(self).__name__} learns from whole collections: call fit, or "
            "to_local().partial_fit."
        )

    def __sklearn_clone__(self) -> Self:
        # a client stands for a connection, of which there is no copy
        params = self.get_params(deep=False)
        client = params.pop("client")
        params = {name: clone(value, safe=False) for name, value in params.items()}
        return type(self)(**params, client=client)

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        return {**state, "client": None}


class DaskZORBClassifier(_OnWorkers, ZORBClassifier):
    """Classify rows that lie on the workers of a Dask cluster.

    Every solve of a layer by least squares consists of sums over rows, which are made where the
    rows lie: what travels is a matrix as wide as the layer for each worker. The model is that of
    `sklearn_zorb.ZORBClassifier` on the same rows, to rounding, however they are divided. Layers
    that need rows in one place, as kernels and trees do, learn from a sample: :doc:`/howto/dask`.

    Parameters
    ----------
    layers, alpha, relaxation, readout, n_sweeps, rcond : object
    backward_rcond, input_shape, standardize, categorical_features, class_weight, dtype : object
        As in `sklearn_zorb.ZORBClassifier`.
    backend : {"auto", "numpy"}, default="auto"
        Matrices are multiplied by NumPy in either case.
    memory_limit : int, str or None, default=None
        Bound on the working set of each worker. Up to half of it hidden activations are kept,
        and computed again in each pass beyond; None takes a quarter of the worker's own limit.
    n_jobs, random_state, warm_start, verbose : object
        As in `sklearn_zorb.ZORBClassifier`.
    client : distributed.Client or None, default=None
        Connection to the cluster; None takes the one that was made last.

    See Also
    --------
    sklearn_zorb.ZORBClassifier : The same for rows in one place; attributes are listed there.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_zorb.dask import DaskZORBClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> X, y = da.from_array(X, chunks=(100, -1)), da.from_array(y, chunks=100)
    >>> with Client(processes=False, dashboard_address=":0"):
    ...     model = DaskZORBClassifier("Dense[50] Tanh", random_state=0).fit(X, y)
    ...     found = model.predict(X)[:3].compute()
    >>> found.shape
    (3,)
    """

    _local_class = ZORBClassifier
    _parameter_constraints = {
        **ZORBClassifier._parameter_constraints,
        "backend": [StrOptions({"auto", "numpy"})],
        "client": "no_validation",
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
        backend: Literal["auto", "numpy"] = "auto",
        memory_limit: Float | str | None = None,
        n_jobs: Int | None = None,
        random_state: RandomState = None,
        warm_start: bool = False,
        verbose: Int = 0,
        client: Client | None = None,
    ) -> None:
        super().__init__(
            layers, alpha=alpha, relaxation=relaxation, readout=readout, n_sweeps=n_sweeps,
            rcond=rcond, backward_rcond=backward_rcond, input_shape=input_shape,
            standardize=standardize, categorical_features=categorical_features,
            class_weight=class_weight, dtype=dtype, backend=backend, memory_limit=memory_limit,
            n_jobs=n_jobs, random_state=random_state, warm_start=warm_start, verbose=verbose,
        )  # fmt: skip
        self.client = client

    def predict_proba(self, X: Any) -> Any:
        """Predict probabilities, as `sklearn_zorb.ZORBClassifier` does.

        Parameters
        ----------
        X : collection of Dask, data frame or array-like of shape (n_samples, n_features)

        Returns
        -------
        probabilities : dask.array.Array or ndarray of shape (n_samples, n_classes)
            Of Dask where X is, and then computed when it is asked for.
        """
        return self._of("predict_proba", X)

    def decision_function(self, X: Any) -> Any:
        """Compute signed scores, as `sklearn_zorb.ZORBClassifier` does.

        Parameters
        ----------
        X : collection of Dask, data frame or array-like of shape (n_samples, n_features)

        Returns
        -------
        scores : dask.array.Array or ndarray of shape (n_samples,) or (n_samples, n_classes)
            Of Dask where X is, and then computed when it is asked for.
        """
        return self._of("decision_function", X)


class DaskZORBRegressor(_OnWorkers, ZORBRegressor):
    """Predict numbers for rows that lie on the workers of a Dask cluster.

    Every solve of a layer by least squares consists of sums over rows, which are made where the
    rows lie: what travels is a matrix as wide as the layer for each worker. The model is that of
    `sklearn_zorb.ZORBRegressor` on the same rows, to rounding, however they are divided. Layers
    that need rows in one place, as kernels and trees do, learn from a sample: :doc:`/howto/dask`.

    Parameters
    ----------
    layers, alpha, relaxation, readout, n_sweeps, rcond : object
    backward_rcond, input_shape, standardize, categorical_features, clip, dtype : object
        As in `sklearn_zorb.ZORBRegressor`.
    backend : {"auto", "numpy"}, default="auto"
        Matrices are multiplied by NumPy in either case.
    memory_limit : int, str or None, default=None
        Bound on the working set of each worker. Up to half of it hidden activations are kept,
        and computed again in each pass beyond; None takes a quarter of the worker's own limit.
    n_jobs, random_state, warm_start, verbose : object
        As in `sklearn_zorb.ZORBRegressor`.
    client : distributed.Client or None, default=None
        Connection to the cluster; None takes the one that was made last.

    See Also
    --------
    sklearn_zorb.ZORBRegressor : The same for rows in one place; attributes are listed there.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_zorb.dask import DaskZORBRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X, y = da.from_array(X, chunks=(100, -1)), da.from_array(y, chunks=100)
    >>> with Client(processes=False, dashboard_address=":0"):
    ...     model = DaskZORBRegressor("Dense[50] Tanh", random_state=0).fit(X, y)
    ...     found = model.predict(X)[:3].compute()
    >>> found.shape
    (3,)
    """

    _local_class = ZORBRegressor
    _parameter_constraints = {
        **ZORBRegressor._parameter_constraints,
        "backend": [StrOptions({"auto", "numpy"})],
        "client": "no_validation",
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
        backend: Literal["auto", "numpy"] = "auto",
        memory_limit: Float | str | None = None,
        n_jobs: Int | None = None,
        random_state: RandomState = None,
        warm_start: bool = False,
        verbose: Int = 0,
        client: Client | None = None,
    ) -> None:
        super().__init__(
            layers, alpha=alpha, relaxation=relaxation, readout=readout, n_sweeps=n_sweeps,
            rcond=rcond, backward_rcond=backward_rcond, input_shape=input_shape,
            standardize=standardize, categorical_features=categorical_features, clip=clip,
            dtype=dtype, backend=backend, memory_limit=memory_limit, n_jobs=n_jobs,
            random_state=random_state, warm_start=warm_start, verbose=verbose,
        )  # fmt: skip
        self.client = client
