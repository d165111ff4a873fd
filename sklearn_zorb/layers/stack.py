"""A read-out made of blocks, each with its own, combined on left-out outputs."""

from numbers import Integral, Real

import numpy as np
import scipy.optimize

from .._compat import Interval
from ..linalg import to_numpy
from . import sequence
from .base import Layer, Solved
from .composite import _Branches, _collector, _keyed, _plain
from .dense import Dense
from .foreign import Foreign
from .rows import output_shapes


class Stack(_Branches):
    r"""Composite read-out: blocks side by side, combined by weights that sum to one.

    A block is a list of hidden layers with a ridge read-out of its own, or ends in `Trees`
    or an `EstimatorLayer`, fitted to y directly. With :math:`L_b` the block's outputs for
    rows it has not been fitted to (leave-one-out of the ridge, out-of-bag of trees,
    out-of-fold of estimators) and B blocks, the output is :math:`\sum_b w_b f_b(x)` with

    .. math:: \min_w \|Y - \sum_b w_b L_b\|^2 + \lambda K s^2 \sum_b (w_b - 1/B)^2,
              \quad w \ge 0, \ \sum_b w_b = 1,

    K the number of outputs and :math:`s^2` the mean square of the centred :math:`L_b`. The
    penalty counts as much as :math:`\lambda` rows that speak for equal weights. Weights that
    may not be negative, one for a whole block, cannot read y back from left-out outputs, as
    a ridge on all of them can.

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
    the estimator its ``loo_score_`` and calibration. What is chosen on y inside a block,
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

    block_parameter = "blocks"
    many_blocks = True
    width_from_targets = True
    solvable = True
    # the weights decide which blocks are asked at all
    traceable = False

    _parameter_constraints = {
        "shrinkage": [Interval(Real, 0, None, closed="left")],
        "units": [None, Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, blocks, *, shrinkage=5.0, units=None):
        self.blocks = blocks
        self.shrinkage = shrinkage
        self.units = units

    def _branches(self):
        if self.units is None:
            raise ValueError(
                "Stack is a read-out and takes its width from y: it may only stand last."
            )
        if not self.blocks:
            raise ValueError("Stack has no blocks: pass at least one list of layers.")
        return [_with_readout(_plain(block), self.units) for block in self.blocks]

    def _validate_params(self):
        Layer._validate_params(self)
        for block in self.blocks:
            for layer in _plain(block):
                layer._validate_params()

    def output_shape(self, input_shape):
        for number, shape in enumerate(self._shapes(input_shape), start=1):
            if shape != (self.units,):
                raise ValueError(
                    f"block {number} of Stack gives {shape} per sample, not ({self.units},): "
                    "leave its last layer's units=None."
                )
        return (int(self.units),)

    def init(self, rng, input_shape, data=None):
        # solving starts afresh, so that scalers see what really comes in
        params = super().init(rng, input_shape, None)
        n_blocks = len(self.blocks)
        return {**params, "block_weights": np.full(n_blocks, 1 / n_blocks)}

    def forward(self, params, inputs, *, rng=None):
        weights = np.asarray(to_numpy(params["block_weights"]), dtype=np.float64)
        return sum(
            float(weight) * sequence.forward(branch, own, inputs, rng=rng)
            for weight, (branch, own) in zip(weights, self._own(params), strict=True)
            if weight > 0
        )

    def invert(self, params, targets, inputs, *, rng=None, backward_rcond=None):
        total = 0.0
        for branch, own in self._own(params):
            below, _ = sequence.invert(
                branch, own, targets, inputs, rng=rng, backward_rcond=backward_rcond
            )
            total = total + below / len(self.blocks)
        return total, params

    def solve(self, params, inputs, targets, context):
        data = (inputs, context.y, context.sample_weight)
        solved = {"widths": params["widths"]}
        branches, streams = self._branches(), context.rng.spawn(len(self.blocks))
        left_out, reports = [], {}
        for i, (branch, stream) in enumerate(zip(branches, streams, strict=True), start=1):
            own = sequence.init(branch, stream.spawn(1)[0], inputs.shape[1:], data)
            own, outputs = _solve_block(
                branch, sequence.cast(own, context.dtype), inputs, targets,
                context.replace(rng=stream), _collector(reports, i, branch),
            )  # fmt: skip
            solved[f"branch_{i}"] = _keyed(own)
            left_out.append(np.asarray(to_numpy(outputs), dtype=np.float64))
        table = np.asarray(targets[:], dtype=np.float64)
        weights = stack_weights(left_out, table, context.sample_weight, self.shrinkage)
        combined = sum(weight * part for weight, part in zip(weights, left_out, strict=True))
        solved["block_weights"] = weights.astype(context.dtype)
        report = {
            "loo_error": _error(combined, table, context.sample_weight),
            "block_errors": [_error(part, table, context.sample_weight) for part in left_out],
            "block_weights": weights.tolist(),
            "blocks": reports,
        }
        return Solved(solved, report=report, loo_outputs=combined)


def _with_readout(block, units):
    """The block, ended by a read-out unless its last layer is one."""
    if block and isinstance(block[-1], Foreign) and block[-1].honest:
        return block
    return [*block, Dense(units)]


def _solve_block(branch, params, inputs, targets, context, visit):
    """Solve a block; its params and its outputs for rows left out."""
    *hidden, last = branch
    below = targets
    if _reads_targets(hidden):
        values, _ = last.invert(
            params[-1], targets.values, None, backward_rcond=context.backward_rcond
        )
        shape = output_shapes(hidden, inputs.shape[1:])[-1]
        below = targets.with_values(values.reshape(len(values), *shape))
    hidden_context = context.replace(loo_outputs=False, refine=False)
    optimism = 1.0

    def watch(i, rows, report, own):
        nonlocal optimism
        optimism *= (report or {}).get("optimism", 1.0)
        return visit(i, rows, report, own)

    own, rows = sequence.solve(hidden, params[:-1], inputs, below, hidden_context, visit=watch)
    solved = last.solve(
        params[-1], rows, targets,
        context.replace(relaxation=1.0, refine=False, loo_outputs=True),
    )  # fmt: skip
    visit(len(hidden), rows, solved.report, None)
    outputs = solved.loo_outputs
    if optimism > 1:
        table = targets[:]
        outputs = table + np.sqrt(optimism) * (to_numpy(outputs) - table)
    return [*own, solved.params], outputs


def _reads_targets(hidden):
    """Whether targets have to be carried down to the last of these layers."""
    learners = [layer.solvable and layer.uses_targets for layer in hidden]
    return any(learners[:-1]) or bool(learners and learners[-1] and hidden[-1].fits_targets)


def stack_weights(outputs, targets, sample_weight=None, shrinkage=5.0):
    """Weights on the simplex that combine `outputs` to approximate `targets`.

    Parameters
    ----------
    outputs : list of ndarray of shape (n_samples, n_targets)
        Each block's predictions of rows it was not fitted to.
    targets : ndarray of shape (n_samples, n_targets)
    sample_weight : ndarray of shape (n_samples,) or None
    shrinkage : float
        Number of rows that the pull to equal weights counts for.

    Returns
    -------
    weights : ndarray of shape (n_blocks,)

    Notes
    -----
    As the weights w sum to one, the error is the quadratic form w.T M w of the residuals'
    inner products M. Without that condition, the v >= 0 of least v.T M v + (1 - sum(v))^2
    is a multiple of the same w: a small non-negative least-squares problem.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers.stack import stack_weights
    >>> y = np.arange(20.0)[:, None]
    >>> stack_weights([y + 1, y - 1, 0 * y], y, shrinkage=0.0).round(3).tolist()
    [0.5, 0.5, 0.0]
    """
    weight = np.ones(len(targets)) if sample_weight is None else sample_weight
    root = np.sqrt(weight)[:, None]
    mean = np.average(targets, axis=0, weights=weight)
    residuals = np.stack([((part - targets) * root).ravel() for part in outputs])
    square = np.mean([(((part - mean) * root) ** 2).sum() for part in outputs]) / weight.sum()
    form = residuals @ residuals.T
    form += shrinkage * square * np.eye(len(form))
    scale = form.trace() / len(form)
    if not scale > 0:
        return np.full(len(form), 1 / len(form))
    values, vectors = np.linalg.eigh(form / scale)
    factor = np.sqrt(np.maximum(values, 1e-15))[:, None] * vectors.T
    system = np.vstack([factor, np.ones(len(form))])
    found, _ = scipy.optimize.nnls(system, np.append(np.zeros(len(form)), 1.0))
    return found / found.sum()


def _error(outputs, targets, sample_weight):
    squares = ((outputs - targets) ** 2).mean(axis=1)
    return float(np.average(squares, weights=sample_weight))
