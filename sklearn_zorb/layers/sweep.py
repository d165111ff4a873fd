"""One sweep over a list of layers: targets carried down, every layer solved once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ..linalg import namespace
from ..rows import Rows, Targets, output_shapes
from ..rows.remote import mapped
from . import sequence
from .gathered import solve_on_sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..typing import Params
    from .base import Context, Layer, Solved, Visit


def is_solved(layer: Layer, context: Context) -> bool:
    """Whether a sweep would change params of the layer; where not, it is not solved."""
    if not layer.traits.learns:
        return False
    if getattr(layer, "only_parts_learn", False):
        return any(is_solved(part, context) for branch in layer.children() for part in branch)
    relaxation = getattr(layer, "relaxation", 1.0)
    return (context.relaxation if relaxation is None else relaxation) > 0


def solve(
    layers: Sequence[Layer],
    params: Sequence[Params],
    inputs: Rows,
    targets: Targets | None,
    context: Context,
    *,
    visit: Visit | None = None,
    taps: Sequence[int] = (),
    first: int = 0,
) -> tuple[list[Params], Rows]:
    """Solve every layer that learns once, front to back.

    Parameters
    ----------
    layers, params : lists
    inputs : Rows of shape (n_samples, ...)
    targets : Targets or None
        For the output of the last layer; None where no layer that is solved reads any.
    context : Context
    visit : callable or None
        Called as ``visit(index, inputs, solved, params)`` after each layer with the rows
        that reached it and what its solve returned, None where there was none. A true
        return ends the sweep there, the layers behind keeping the params they have.
    taps : sequence of int
        Indices of layers whose inputs are read again later.
    first : int, default=0
        Layers before this one keep the params they have.

    Returns
    -------
    params : list of dict
    outputs : Rows
        What the last layer hands on during training.
    """
    params = list(params)
    downward = _Downward(layers, params, targets, context)
    streams = context.rng.spawn(len(layers))
    wanted = [i >= first and is_solved(layer, context) for i, layer in enumerate(layers)]
    stopped = False
    for i, layer in enumerate(layers):
        solved = None
        if wanted[i] and not stopped:
            below = None if targets is None else downward.at(i, inputs)
            layer_context = context.replace(rng=streams[i])
            solved = solve_layer(layer, params[i], inputs, below, layer_context)
            params[i] = solved.params
        outputs = inputs.then(layer, params[i])
        if solved is not None and solved.outputs is not None:
            outputs = Rows.of(solved.outputs)
        if i + 1 == len(layers) or wanted[i + 1] or i + 1 in taps:
            outputs = outputs.kept(context)
        if visit is not None:
            stopped = bool(visit(i, inputs, solved, params)) or stopped
        inputs = outputs
    return params, inputs


def solve_readout(
    layer: Layer, params: Params, rows: Rows, targets: Targets, context: Context
) -> Solved:
    """Solve a read-out on all it sees: never relaxed, with its left-out outputs."""
    readout_context = context.replace(relaxation=1.0, refine=False, left_out=True)
    return solve_layer(layer, params, rows, targets, readout_context)


def solve_layer(
    layer: Layer, params: Params, inputs: Rows, targets: Any, context: Context
) -> Solved:
    """What `Layer.solve` returns, on a sample where the layer needs rows in one place."""
    if layer.traits.gathers and inputs.store is not None:
        return solve_on_sample(layer, params, inputs, targets, context)
    return layer.solve(params, inputs, targets, context)


class _Downward:
    """Carries targets from the end of a list down to any of its layers.

    The weights above a layer do not change before their own turn, so each inverse that
    does not read its inputs is computed once, and shared by all layers below it.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        params: list[Params],
        targets: Targets | None,
        context: Context,
    ) -> None:
        self.layers, self.params, self.context = layers, params, context
        self._known: dict[int, Any] = {len(layers) - 1: targets}
        self._streams = context.rng.spawn(len(layers))

    def at(self, index: int, inputs: Rows) -> Targets:
        """Targets for the output of layer `index`, whose present input is `inputs`."""
        start = min(i for i in self._known if i >= index)
        targets, fixed = self._known[start], not self.context.refine
        for i in range(start, index, -1):
            targets = self._below(i, targets, index, inputs)
            fixed = fixed and not self.layers[i].traits.reads_inputs
            if fixed:
                self._known[i - 1] = targets
        return targets

    def _below(self, i: int, targets: Targets, index: int, inputs: Rows) -> Targets:
        """Targets for the input of layer i, found by layers whose first is `index`."""
        layer, refine = self.layers[i], self.context.refine
        here: Any = None
        context = self.context.replace(rng=self._streams[i])
        if layer.traits.reads_inputs or refine:
            here = at_hand(sequence.through(self.layers[index:i], self.params[index:i], inputs))
        seen = here if layer.traits.reads_inputs else None
        below, self.params[i] = sequence.lower(layer, self.params[i], targets, seen, context)
        if refine:
            moved = partial(_moved, layer, self.params[i], context.without_rows())
            below = Targets(mapped(moved, below, here))
        shape = output_shapes(self.layers[index:i], inputs.shape[1:])[-1]
        _check_targets(layer, below, shape)
        return below


def at_hand(rows: Rows) -> Any:
    """All rows as one array, unless they lie elsewhere."""
    return rows if rows.store is not None else rows[:]


def _moved(layer: Layer, params: Params, context: Context, below: Any, here: Any) -> Any:
    """Targets for the input of a layer as differences to the present ones.

    What the inverse makes of the present output is taken away, so that a perfect output asks for
    no change (difference target propagation).
    """
    here = here[:]
    seen = here if layer.traits.reads_inputs else None
    present = layer.invert(params, layer.forward(params, here), seen, context)
    return here + (below[:] - present)


def _check_targets(layer: Layer, targets: Targets, shape: tuple[int, ...]) -> None:
    """Raise ValueError that names a layer whose inverse has another shape, or is not finite.

    Of classes these are a few distinct rows. Targets too many to keep are looked at nowhere.
    """
    if targets.shape[1:] != shape:
        raise ValueError(
            f"{type(layer).__name__}.invert returned targets of shape {targets.shape[1:]} for each "
            f"row; its input has shape {shape}."
        )
    if targets.steps or targets.store is not None:
        return
    values = targets.values
    if not namespace(values).isfinite(values).all():
        name = type(layer).__name__
        raise ValueError(
            f"{name}.invert returned NaN or infinity. Targets may be any numbers, those that "
            f"{name} cannot reach too: its invert has to draw them into its range first. "
            "sklearn_zorb.testing.check_layer tells of such layers."
        )
