"""The contract between estimators and training rules."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array

from .._compat import check_parameters, unlogged
from ..layers import sequence
from ..linalg.threads import one_thread
from ..network import Network, fits
from ..rows import Rows, Targets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from ..layers.base import Context
    from ..typing import LayersLike, Params, Shape

    # called with an entry of the history and a function that returns the present params; a true
    # return stops the training
    OnStep: TypeAlias = Callable[[dict[str, Any], Callable[[], list[Params]]], bool | None]


@dataclass
class TrainingResult:
    """Hold what a trainer returns.

    Attributes
    ----------
    params : list of dict
        One for each layer of the network.
    history : list of dict
        One entry for each layer solved or epoch run.
    status : str
        "converged", or what stopped the training early.
    left_out : array of shape (n_samples, n_outputs) or None
        Each row's read-out by the model without it, where the rule has it.
    state : dict or None
        What a rule that can go on, epoch after epoch, wants back then.
    """

    params: list[Params]
    history: list[dict[str, Any]] = field(default_factory=list)
    status: str = "converged"
    left_out: np.ndarray | None = None
    state: dict[str, Any] | None = None


class Trainer(BaseEstimator):
    """Define what every training rule has: hyperparameters and `fit`.

    A subclass gives ``_fit(network, params, inputs, targets, context, *, on_step=None)``, which
    is called with a `Network`, its params and `Targets`, and returns a `TrainingResult`.

    Attributes
    ----------
    output : {"scores", "logits"}
        What the trained read-out says of classes: least-squares scores about 0 and 1, or
        logarithms of odds.
    incremental : bool
        Whether `fit` takes the `state` of a former result and goes on from there.
    resumes : bool
        Whether `fit` takes a `state` of what an interrupted one has finished: a dict of ``first``,
        the number of layers of the network that are done, and ``history``, their entries.
    """

    output = "scores"
    incremental = False
    resumes = False

    _parameter_constraints: dict[str, Any] = {}

    def n_steps(self, network: Network) -> int:
        """Count the most entries that a history can have, for progress bars."""
        return 1

    def fit(
        self,
        layers: LayersLike | Network,
        params: Sequence[Params] | None,
        X: Any,
        T: Any,
        context: Context,
        *,
        on_step: OnStep | None = None,
        state: dict[str, Any] | None = None,
    ) -> TrainingResult:
        """Train the params of a list of layers.

        Estimators call this with what they have checked and encoded.

        Parameters
        ----------
        layers : list of Layer, list of (name, layer), str or Network
            Ends in its read-out: ``Dense()``, a `Dense` of as many units as T has columns,
            either of which a `Softmax` or `Sigmoid` may follow, or a `Stack`. Not changed.
        params : list of dict or None
            Initial params, one for each layer; not changed. None draws them.
        X : {array-like, sparse matrix} of shape (n_samples, ...)
        T : array-like or Targets of shape (n_samples, n_outputs)
            Zeros and ones, a column for each class where the task is "multiclass" and one
            column, or two before a `Softmax`, where it is "binary"; else numbers.
        context : Context
            The task, the random stream, precision, weights of the rows. Not changed: the same
            context gives the same model.
        on_step : callable or None, default=None
            Called as ``on_step(entry, params)`` with each history entry and a function
            that returns the present params; a true return stops the training.
        state : dict or None, default=None
            That of a former result, to go on from there; for rules that are `incremental`.

        Returns
        -------
        TrainingResult

        Raises
        ------
        ValueError
            If X or T hold NaN or infinity, T has not a row for each of X, the list has no
            read-out, a shape does not fit, the rule cannot train one of the layers, or it cannot
            go on from a `state`.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import load_iris
        >>> from sklearn_zorb.layers import Context, Dense, Tanh, sequence
        >>> from sklearn_zorb.trainers import ZORB, Backprop
        >>> X, y = load_iris(return_X_y=True)
        >>> layers, T = [Dense(8), Tanh(), Dense(3)], np.eye(3)[y]
        >>> for rule in (ZORB(), Backprop(max_epochs=100)):
        ...     context = Context(task="multiclass", rng=np.random.default_rng(0))
        ...     result = rule.fit(layers, None, X, T, context)
        ...     outputs = sequence.forward(layers, result.params, X)
        ...     print(f"{type(rule).__name__}: {np.mean(outputs.argmax(axis=1) == y)}")
        ZORB: 0.9...
        Backprop: 0.9...
        """
        check_parameters(self)
        if not isinstance(layers, Network):
            layers, params, X, T, context = _network(layers, params, X, T, context)
        if state is not None and not (self.incremental or self.resumes):
            raise ValueError(
                f"{type(self).__name__} trains from the beginning; state must be None, got "
                f"{type(state).__name__}."
            )
        options = {"state": state} if self.incremental or self.resumes else {}
        with one_thread(), unlogged():
            # with a network there are params
            return self._fit(layers, params, X, T, context, on_step=on_step, **options)  # type: ignore[arg-type]

    def _fit(
        self,
        network: Network,
        params: Sequence[Params],
        inputs: Rows,
        targets: Targets,
        context: Context,
        *,
        on_step: OnStep | None = None,
    ) -> TrainingResult:
        raise NotImplementedError


def _network(
    layers: LayersLike,
    params: Sequence[Params] | None,
    X: Any,
    T: ArrayLike | Targets,
    context: Context,
) -> tuple[Network, list[Params], Rows, Targets, Context]:
    """The network of a list of layers, and what is trained with it, checked and completed."""
    X = check_array(
        X, accept_sparse=("csr", "csc"), dtype=context.dtype, ensure_2d=False, allow_nd=True,
        input_name="X",
    )  # fmt: skip
    if not isinstance(T, Targets):
        T = Targets(check_array(T, dtype=np.float64, ensure_2d=False, input_name="T"))
    if X.ndim < 2 or len(T.shape) != 2 or len(T) != X.shape[0]:
        raise ValueError(
            f"X has shape {X.shape} and T {T.shape}; pass a row for each sample in both, and in T "
            "a column for each output."
        )
    network = Network.of(layers, X.shape[1:], T.shape[1])
    # the generator of the caller stays as it is: the same context gives the same model
    streams = deepcopy(context.rng).spawn(2)
    y = _labels(T, context.task) if context.y is None else context.y
    context = context.replace(y=y, y_targets=T, rng=streams[1])
    X = Rows(X)
    fresh = network.init(streams[0], (X, y, context.sample_weight))
    if params is None:
        params = fresh
    elif not fits(list(params), fresh):
        raise ValueError(
            f"params do not fit the layers; pass {[_shapes(one) for one in fresh]}, one dict for "
            "each layer, or None."
        )
    return network, sequence.cast(params, context.dtype), X, T, context


def _labels(T: Targets, task: str) -> np.ndarray:
    """What layers that learn from y itself are given: numbers of classes, or the targets."""
    targets = T[:]
    if task not in ("binary", "multiclass"):
        return targets
    return targets.argmax(axis=1) if targets.shape[1] > 1 else targets[:, 0].astype(int)


def _shapes(params: Params) -> dict[str, Shape]:
    """Shapes of arrays by their names, as they are told in errors."""
    return {name: np.shape(value) for name, value in params.items()}
