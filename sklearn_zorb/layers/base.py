"""The contract between layers and training rules.

A layer holds hyperparameters only. What it learns is a dict of arrays, ``params``, that is
passed in and returned; the same layer object may therefore stand in many networks, and
every method is a pure function of its arguments. Shapes never include the sample axis.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator

from ..linalg import LeastSquares
from ..memory import Memory


@dataclass
class Solved:
    """What `Layer.solve` returns.

    ``outputs`` are given only where the layer hands on something other than `forward` of
    its inputs while training, such as out-of-bag predictions; ``loo_outputs`` only where the
    context asks for them and the layer has them.
    """

    params: dict
    outputs: Any = None
    report: dict = field(default_factory=dict)
    loo_outputs: Any = None


@dataclass(frozen=True)
class Context:
    """What a layer may use while it is solved.

    Attributes
    ----------
    solver : LeastSquares
        The estimator's least-squares settings; a layer's own ones take precedence.
    relaxation : float
        Share of the solved weights in the relaxed update, in [0, 1].
    backward_rcond : float or None
        Relative cut-off of the pseudoinverses that carry targets down.
    sample_weight : ndarray of shape (n_samples,) or None
    rng : numpy.random.Generator
        This layer's own stream.
    y : ndarray or None
        Encoded class indices or the regression targets.
    y_targets : Targets or None
        The target matrix of the whole network.
    task : {"binary", "multiclass", "multilabel", "regression"}
    n_jobs : int or None
    backend : {"numpy", "jax"}
    dtype : numpy.dtype
    memory : Memory
        Says how many rows go through at a time and what may be kept.
    loo_outputs : bool
        Whether the left-out prediction of every row is wanted.
    refine : bool
        Whether the params at hand are solved ones: a layer then solves for a change that
        brings its outputs closer to the targets, in place of params from nothing.
    """

    solver: LeastSquares = field(default_factory=LeastSquares)
    relaxation: float = 1.0
    backward_rcond: float | None = None
    sample_weight: np.ndarray | None = None
    rng: np.random.Generator = field(default_factory=np.random.default_rng)
    y: np.ndarray | None = None
    y_targets: Any = None
    task: str = "regression"
    n_jobs: int | None = None
    backend: str = "numpy"
    dtype: Any = np.dtype(np.float64)
    memory: Memory = field(default_factory=Memory)
    loo_outputs: bool = False
    refine: bool = False

    def replace(self, **changes):
        """A copy with some attributes changed."""
        return replace(self, **changes)


class Layer(BaseEstimator):
    """Base class of all layers: the identity, with nothing to learn.

    A subclass overrides what differs. A layer without parameters needs `forward` and
    `invert` only; see the tutorial "Write your own layer".

    Attributes
    ----------
    solvable : bool
        Whether `solve` learns anything.
    uses_targets : bool
        Whether `solve` reads the targets; a layer that only scales its inputs does not.
    fits_targets : bool
        Whether `solve` brings the outputs close to its targets; a layer that learns features
        from which they can be predicted does not.
    streams : bool
        Whether `solve` can be fed rows in chunks.
    draws_rows : bool
        Whether `solve` draws rows by their position, for bootstrap samples or folds. A network
        with such a layer is given distinct rows, with the weight of their copies, in an order
        of their own.
    needs_inputs : bool
        Whether `invert` reads its `inputs`. Where it does not, say False: targets that
        repeat (one row for each class) are then inverted once for each distinct row.
    inverts_rows : bool
        Whether `invert` treats each row by itself and draws nothing, given what
        `learn_targets` found: targets too many to keep are then inverted chunk by chunk.
    invert_options : tuple of str
        Attributes of the context that `invert` also takes, as keywords.
    differentiable : bool
        Whether gradient rules may pass through `forward`.
    traceable : bool
        Whether JAX can trace `forward`; a layer that hands rows to other libraries says False.
    """

    solvable = False
    uses_targets = True
    fits_targets = True
    streams = True
    draws_rows = False
    needs_inputs = True
    inverts_rows = False
    invert_options: tuple[str, ...] = ()
    differentiable = True
    traceable = True

    _parameter_constraints: dict = {}

    def output_shape(self, input_shape):
        """Shape of one sample's output; raises ValueError if `input_shape` does not fit."""
        return tuple(input_shape)

    def init(self, rng, input_shape, data=None):
        """Initial params.

        Parameters
        ----------
        rng : numpy.random.Generator
        input_shape : tuple of int
        data : tuple (inputs, y, sample_weight) or None
            For scalers and data-driven initialisers.

        Returns
        -------
        params : dict
            Arrays by name; dicts of arrays may stand in it.
        """
        return {}

    def forward(self, params, inputs, *, rng=None):
        """Outputs of shape ``(n_samples, *output_shape)``; `rng` is given only while training.

        Chunks of rows may come from several threads at once: no attribute is set here.
        """
        return inputs

    def invert(self, params, targets, inputs, *, rng=None):
        """Targets for this layer's input, from targets for its output.

        Parameters
        ----------
        params : dict
        targets : array of shape ``(n, *output_shape)``
        inputs : array of shape ``(n, *input_shape)`` or None
            The present input; None if `needs_inputs` is False.
        rng : numpy.random.Generator or None

        Returns
        -------
        input_targets : array of shape ``(n, *input_shape)``
        params : dict
            Changed where the inverse learns something, such as a range.
        """
        return targets, params

    def learn_targets(self, params, chunks):
        """Params with what `invert` learns from all targets, which come in chunks.

        Needed only where `inverts_rows`, and there only if `invert` learns something.
        """
        return params

    def inverter(self, params, **options):
        """`invert` of any rows, as a function of one argument, where `inverts_rows`."""
        return lambda targets: self.invert(params, targets, None, **options)[0]

    def moves(self, context):
        """Whether `solve` would change params; where not, it is not called."""
        return self.solvable

    def solve(self, params, inputs, targets, context):
        """Fit params so that `forward(params, inputs)` comes close to `targets`.

        Parameters
        ----------
        params : dict
        inputs : array or Rows of shape ``(n_samples, *input_shape)``
            Sliced by rows; ``np.asarray(inputs)`` makes one array of it.
        targets : Targets of shape ``(n_samples, *output_shape)``
            Sliced by rows; ``np.asarray(targets)`` makes one array of it.
        context : Context

        Returns
        -------
        Solved
        """
        raise NotImplementedError(f"{type(self).__name__} has nothing to solve.")

    def trainable(self, params):
        """The part of `params` that gradient rules move, nested as params are."""
        return {}

    # layers are parts of estimators, not estimators of their own: no diagram, no tags
    def _repr_html_(self):
        return None


def in_precision_of(values, number):
    """`number` in the floating precision of `values`."""
    return number.astype(np.result_type(values.dtype, np.float32))


def shape_error(layer, input_shape, expected):
    """A ValueError that names the layer, the shape that came and the one to pass."""
    return ValueError(
        f"{type(layer).__name__} got input of shape {tuple(input_shape)} per sample; {expected}."
    )


def refuse_sparse(layer, inputs, why):
    """Raise a ValueError for sparse inputs: the name of the layer, and `why` it takes none."""
    if sp.issparse(inputs):
        raise ValueError(f"{type(layer).__name__} {why}")


def check_flat(layer, input_shape):
    """Raise the `shape_error` of layers that take one row of numbers for each sample."""
    if len(input_shape) != 1:
        raise shape_error(layer, input_shape, "it needs flat rows: put Flatten() before it")
