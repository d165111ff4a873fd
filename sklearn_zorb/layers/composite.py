"""Layers made of lists of layers: side by side, or beside their own input."""

from operator import itemgetter

import numpy as np

from ..linalg import namespace
from . import sequence
from .activations import Identity
from .base import Layer, Solved, shape_error
from .lowered import Lowered
from .names import NestedNames
from .rows import Columns, Rows, as_array, output_shapes, side_by_side


class _Branches(NestedNames, Layer):
    """Branches that see the same input, their outputs joined on the last axis.

    Targets are split by columns; each branch is solved for its own share, and the target
    for the common input is the mean of what the branches ask for.
    """

    invert_options = ("backward_rcond",)

    def _branches(self):
        """One list of layers for each branch."""
        raise NotImplementedError

    def _validate_params(self):
        super()._validate_params()
        for branch in self._branches():
            for layer in branch:
                layer._validate_params()

    @property
    def solvable(self):
        return any(layer.solvable for branch in self._branches() for layer in branch)

    @property
    def streams(self):
        return all(layer.streams for branch in self._branches() for layer in branch)

    @property
    def traceable(self):
        return all(layer.traceable for branch in self._branches() for layer in branch)

    @property
    def needs_inputs(self):
        return any(sequence.needs_inputs(branch) for branch in self._branches())

    def _shapes(self, input_shape):
        return [output_shapes(branch, input_shape)[-1] for branch in self._branches()]

    def output_shape(self, input_shape):
        shapes = self._shapes(input_shape)
        if len({shape[:-1] for shape in shapes}) > 1:
            raise shape_error(
                self, input_shape, f"its branches give {shapes}, which differ before the last axis"
            )
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))

    def init(self, rng, input_shape, data=None):
        branches = self._branches()
        params = {"widths": np.array([shape[-1] for shape in self._shapes(input_shape)])}
        for i, stream in enumerate(rng.spawn(len(branches))):
            params[f"branch_{i + 1}"] = _keyed(
                sequence.init(branches[i], stream, input_shape, data)
            )
        return params

    def forward(self, params, inputs, *, rng=None):
        outputs = [
            sequence.forward(branch, own, inputs, rng=sequence.stream(rng, i))
            for i, (branch, own) in enumerate(self._own(params))
        ]
        if outputs[0].ndim == 2:
            return side_by_side(outputs)
        return namespace(outputs[0]).concatenate(outputs, axis=-1)

    def invert(self, params, targets, inputs, *, rng=None, backward_rcond=None):
        shares = _split(targets, params["widths"])
        total, learned = 0.0, {}
        streams = [None] * len(shares) if rng is None else rng.spawn(len(shares))
        for i, (branch, own) in enumerate(self._own(params)):
            below, own = sequence.invert(
                branch, own, shares[i], inputs, rng=streams[i], backward_rcond=backward_rcond
            )
            total = total + below
            learned[f"branch_{i + 1}"] = _keyed(own)
        return total / len(shares), {**params, **learned}

    def solve(self, params, inputs, targets, context):
        shares = _split(targets.values, params["widths"])
        streams = context.rng.spawn(len(shares))
        context = context.replace(loo_outputs=False)
        solved, outputs, reports = dict(params), [], {}
        for i, (branch, own) in enumerate(self._own(params)):
            own, rows = sequence.solve(
                branch, own, inputs, targets.with_values(shares[i]),
                context.replace(rng=streams[i]), visit=_collector(reports, i + 1, branch),
            )  # fmt: skip
            outputs.append(rows)
            solved[f"branch_{i + 1}"] = _keyed(own)
        return Solved(solved, outputs=_join(outputs), report=reports)

    def trainable(self, params):
        return {
            f"branch_{i}": _keyed(layer.trainable(own) for layer, own in zip(*pair, strict=True))
            for i, pair in enumerate(self._own(params), start=1)
        }

    def _own(self, params):
        """Each branch with the list of its params."""
        return [
            (branch, [params[f"branch_{i}"][str(j)] for j in range(len(branch))])
            for i, branch in enumerate(self._branches(), start=1)
        ]


class Parallel(_Branches):
    """Branches side by side, :math:`x \\mapsto [f(x), g(x), \\dots]`.

    Parameters
    ----------
    branches : list of lists of layers
        Each a list of layers or of (name, layer) pairs, fed with the same input.

    Examples
    --------
    >>> from sklearn_zorb.layers import Dense, Identity, Parallel, Tanh
    >>> Parallel([[Dense(4), Tanh()], [Identity()]]).output_shape((3,))
    (7,)
    """

    block_parameter = "branches"
    many_blocks = True

    def __init__(self, branches):
        self.branches = branches

    def _branches(self):
        if not self.branches:
            raise ValueError("Parallel has no branches: pass at least one list of layers.")
        return [_plain(branch) for branch in self.branches]


class Skip(_Branches):
    """Layers beside their own input, :math:`x \\mapsto [x, f(x)]`.

    Parameters
    ----------
    layers : list of layers or of (name, layer) pairs
        f.

    Examples
    --------
    >>> from sklearn_zorb.layers import Dense, Skip, Tanh
    >>> Skip([Dense(4), Tanh()]).output_shape((3,))
    (7,)
    """

    block_parameter = "layers"
    many_blocks = False

    def __init__(self, layers):
        self.layers = layers

    def _branches(self):
        return [[Identity()], _plain(self.layers)]


def _plain(block):
    """The layers of a block, without names."""
    return [item[1] if isinstance(item, tuple) else item for item in block]


def _keyed(params):
    return {str(i): own for i, own in enumerate(params)}


def _split(values, widths):
    """The columns of each branch."""
    ends = np.cumsum(widths)
    columns = [slice(end - width, end) for end, width in zip(ends, widths, strict=True)]
    if isinstance(values, Lowered):
        return [Lowered(values, itemgetter((..., own))) for own in columns]
    return [values[..., own] for own in columns]


def _join(outputs):
    """What the branches hand on, joined; read lazily where one of them is."""
    if len(outputs[0].shape) == 2:
        lazy = any(isinstance(rows, Rows | Columns) for rows in outputs)
        return Columns(outputs) if lazy else side_by_side(outputs)
    arrays = [as_array(rows) for rows in outputs]
    return namespace(arrays[0]).concatenate(arrays, axis=-1)


def _collector(reports, number, branch):
    """A visitor that files the reports of a branch under its layers' positions."""

    def visit(index, inputs, report, params):
        if report is not None:
            reports[f"branch_{number}.{index + 1}.{type(branch[index]).__name__}"] = report

    return visit
