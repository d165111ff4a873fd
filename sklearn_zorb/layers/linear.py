"""What layers solved by least squares share: initial weights, the solve, the relaxation."""

from __future__ import annotations

import math
from functools import partial
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from .._compat import Interval, StrOptions
from ..linalg import LeastSquares, System, get_backend, is_jax, namespace
from ..linalg.backends import worth_moving
from ..linalg.threads import WIDE
from ..memory import CHUNK_BYTES
from ..rows import Targets
from ..rows.device import padded_weights, repeat_first
from ..rows.remote import mapped
from ..rows.systems import RemoteSystem
from .base import Layer, Solved, Traits
from .factored import two_thin_products
from .gathered import solve_on_sample
from .initializers import INITIALIZERS, initial_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..linalg.backends import Backend
    from ..linalg.solution import Solution
    from ..rows import Rows
    from ..typing import Array, Params, Shape
    from .base import Context, InitialData

# working arrays of a chunk that one of several threads sums: fewer take as long to hand out
SHARE_BYTES = 16e6


class LinearLayer(Layer):
    """Base of layers whose output is linear in their params, solved by least squares.

    Params are ``weights`` of shape (width, units) and ``intercept`` of shape (units,). A
    subclass gives `output_shape`, `rows`, `forward` and `invert`; the hyperparameters
    use_bias, initializer, alpha, relaxation and rcond are its constructor's.
    """

    traits = Traits(learns=True, reads_inputs=False)

    _parameter_constraints = {
        "use_bias": ["boolean"],
        "initializer": [StrOptions(set(INITIALIZERS)), callable],
        "alpha": [None, StrOptions({"loo"}), Interval(Real, 0, None, closed="left")],
        "relaxation": [None, Interval(Real, 0, 1, closed="both")],
        "rcond": [None, Interval(Real, 0, 1, closed="left")],
    }
    _units = [Interval(Integral, 1, None, closed="left")]

    def rows(self, params: Params | None, inputs: Array) -> Array:
        """Make the design rows of a chunk of inputs, of shape (n * positions, width)."""
        raise NotImplementedError

    def with_solution(self, params: Params, solution: Solution) -> Params:
        """Params with solved weights in place of the present ones."""
        return {**params, "weights": solution.coef, "intercept": solution.intercept}

    def _width(self, input_shape: Shape) -> int:
        """Number of rows of the weights: the length of one design row."""
        return self.rows(None, np.zeros((1, *input_shape))).shape[1]

    def least_bytes(self, input_shape: Shape, n_rows: int) -> float:
        width, units = self._width(input_shape), self.output_shape(input_shape)[-1]
        # weights, and the smaller of both matrices of inner products
        numbers = width * units + min(width, n_rows) ** 2
        return 8 * numbers + super().least_bytes(input_shape, n_rows)

    def init(
        self, rng: np.random.Generator, input_shape: Shape, data: InitialData | None = None
    ) -> Params:
        if data is None:
            return self._drawn(rng, input_shape)
        inputs, y, sample_weight = data
        return self._drawn(rng, input_shape, lambda: (self.rows(None, inputs[:]), y, sample_weight))

    def _drawn(
        self,
        rng: np.random.Generator,
        input_shape: Shape,
        data: Callable[[], tuple[Any, ...]] | None = None,
    ) -> Params:
        """Initial params; `data` gives design rows to initialisers that ask for them."""
        width, units = self._width(input_shape), self.output_shape(input_shape)[-1]
        weights = initial_weights(self.initializer, rng, width, units, data)
        intercept = weights[-1] if self.use_bias else np.zeros(units)
        return {"weights": np.ascontiguousarray(weights[:-1]), "intercept": intercept.copy()}

    def trainable(self, params: Params) -> Params:
        names = ("weights", "intercept") if self.use_bias else ("weights",)
        return {name: params[name] for name in names}

    def solve(self, params: Params, inputs: Rows, targets: Targets, context: Context) -> Solved:
        positions = max(1, math.prod(targets.shape[1:-1]))
        if inputs.store is not None and len(inputs) * positions < self._width(inputs.shape[1:]):
            # inner products of rows are fewer than those of columns
            return solve_on_sample(self, params, inputs, targets, context, len(inputs))
        if context.refine:
            return self._refine(params, inputs, targets, context)
        thin, basis = targets.compress()
        system, rho = self._system(params, inputs, thin, context), self._relaxation(context)
        solution = own_solver(self, context.solver).solve(
            system, left_out=context.left_out, initial=params["weights"] if rho < 1 else None
        )
        solution = solution if inputs.for_jax else solution.on_host()
        left = solution.coef
        if basis is not None:
            solution.expand(namespace(left).asarray(basis))
        if solution.left_out is not None and inputs.store is None:
            # rows that were added to round their number up stand at the end
            solution.left_out = solution.left_out.reshape(-1, *targets.shape[1:])[: len(targets)]
        solved, outputs = self.with_solution(params, solution), None
        if rho < 1:
            solved = _relax(params, solved, rho, solution.spread)
        elif basis is not None:
            outputs = two_thin_products(self, inputs, left, basis, solved["intercept"], context)
        return self._solved(solved, solution, rho, context, outputs)

    def _refine(self, params: Params, inputs: Rows, targets: Targets, context: Context) -> Solved:
        """Add the share rho of the solution for what the present outputs miss."""
        missing = Targets(mapped(partial(_missing, self, params), targets, inputs))
        system = self._system(params, inputs, missing, context)
        solution = own_solver(self, context.solver).solve(system)
        solution = solution if inputs.for_jax else solution.on_host()
        rho = self._relaxation(context)
        change = self.with_solution(params, solution)
        solved = {name: params[name] + rho * change[name] for name in ("weights", "intercept")}
        return self._solved({**change, **solved}, solution, rho, context)

    def _solved(
        self,
        params: Params,
        solution: Solution,
        rho: float,
        context: Context,
        outputs: Rows | None = None,
    ) -> Solved:
        params = {name: value.astype(context.dtype) for name, value in params.items()}
        report = {**solution.report(), "relaxation": float(rho)}
        return Solved(params, outputs, solution.left_out, report=report)

    def _relaxation(self, context: Context) -> float:
        return context.relaxation if self.relaxation is None else self.relaxation

    def _system(self, params: Params, inputs: Rows, targets: Targets, context: Context) -> System:
        """The least-squares problem of this layer, read chunk by chunk."""
        width, n_targets = self._width(inputs.shape[1:]), targets.shape[-1]
        positions = max(1, math.prod(targets.shape[1:-1]))
        if inputs.store is not None:
            make = partial(_local_system, self, context.without_rows())
            return RemoteSystem(
                make, inputs, targets, context.sample_weight, len(inputs) * positions, width,
                n_targets, self.use_bias,
            )  # fmt: skip
        row_bytes = 16 * positions * (width + n_targets)
        backend, n_rows, weights = context.backend, len(inputs), context.sample_weight
        if not inputs.for_jax:
            backend = worth_moving(backend, n_rows * positions * width**2)
        moved = backend == "jax" and not inputs.for_jax
        if moved:
            # compiled programs serve numbers of rows that are rounded up
            index, weights = repeat_first(n_rows), padded_weights(weights, n_rows)
            n_rows = len(index)
        # the wider, the more rows: adding a product to the sum would else take as long as making it
        shared = width <= WIDE and backend == "numpy"
        # rounding in single precision grows with the rows of a chunk
        double = context.dtype == np.float64
        most = get_backend(backend).chunk_bytes if double else CHUNK_BYTES
        most = max(SHARE_BYTES, 64 * width**2) if shared else max(most, 8 * width**2)
        parts = list(context.memory.chunks(n_rows, row_bytes, most, even=shared))

        def read(part: Any) -> tuple[Any, Array, np.ndarray | None]:
            part_weights = None if weights is None else np.repeat(weights[part], positions)
            part = index[part] if moved else part
            return (
                self.rows(params, inputs[part]),
                targets[part].reshape(-1, n_targets),
                part_weights,
            )

        n_rows *= positions
        return System(read, parts, n_rows, width, n_targets, backend, self.use_bias)


def _local_system(layer: Any, context: Context, inputs: Any, targets: Any, weights: Any) -> System:
    local_context = context.replace(sample_weight=weights)
    return layer._system(None, inputs, targets, local_context)


def _missing(layer: Any, params: Params, targets: Any, inputs: Any) -> Any:
    return np.asarray(targets[:]) - layer.forward(params, inputs[:])


def _relax(initial: Params, solved: Params, rho: float, spread: Any) -> Params:
    """(1 - rho) initial + rho solved, the latter brought to the scale of the former.

    The slopes are stretched until the solved pre-activations have the spread of the
    initial ones: targets shrunk by the penalty would fade otherwise. Their mean is
    scaled as the targets are, to that spread too: targets that came down through many
    inverses may have any size, while the stretch has no bound where nothing can be
    predicted, and would carry the mean away with it.
    """
    stretch = spread.initial / spread.fitted if spread.fitted > 0 else 1.0
    # never enlarged: targets of steps vary little about one half, and are to stay there
    shrunk = min(1.0, spread.initial / spread.targets) if spread.targets > 0 else 1.0
    ops = get_backend("jax" if is_jax(solved["weights"]) else "numpy")
    weights, intercept = ops.call(
        _relaxed, initial["weights"], initial["intercept"], solved["weights"],
        solved["intercept"], spread.mean, rho, stretch, shrunk,
    )  # fmt: skip
    return {**solved, "weights": weights, "intercept": intercept}


def own_solver(layer: LinearLayer, default: LeastSquares) -> LeastSquares:
    """The estimator's solver with the settings of a `LinearLayer` in front."""
    alpha = default.alpha if layer.alpha is None else layer.alpha
    rcond = default.rcond if layer.rcond is None else layer.rcond
    return LeastSquares(alpha=alpha, rcond=rcond)


def _relaxed(
    ops: Backend,
    initial: Array,
    offset: Array,
    weights: Array,
    intercept: Array,
    mean: Array,
    rho: float,
    stretch: float,
    shrunk: float,
) -> tuple[Array, Array]:
    """Weights and intercept, moved the share rho of the way from the initial ones."""
    middle = mean @ weights + intercept
    weights = weights * stretch
    intercept = middle * shrunk - mean @ weights
    return (1 - rho) * initial + rho * weights, (1 - rho) * offset + rho * intercept
