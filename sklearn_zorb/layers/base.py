"""The contract between layers and training rules.

A layer holds hyperparameters only. What it learns is a dict of arrays, ``params``, that is
passed in and returned; the same layer object may therefore stand in many networks, and
every method is a pure function of its arguments. Shapes never include the sample axis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator

from ..linalg import LeastSquares
from ..lists import Node
from ..memory import LEAST_ROWS, Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..rows import Rows
    from ..typing import Array, Params, Shape, Stream

    # rows or an array of inputs, y and sample_weight
    InitialData: TypeAlias = tuple[Any, Any, Any]
    # called after each layer of a sweep with its index, the rows that reached it, what its solve
    # returned and the params of all layers; a true return ends the sweep
    Visit: TypeAlias = Callable[[int, Rows, "Solved | None", list[Params] | None], bool | None]
    from ..rows import Targets


@dataclass(frozen=True)
class Traits:
    """Tell training rules what they have to know of a layer.

    Attributes
    ----------
    learns : bool
        Whether `Layer.solve` learns anything.
    reads_targets : bool
        Whether `solve` reads the targets; a layer that only scales its inputs does not.
    fits_targets : bool
        Whether `solve` brings the outputs close to its targets; a layer that learns features
        from which they can be predicted does not.
    reads_inputs : bool
        Whether `invert` reads the present inputs. Where it does not, targets that repeat (one
        row for each class) are inverted once for each distinct row.
    streams : bool
        Whether `solve` can be fed rows in chunks, and ``partial_fit`` works.
    honest : bool
        Whether the outputs handed on while training are predictions of rows left out.
    draws_rows : bool
        Whether `solve` draws rows by their position, for bootstrap samples or folds. A network
        with such a layer is given distinct rows, with the weight of their copies, in an order
        of their own.
    gathers : bool
        Whether `solve` needs rows in one place: of rows that lie on several workers it is given a
        sample. A layer made of others leaves that to them.
    differentiable : bool
        Whether gradient rules may pass through `forward`.
    jax : bool
        Whether JAX can trace `forward`; a layer that hands rows to other libraries says False.
    """

    learns: bool = False
    reads_targets: bool = True
    fits_targets: bool = True
    reads_inputs: bool = True
    streams: bool = True
    honest: bool = False
    draws_rows: bool = False
    gathers: bool = False
    differentiable: bool = True
    jax: bool = True

    @classmethod
    def of_all(cls, layers: Iterable[Layer]) -> Self:
        """Combine the traits of layers, for one that is made of them."""
        traits = [layer.traits for layer in layers]
        learners = [one for one in traits if one.learns]
        return cls(
            learns=bool(learners),
            reads_targets=any(one.reads_targets for one in learners),
            fits_targets=any(one.fits_targets for one in learners),
            reads_inputs=any(one.reads_inputs for one in traits),
            streams=all(one.streams for one in traits),
            draws_rows=any(one.draws_rows for one in traits),
            differentiable=all(one.differentiable for one in traits),
            jax=all(one.jax for one in traits),
        )


@dataclass
class Solved:
    """Hold what `Layer.solve` returns.

    Attributes
    ----------
    params : dict
    outputs : array, Rows or None
        Given only where the layer hands on something other than `forward` of its inputs while
        training, such as out-of-bag predictions.
    left_out : array or None
        Each row's output by the layer without it; only where the context asks for them and the
        layer has them.
    optimism : float
        By what share squared errors at new rows exceed those of left-out outputs behind this
        layer, which has seen the targets of each row.
    report : dict
        What the history tells of the solve.
    """

    params: Params
    outputs: Rows | Array | None = None
    left_out: Array | None = None
    optimism: float = 0.0
    report: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """Hold what a layer may use while it is solved, or while targets are carried down.

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
    left_out : bool
        Whether the left-out output of every row is wanted.
    refine : bool
        Whether the params at hand are solved ones: a layer then solves for a change that
        brings its outputs closer to the targets, in place of params from nothing.
    on_block : callable or None
        Called with what there is to tell of a block of a `Stack` when it is solved, maybe in
        another thread.
    """

    solver: LeastSquares = field(default_factory=LeastSquares)
    relaxation: float = 1.0
    backward_rcond: float | None = None
    sample_weight: np.ndarray | None = None
    rng: np.random.Generator = field(default_factory=np.random.default_rng)
    y: np.ndarray | None = None
    y_targets: Targets | None = None
    task: str = "regression"
    n_jobs: int | None = None
    backend: str = "numpy"
    dtype: np.dtype[Any] = np.dtype(np.float64)
    memory: Memory = field(default_factory=Memory)
    left_out: bool = False
    refine: bool = False
    on_block: Callable[[dict[str, Any]], None] | None = None

    def replace(self, **changes: Any) -> Self:
        """Copy the context with some attributes changed."""
        return replace(self, **changes)

    def without_rows(self) -> Self:
        """Copy the context without rows and `on_block`, for rows that lie elsewhere."""
        return replace(self, sample_weight=None, y=None, y_targets=None, on_block=None)


class Layer(Node, BaseEstimator):
    """Define what every layer can do; this base class hands its input on.

    A subclass overrides what differs. A layer without parameters needs `forward` and
    `invert` only; see the tutorial "Write your own layer".

    Attributes
    ----------
    traits : Traits
        What training rules have to know; a property where it depends on hyperparameters.
    one_thread : bool
        Whether `solve` keeps one thread busy and no more: others may run beside it.
    gives_probabilities : bool
        Whether outputs are probabilities where the layer is fitted to classes.
    """

    _parameter_constraints: dict[str, Any] = {}

    if TYPE_CHECKING:  # a subclass has attributes of these names, or properties

        @property
        def traits(self) -> Traits: ...
        @property
        def one_thread(self) -> bool: ...
        @property
        def gives_probabilities(self) -> bool: ...

    else:
        traits = Traits()
        one_thread = False
        gives_probabilities = False

    def output_shape(self, input_shape: Shape) -> Shape:
        """Give the shape of one sample's output; ValueError if `input_shape` does not fit."""
        return tuple(input_shape)

    def least_bytes(self, input_shape: Shape, n_rows: int) -> float:
        """Estimate the least memory that the layer takes: that of its outputs for one chunk."""
        shape = self.output_shape(input_shape)
        at_a_time = LEAST_ROWS if len(shape) == 1 else 1
        return 8 * min(n_rows, at_a_time) * math.prod(shape)

    def init(
        self, rng: np.random.Generator, input_shape: Shape, data: InitialData | None = None
    ) -> Params:
        """Draw initial params.

        Parameters
        ----------
        rng : numpy.random.Generator
        input_shape : tuple of int
        data : tuple (inputs, y, sample_weight) or None
            For scalers and data-driven initialisers; inputs are `Rows`, sliced by rows.

        Returns
        -------
        params : dict
            Arrays by name; dicts of arrays may stand in it.
        """
        return {}

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        """Compute outputs ``(n_samples, *output_shape)``; `rng` is given only while training.

        Chunks of rows may come from several threads at once: no attribute is set here.
        """
        return inputs

    def learn_inverse(
        self, params: Params, chunks: Iterable[tuple[Array, Array | None]], context: Context
    ) -> Params:
        """Learn what `invert` has to know of all targets, such as a range.

        Parameters
        ----------
        params : dict
        chunks : iterable of (targets, inputs)
            All targets for the output, in pieces, with the inputs that `invert` would get.
        context : Context

        Returns
        -------
        params : dict
        """
        return params

    def invert(
        self, params: Params, targets: Array, inputs: Array | None, context: Context
    ) -> Array:
        """Find targets for this layer's input from targets for its output, row by row.

        Parameters
        ----------
        params : dict
            From `learn_inverse`.
        targets : array of shape ``(n, *output_shape)``
        inputs : array of shape ``(n, *input_shape)`` or None
            The present input; None unless ``traits.reads_inputs``.
        context : Context
            Its `backward_rcond` and `rng`.

        Returns
        -------
        input_targets : array of shape ``(n, *input_shape)``
        """
        return targets

    def solve(self, params: Params, inputs: Rows, targets: Targets, context: Context) -> Solved:
        """Fit params so that `forward` of the inputs comes close to the targets.

        Parameters
        ----------
        params : dict
        inputs : Rows of shape ``(n_samples, *input_shape)``
            Sliced by rows; ``inputs[:]`` makes one array of it.
        targets : Targets of shape ``(n_samples, *output_shape)``
            Sliced by rows; ``targets[:]`` makes one array of it.
        context : Context

        Returns
        -------
        Solved
        """
        name = type(self).__name__
        raise NotImplementedError(f"{name} has no solve: override it, or say Traits(learns=False).")

    def trainable(self, params: Params) -> Params:
        """Give the part of `params` that gradient rules move, nested as params are."""
        return {}

    # layers are parts of estimators, not estimators of their own: no diagram, no tags
    def _repr_html_(self) -> None:
        return None


def shape_error(layer: Layer, input_shape: Sequence[int], expected: str) -> ValueError:
    """A ValueError that names the layer, the shape that came and the one to pass."""
    return ValueError(
        f"{type(layer).__name__} got input of shape {tuple(input_shape)} per sample; {expected}."
    )


def refuse_sparse(layer: Layer, inputs: object, why: str) -> None:
    """Raise a ValueError for sparse inputs: the name of the layer, and `why` it takes none."""
    if sp.issparse(inputs):
        raise ValueError(f"{type(layer).__name__} {why}")


def check_flat(layer: Layer, input_shape: Shape) -> None:
    """Raise the `shape_error` of layers that take one row of numbers for each sample."""
    if len(input_shape) != 1:
        raise shape_error(layer, input_shape, "it needs flat rows: put Flatten() before it")
