"""A read-out made of blocks, each with its own, combined on left-out outputs."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from functools import partial
from numbers import Integral, Real
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from .._compat import Interval
from ..linalg import to_numpy
from ..linalg.threads import are_beside, beside
from ..rows import output_shapes
from ..rows.remote import mapped, mean
from . import sequence, sweep
from .base import Solved, Traits
from .block_weights import all_of, likelihood_weights, stack_weights
from .composite import Branches, report_collector
from .dense import Dense
from .durations import TimeLeft, seconds_of_list

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from ..rows import Rows, Targets
    from ..typing import Array, Float, Int, LayerList, Params, Shape, Stream
    from .base import Context, InitialData, Layer, Visit


class Stack(Branches):
    r"""Combine the outputs of blocks, by weights that sum to one, into the read-out.

    A block is a list of hidden layers with a ridge read-out of its own, or ends in `Trees`
    or an `EstimatorLayer`, fitted to y directly. With :math:`L_b` the block's outputs for
    rows it has not been fitted to (leave-one-out of the ridge, out-of-bag of trees,
    out-of-fold of estimators) and B blocks, the output is :math:`\sum_b w_b f_b(x)` with

    .. math:: \min_w \|Y - \sum_b w_b L_b\|^2 + \lambda K s^2 \sum_b (w_b - 1/B)^2,
              \quad w \ge 0, \ \sum_b w_b = 1,

    K the number of outputs and :math:`s^2` the mean square of the centred :math:`L_b`. The
    penalty counts as much as :math:`\lambda` rows that speak for equal weights. Weights that
    may not be negative, one for a whole block, cannot read y back from left-out outputs, as
    a ridge on all of them can. With more than two classes and a block that says probabilities,
    such as boosting, the weights of greatest likelihood are taken instead, with the same pull:
    scores of least squares lie further from 0 and 1 than probabilities that name the same classes.

    A list of layers that ends in a `Stack` brings its own read-out.

    Parameters
    ----------
    blocks : list of lists of layers
        Each a list of layers or of (name, layer) pairs; all see the same input.
    shrinkage : float, default=5.0
        :math:`\lambda`.
    units : int or None, default=None
        Number of outputs; the estimator takes it from y.

    Notes
    -----
    ``params["block_weights"]`` are the weights; the left-out outputs combined by them give
    the estimator its ``loo_score_`` and calibration; a fitted estimator keeps nothing of blocks
    without weight. What is chosen on y inside a block,
    such as the scales of a `Kernel`, has seen each row, so they are somewhat optimistic.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_zorb import ZORBClassifier
    >>> from sklearn_zorb.layers import Dense, Identity, Stack, Tanh, Trees
    >>> X, y = load_iris(return_X_y=True)
    >>> stack = Stack([[Identity()], [Dense(64), Tanh()], [Trees(50)]])
    >>> model = ZORBClassifier([stack], random_state=0).fit(X, y)
    >>> float(model.params_[-1]["block_weights"].sum().round(6))
    1.0
    """

    only_parts_learn = False
    block_parameter = "blocks"
    many_blocks = True

    _parameter_constraints = {
        "shrinkage": [Interval(Real, 0, None, closed="left")],
        "units": [None, Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self, blocks: Sequence[LayerList], *, shrinkage: Float = 5.0, units: Int | None = None
    ) -> None:
        self.blocks = blocks
        self.shrinkage = shrinkage
        self.units = units

    @property
    def traits(self) -> Traits:
        # blocks of weight zero are not computed, which JAX cannot trace
        inside = Traits.of_all([layer for block in self.children() for layer in block])
        return replace(inside, learns=True, reads_targets=True, fits_targets=True, jax=False)

    def paths(self) -> Sequence[list[Layer]]:
        if self.units is None:
            raise ValueError(
                "Stack is a read-out and takes its width from y: it may only stand last."
            )
        if not self.blocks:
            raise ValueError("Stack has no blocks: pass at least one list of layers.")
        return [_with_readout(block, self.units) for block in self.children()]

    def output_shape(self, input_shape: Shape) -> Shape:
        for number, shape in enumerate(self._shapes(input_shape), start=1):
            if shape != (self.units,):
                raise ValueError(
                    f"block {number} of Stack gives {shape} per sample, not ({self.units},): "
                    "leave its last layer's units=None."
                )
        return (int(self.units),)  # type: ignore[arg-type]  # `paths` refuses None

    def init(
        self, rng: np.random.Generator, input_shape: Shape, data: InitialData | None = None
    ) -> Params:
        # solving starts afresh, so that scalers see what really comes in
        params = super().init(rng, input_shape, None)
        n_blocks = len(self.blocks)
        return {**params, "block_weights": np.full(n_blocks, 1 / n_blocks)}

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        return sum(
            weight * sequence.forward(branch, branch_params, inputs, rng=rng)
            for weight, branch, branch_params in self.asked(params)
        )

    def asked(self, params: Params) -> list[tuple[Any, list[Layer], list[Params]]]:
        """List (weight, layers, params) of each block with a weight above zero."""
        weights = np.asarray(to_numpy(params["block_weights"]), dtype=np.float64)
        pairs = zip(weights.tolist(), self.with_params(params), strict=True)
        return [(weight, *pair) for weight, pair in pairs if weight > 0]

    def learn_inverse(
        self, params: Params, chunks: Iterable[tuple[Array, Array | None]], context: Context
    ) -> Params:
        return params

    def invert(
        self, params: Params, targets: Array, inputs: Array | None, context: Context
    ) -> Array:
        """Average the targets that blocks with a weight above zero ask for."""
        asked = self.asked(params)
        total: Any = 0.0
        for _, branch, branch_params in asked:
            branch_params = sequence.learn_inverses(
                branch, branch_params, [(targets, inputs)], context
            )
            below = sequence.invert(branch, branch_params, targets, inputs, context)
            total = total + below / len(asked)
        return total

    def solve(self, params: Params, inputs: Rows, targets: Any, context: Context) -> Solved:
        data = (inputs, context.y, context.sample_weight)
        solved: Params = {"widths": params["widths"]}
        left_out: list[np.ndarray] = []
        reports: dict[str, Any] = {}
        seconds: list[float] = []
        branches = self.paths()
        contexts = sequence.streams(branches, context)

        def solve_block(i: int) -> tuple[list[Params], Any, dict[str, Any], float]:
            # each block has the whole budget: what the others kept is gone by then
            started = perf_counter()
            branch, here = branches[i], contexts[i].replace(memory=copy(context.memory))
            branch_params = sequence.init(branch, here.rng.spawn(1)[0], inputs.shape[1:], data)
            branch_params = sequence.cast(branch_params, context.dtype)
            seen: dict[str, Any] = {}
            visit = report_collector(seen, i + 1, branch)
            found = _solve_block(branch, branch_params, inputs, targets, here, visit)
            return *found, seen, perf_counter() - started

        # boosting leaves other threads to other blocks; programs of JAX belong to their thread
        alone = [i for i, branch in enumerate(branches) if branch[-1].one_thread]
        alone = alone if context.backend == "numpy" else []
        others = [i for i in range(len(branches)) if i not in alone]
        meanwhile = alone if are_beside(alone, others) else []
        solve = _told(solve_block, branches, inputs, meanwhile, context)
        for i, (branch_params, outputs, seen, spent) in sorted(
            beside(solve, alone, others).items()
        ):
            solved[f"branch_{i + 1}"] = sequence.keyed(branch_params)
            left_out.append(mapped(in_double, outputs))
            reports |= seen
            seconds.append(spent)
        likely = any(branch[-1].gives_probabilities for branch in branches)
        weights, combined, report = combine(left_out, targets, context, self.shrinkage, likely)
        solved["block_weights"] = weights.astype(context.dtype)
        report["block_errors"] = [_error(part, targets, context) for part in left_out]
        report["block_scores"] = [_score(part, targets, context) for part in left_out]
        report["block_seconds"] = seconds
        return Solved(solved, left_out=combined, report={**report, "blocks": reports})


def _with_readout(block: list[Layer], units: Int) -> list[Layer]:
    """The block, ended by a read-out unless its last layer hands on left-out predictions."""
    return block if block and block[-1].traits.honest else [*block, Dense(units)]


def _told(
    solve_block: Callable[[int], tuple[Any, ...]],
    branches: Sequence[list[Layer]],
    inputs: Rows,
    alone: Collection[int],
    context: Context,
) -> Callable[[int], tuple[Any, ...]]:
    """`solve_block`, which tells of each block that it is done, and when all may be."""
    tell = context.on_block
    if tell is None:
        return solve_block
    n_outputs = context.y_targets.shape[1] if context.y_targets is not None else 1
    time_left = TimeLeft(
        [seconds_of_list(one, inputs.shape[1:], len(inputs), n_outputs) for one in branches], alone
    )

    def solve(i: int) -> tuple[Any, ...]:
        result = solve_block(i)
        seconds = result[-1]
        left, layer = time_left.after(i, seconds), _main_layer(branches[i])
        place = {"block": i + 1, "blocks": len(branches), "layer": layer}
        tell({**place, "seconds": seconds, "left": left})
        return result

    return solve


def _main_layer(branch: Sequence[Layer]) -> str:
    """The last layer of a block that learns from targets, before its read-out if there is one."""
    learning = [one for one in branch if one.traits.learns and one.traits.reads_targets]
    main = learning[-2] if len(learning) > 1 and not branch[-1].traits.honest else learning[-1]
    kind = getattr(main, "kind", None)
    return type(main).__name__ + (f" ({kind})" if kind else "")


def _solve_block(
    branch: Sequence[Layer],
    params: Sequence[Params],
    inputs: Rows,
    targets: Targets,
    context: Context,
    visit: Visit,
) -> tuple[list[Params], Any]:
    """Solve a block; its params and its outputs for rows left out."""
    *hidden, last = branch
    below, optimism = targets, 1.0
    if _reads_targets(hidden):
        below, _ = sequence.lower(last, params[-1], targets, None, context)
        shape = output_shapes(hidden, inputs.shape[1:])[-1]
        below = below.through(lambda rows: rows.reshape(len(rows), *shape)).kept(context.memory)

    def watch(
        i: int, rows: Rows, solved: Solved | None, hidden_params: list[Params] | None
    ) -> bool | None:
        nonlocal optimism
        optimism *= 1 + (solved.optimism if solved is not None else 0.0)
        return visit(i, rows, solved, hidden_params)

    hidden_context = context.replace(left_out=False, refine=False)
    hidden_params, rows = sweep.solve(
        hidden, params[:-1], inputs, below, hidden_context, visit=watch
    )
    solved = sweep.solve_readout(last, params[-1], rows, targets, context)
    visit(len(hidden), rows, solved, None)
    outputs = solved.left_out
    if optimism > 1:
        outputs = mapped(partial(_farther, np.sqrt(optimism)), outputs, targets)
    return [*hidden_params, solved.params], outputs


def _reads_targets(hidden: Sequence[Layer]) -> bool:
    """Whether targets have to be carried down to the last of these layers."""
    traits = [layer.traits for layer in hidden]
    learners = [one.learns and one.reads_targets for one in traits]
    return any(learners[:-1]) or bool(learners and learners[-1] and traits[-1].fits_targets)


def combine(
    left_out: Sequence[np.ndarray],
    targets: Targets,
    context: Context,
    shrinkage: Float,
    likely: bool = False,
) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Weights of blocks, their combined left-out outputs, and entries for the history."""
    if likely and context.task == "multiclass":
        weights = likelihood_weights(left_out, context.y, context.sample_weight)
    else:
        weights = stack_weights(left_out, targets, context.sample_weight, shrinkage)

    def mixed(*parts: Any) -> Any:
        return sum(weight * part for weight, part in zip(weights, parts, strict=True))

    combined = mapped(mixed, *left_out)
    report = {"loo_error": _error(combined, targets, context), "block_weights": weights.tolist()}
    return weights, combined, report


def _farther(factor: float, outputs: Array, targets: Array) -> Any:
    """Outputs whose errors are larger by a factor."""
    table = targets[:]
    return table + factor * (to_numpy(outputs) - table)


def in_double(outputs: Array) -> np.ndarray:
    return np.asarray(to_numpy(outputs), dtype=np.float64)


def _error(outputs: np.ndarray, targets: Any, context: Context) -> float:
    def squares(outputs: Array, targets: Any) -> Any:
        return ((outputs - all_of(targets)) ** 2).mean(axis=1)

    return float(mean(squares, context.sample_weight, outputs, targets))


def _score(outputs: np.ndarray, targets: Any, context: Context) -> float:
    """Accuracy of classes or of whole sets of labels; of numbers R2, over all outputs at once."""
    several = context.task == "multiclass"
    if context.task == "regression":
        centre = mean(all_of, context.sample_weight, targets)
        spread = mean(lambda rows: (all_of(rows) - centre) ** 2, context.sample_weight, targets)
        return 1 - _error(outputs, targets, context) / max(spread.mean(), np.finfo(float).tiny)

    def told(outputs: Array, targets: Array) -> Any:
        targets = all_of(targets)
        if several:
            return outputs.argmax(axis=1) == targets.argmax(axis=1)
        return ((outputs > 0.5) == (targets > 0.5)).all(axis=1)

    return float(mean(told, context.sample_weight, outputs, targets))
