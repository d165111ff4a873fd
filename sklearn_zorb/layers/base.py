"""The contract between layers and training rules.

A layer holds hyperparameters only. What it learns is a dict of arrays, ``params``, that is
passed in and returned; the same layer object may therefore stand in many networks, and
every method is a pure function of its arguments. Shapes never include the sample axis.
"""

from dataclasses import dataclass, field
from operator import is_
from typing import Any

import numpy as np
import scipy.sparse as sp

from .._compat import WithParameters
from ..generators import made, spawn
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
    share : float
        Of the rows whose outputs are wanted, the share that layers are solved on.
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
    share: float = 1.0

    def replace(self, **changes):
        """A copy with some attributes changed."""
        if unknown := changes.keys() - vars(self).keys():
            raise TypeError(f"a context has no {', '.join(sorted(unknown))}.")
        # as `dataclasses.replace`, in a tenth of its time: every layer is given one
        copied = object.__new__(type(self))
        vars(copied).update(vars(self), **changes)
        return copied

    def spawn(self, count):
        """Independent generators, each for the context of one part of the work."""
        return spawn(vars(self)["rng"], count)

    def take(self, places):
        """The context of some of the rows."""
        own = {name: getattr(self, name) for name in ("sample_weight", "y")}
        own = {name: None if value is None else value[places] for name, value in own.items()}
        targets = None if self.y_targets is None else self.y_targets.take(places)
        return self.replace(y_targets=targets, **own)


# what `spawn` gave becomes a generator when a layer reads it
Context.rng = property(  # type: ignore[assignment]
    lambda self: made(vars(self)["rng"]), lambda self, rng: vars(self).update(rng=rng)
)


def draws_nothing(init):
    """Mark the `init` of a layer as one for which no generator has to be made."""
    init.draws = False
    return init


class Layer(WithParameters):
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
    elementwise : bool
        Whether each output is a function of the input in its place.
    holds_inputs : bool
        Whether what `solve` learns may refer to its inputs, as models that keep their rows do.
        The memory of rows that no layer holds serves those that come after them.
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
    elementwise = False
    holds_inputs = True

    _parameter_constraints: dict = {}

    def __sklearn_clone__(self):
        # every fit copies its layers
        values = self._plain_values()
        if values is not None:
            copy = type(self)(**dict(zip(self._get_param_names(), values, strict=True)))
            if all(map(is_, copy._plain_values() or [None], values)):
                return copy
        # copies what has parts, and says what a constructor changed
        return super().__sklearn_clone__()

    def output_shape(self, input_shape):
        """Shape of one sample's output; raises ValueError if `input_shape` does not fit."""
        return tuple(input_shape)

    @draws_nothing
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

    def reads_units(self, context):
        """Whether `solve` takes `Interpolated` rows, of which a few units tell the others."""
        return False

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
