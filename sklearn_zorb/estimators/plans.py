"""What each family of estimators asks of a fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone

from .._compat import Interval, Options, StrOptions
from ..auto import as_auto, default_layers, dense_layers, is_auto, takes_images
from ..layers import Dense, Flatten, Sigmoid
from ..layers.activations import EPSILON
from ..linalg import LeastSquares
from ..lists import find, resolve_layers
from ..memory import Memory
from ..network import check_layers, ends_in, split_readout
from ..rows import count_distinct
from ..trainers import ZORB, Backprop, Trainer
from .data import check_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..layers.base import Layer
    from ..network import Pair
    from ..typing import LayersLike
    from .data import Data
    from .model import FittedModel

    # what `dtype` takes beside names
    Precision: TypeAlias = type[float] | type[np.floating[Any]] | np.dtype[Any]
    from ..typing import RandomState, Shape

# as many rows as a full batch of Backprop takes: above, single precision is enough
DOUBLE_ROWS = 1000

READOUT = "readout"
# what `dtype` takes beside the names: float is NumPy's float64
PRECISIONS = [
    Options(type, {float, np.float64, np.float32}),
    Options(np.dtype, {np.dtype(np.float64), np.dtype(np.float32)}),
]


# of the parameters that closed-form estimators share
CLOSED_FORM_CONSTRAINTS = {
    "alpha": [StrOptions({"loo"}), Interval(Real, 0, None, closed="left")],
    "relaxation": [Interval(Real, 0, 1, closed="both")],
    "readout": [StrOptions({"all", "last"})],
    "n_sweeps": [Interval(Integral, 1, None, closed="left")],
    "rcond": [None, Interval(Real, 0, 1, closed="left")],
    "backward_rcond": [None, Interval(Real, 0, 1, closed="left")],
    "dtype": [StrOptions({"float64", "float32"}), *PRECISIONS],
    "backend": [StrOptions({"auto", "numpy", "jax"})],
    "memory_limit": [None, str, Interval(Real, 0, None, closed="neither")],
    "n_jobs": [None, Integral],
    "warm_start": ["boolean"],
}


@dataclass(frozen=True)
class Plan:
    """What an estimator asks of a fit.

    Attributes
    ----------
    hidden, readout, tail : (name, layer) pairs
        The user's layers, as copies of their own; the read-out is one pair.
    rule : Trainer
    taps : {"all", "last"}
        What the read-out sees.
    standardize : bool
    input_shape : tuple of int or None
    dtype : numpy.dtype
    backend : {"auto", "numpy", "jax"}
    memory : Memory
    random_state : int, RandomState instance or None
    settings : dict
        What the context of the rule takes from the estimator.
    """

    hidden: Sequence[Pair]
    readout: Pair
    tail: Sequence[Pair]
    rule: Trainer
    taps: str = "last"
    standardize: bool = True
    input_shape: Shape | None = None
    dtype: np.dtype[Any] = np.dtype(np.float64)
    backend: str = "numpy"
    memory: Memory = field(default_factory=Memory)
    random_state: RandomState = None
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def layers(self) -> list[Layer]:
        return [layer for _, layer in [*self.hidden, self.readout, *self.tail]]

    def prepared(self, data: Data) -> Data:
        """The data as this plan trains on them: copies merged where layers draw rows."""
        check_size(data.X, "X", self.dtype, squared=not self.standardize)
        draws = find(self.layers, lambda layer: layer.traits.draws_rows)
        return data if draws is None else data.merged(self.memory)

    def link(self) -> dict[str, Any]:
        """How a decoder of classes is to read outputs: its `link` and `shrink`."""
        if self.rule.output == "logits":
            return {"link": "probabilities" if self.tail else "logits"}
        if not self.tail:
            return {"link": "scores"}
        return {"link": "probabilities", "shrink": EPSILON if ends_in(self.tail, Sigmoid) else 0.0}


def read_layers(layers: LayersLike) -> tuple[Sequence[Pair], Pair, Sequence[Pair]]:
    """Hidden (name, layer) pairs, the read-out and what follows it, all checked."""
    pairs = resolve_layers(layers)
    check_layers(pairs)
    hidden, readout, tail = split_readout(pairs)
    return hidden, readout or (READOUT, Dense()), tail


def count_classes(y: np.ndarray, classes: np.ndarray | None = None) -> int:
    """Number of classes, or of labels; `classes` are all, where some may be missing in y."""
    if y.ndim == 2:
        return y.shape[1]
    return len(np.unique(y) if classes is None else classes)


def closed_form_plan(estimator: Any, data: Data, n_outputs: int, dense: bool) -> Plan:
    """What a closed-form estimator asks of a fit to data of so many classes or outputs.

    `dense` makes the default one hidden block: a stack has no hidden features for others to take,
    and must see all rows at once.
    """
    layers, memory = estimator.layers, Memory(estimator.memory_limit)
    auto = None if dense else as_auto(layers)
    if is_auto(layers) and dense:
        layers = _dense_default(estimator, data, memory)
    elif auto is not None:
        layers = default_layers(
            count_distinct(data.X, memory), data.X.shape[1], n_outputs=n_outputs, effort=auto,
            sparse=sp.issparse(data.X), schema=data.schema, input_shape=estimator.input_shape,
        )  # fmt: skip
    of_pixels = auto is not None and takes_images(auto, estimator.input_shape)
    return Plan(
        *read_layers(layers), rule=ZORB(estimator.n_sweeps), taps=estimator.readout,
        standardize=estimator.standardize and not of_pixels, input_shape=estimator.input_shape,
        dtype=np.dtype(np.float32 if of_pixels else estimator.dtype),
        backend=estimator.backend, memory=memory,
        random_state=estimator.random_state, settings={
            "solver": LeastSquares(estimator.alpha, estimator.rcond),
            "relaxation": float(estimator.relaxation),
            "backward_rcond": estimator.backward_rcond,
            "n_jobs": estimator.n_jobs,
        },
    )  # fmt: skip


def rule_plan(estimator: Any, data: Data, before: FittedModel | None, in_batches: bool) -> Plan:
    """What an estimator with any rule asks of a fit that goes on from the model `before`, if any.

    `in_batches` says that more rows are to come: the rule runs for one epoch.
    """
    layers = estimator.layers
    if is_auto(layers):
        layers = _dense_default(estimator, data, Memory())
    if in_batches and before is not None:
        dtype = before.dtype
    elif isinstance(estimator.dtype, str) and estimator.dtype == "auto":
        dtype = np.dtype(np.float64 if data.X.shape[0] <= DOUBLE_ROWS else np.float32)
    else:
        dtype = np.dtype(estimator.dtype)
    return Plan(
        *read_layers(layers), rule=_rule(estimator, in_batches), dtype=dtype,
        standardize=estimator.standardize, input_shape=estimator.input_shape,
        random_state=estimator.random_state,
        # for closed forms: what ZORBClassifier has by default
        settings={"relaxation": 0.3},
    )  # fmt: skip


def _dense_default(estimator: Any, data: Data, memory: Memory) -> list[Layer]:
    """The default list of rules that need no other layers than dense ones."""
    return _flat(estimator, dense_layers(count_distinct(data.X, memory), data.X.shape[1]))


def _flat(estimator: Any, layers: list[Layer]) -> list[Layer]:
    """Default layers, which take rows of numbers: images are flattened before them."""
    return layers if estimator.input_shape is None else [Flatten(), *layers]


def _rule(estimator: Any, one_epoch: bool) -> Trainer:
    """The training rule, a copy; of one epoch where what comes after is not known."""
    trainer = Backprop() if estimator.trainer is None else clone(estimator.trainer)
    if one_epoch:
        # nothing may depend on when training ends
        changes = {"max_epochs": 1, "early_stopping": False, "tol": None, "schedule": None}
        known = trainer.get_params(deep=False)
        trainer.set_params(**{name: changes[name] for name in changes.keys() & known.keys()})
    return trainer
