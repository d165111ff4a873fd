"""Layers made of lists of layers: side by side, or beside their own input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..linalg import namespace
from ..lists import NestedNames
from ..rows import Rows, output_shapes, side_by_side
from . import sequence, sweep
from .activations import Identity
from .base import Layer, Solved, Traits, shape_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..rows import Targets
    from ..typing import Array, LayerList, Params, Shape, Stream
    from .base import Context, InitialData, Visit


class Branches(NestedNames, Layer):
    """Base of layers whose branches see the same input, their outputs joined on the last axis.

    Targets are split by columns; each branch is solved for its own share, and the target
    for the common input is the mean of what the branches ask for. A subclass says in two
    attributes which parameter holds its layers, and may give other `paths` than those.
    """

    # whether all that is solved lies in the branches
    only_parts_learn = True

    def children(self) -> tuple[list[Layer], ...]:
        held = getattr(self, self.block_parameter)
        return tuple(_plain(block) for block in (held if self.many_blocks else [held]))

    def with_children(self, children: Sequence[Sequence[Layer]]) -> Self:
        blocks = [list(block) for block in children]
        held = blocks if self.many_blocks else blocks[0]
        return type(self)(**{**self.get_params(deep=False), self.block_parameter: held})

    def paths(self) -> Sequence[list[Layer]]:
        """List the layers of each branch."""
        return self.children()

    @property
    def traits(self) -> Traits:
        return Traits.of_all([layer for branch in self.paths() for layer in branch])

    def _shapes(self, input_shape: Shape) -> list[Shape]:
        return [output_shapes(branch, input_shape)[-1] for branch in self.paths()]

    def output_shape(self, input_shape: Shape) -> Shape:
        shapes = self._shapes(input_shape)
        if len({shape[:-1] for shape in shapes}) > 1:
            raise shape_error(
                self, input_shape, f"its branches give {shapes}, which differ before the last axis"
            )
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))

    def init(
        self, rng: np.random.Generator, input_shape: Shape, data: InitialData | None = None
    ) -> Params:
        branches = self.paths()
        params: Params = {"widths": np.array([shape[-1] for shape in self._shapes(input_shape)])}
        for i, stream in enumerate(rng.spawn(len(branches))):
            branch_params = sequence.init(branches[i], stream, input_shape, data)
            params[f"branch_{i + 1}"] = sequence.keyed(branch_params)
        return params

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        outputs = [
            sequence.forward(branch, branch_params, inputs, rng=sequence.stream(rng, i))
            for i, (branch, branch_params) in enumerate(self.with_params(params))
        ]
        if outputs[0].ndim == 2:
            return side_by_side(outputs)
        return namespace(outputs[0]).concatenate(outputs, axis=-1)

    def learn_inverse(
        self, params: Params, chunks: Iterable[tuple[Array, Array | None]], context: Context
    ) -> Params:
        chunks, learned = list(chunks), {}
        own_columns = columns_of(params["widths"])
        contexts = sequence.streams(own_columns, context)
        for i, (branch, branch_params) in enumerate(self.with_params(params)):
            shares = [(targets[..., own_columns[i]], inputs) for targets, inputs in chunks]
            branch_params = sequence.learn_inverses(branch, branch_params, shares, contexts[i])
            learned[f"branch_{i + 1}"] = sequence.keyed(branch_params)
        return {**params, **learned}

    def invert(
        self, params: Params, targets: Array, inputs: Array | None, context: Context
    ) -> Array:
        own_columns = columns_of(params["widths"])
        contexts = sequence.streams(own_columns, context)
        found: list[Any] = [
            sequence.invert(
                branch, branch_params, targets[..., own_columns[i]], inputs, contexts[i]
            )
            for i, (branch, branch_params) in enumerate(self.with_params(params))
        ]
        return sum(found) / len(found)

    def solve(
        self, params: Params, inputs: Rows, targets: Targets | None, context: Context
    ) -> Solved:
        own_columns = columns_of(params["widths"])
        contexts = sequence.streams(own_columns, context.replace(left_out=False))
        solved, outputs = dict(params), []
        reports: dict[str, Any] = {}
        for i, (branch, branch_params) in enumerate(self.with_params(params)):
            share = None if targets is None else targets.columns(own_columns[i])
            branch_params, rows = sweep.solve(
                branch, branch_params, inputs, share, contexts[i],
                visit=report_collector(reports, i + 1, branch),
            )  # fmt: skip
            outputs.append(rows)
            solved[f"branch_{i + 1}"] = sequence.keyed(branch_params)
        return Solved(solved, outputs=_join(outputs), report=reports)

    def trainable(self, params: Params) -> Params:
        return {
            f"branch_{i}": sequence.keyed(
                layer.trainable(layer_params) for layer, layer_params in zip(*pair, strict=True)
            )
            for i, pair in enumerate(self.with_params(params), start=1)
        }

    def with_params(self, params: Params) -> list[tuple[list[Layer], list[Params]]]:
        """Each branch with the list of its params."""
        return [
            (branch, [params[f"branch_{i}"][str(j)] for j in range(len(branch))])
            for i, branch in enumerate(self.paths(), start=1)
        ]


class Parallel(Branches):
    """Put branches side by side, :math:`x \\mapsto [f(x), g(x), \\dots]`.

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

    def __init__(self, branches: Sequence[LayerList]) -> None:
        self.branches = branches

    def paths(self) -> Sequence[list[Layer]]:
        if not self.branches:
            raise ValueError("Parallel has no branches: pass at least one list of layers.")
        return self.children()


class Skip(Branches):
    """Put the output of layers beside their input, :math:`x \\mapsto [x, f(x)]`.

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

    def __init__(self, layers: LayerList) -> None:
        self.layers = layers

    def paths(self) -> Sequence[list[Layer]]:
        return ([Identity()], *self.children())


def _plain(block: LayerList) -> list[Layer]:
    """The layers of a block, without names."""
    return [item[1] if isinstance(item, tuple) else item for item in block]


def columns_of(widths: Array) -> list[slice]:
    """The columns of each branch, as slices."""
    ends = np.cumsum(widths)
    return [slice(end - width, end) for end, width in zip(ends, widths, strict=True)]


def _join(outputs: Sequence[Rows]) -> Rows:
    """What the branches hand on, joined."""
    first, *others = outputs
    if len(first.shape) == 2:
        return first.beside(*others)
    arrays = [rows[:] for rows in outputs]
    return Rows(namespace(arrays[0]).concatenate(arrays, axis=-1))


def report_collector(reports: dict[str, Any], number: int, branch: Sequence[Layer]) -> Visit:
    """A visitor that files the reports of a branch under its layers' positions."""

    def visit(index: int, inputs: Rows, solved: Solved | None, params: list[Params] | None) -> None:
        if solved is not None:
            key = f"branch_{number}.{index + 1}.{type(branch[index]).__name__}"
            reports[key] = solved.report

    return visit
