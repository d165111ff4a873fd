"""Where lists of layers get the layer that reads typed columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..layers import Encode, Stack, Standardize, Trees

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..layers.base import Layer
    from ..network import Pair
    from ..rows.schema import Schema
    from ..typing import LayerList
    from .data import Data
    from .plans import Plan


def encoded(plan: Plan, data: Data) -> tuple[Sequence[Pair], Plan]:
    """Put `Encode` before the layers of a plan where columns are not plain numbers.

    `Encode` stands in front of a list that does not begin with it. Blocks of a `Stack` that comes
    first have one each, but for those that begin with trees, which read columns as they are.

    Parameters
    ----------
    plan : Plan
        Its layers are copies of its own, which are told of the columns here.
    data : Data

    Returns
    -------
    front : list of (name, layer)
    plan : Plan
    """
    if not data.typed:
        return [], plan
    if plan.input_shape is not None:
        raise ValueError(
            f"input_shape={plan.input_shape!r} is for images, and X has columns of other types or "
            "with gaps: leave it out."
        )
    if isinstance(plan.layers[0], Stack):
        name, stack = plan.readout
        stack.set_params(blocks=[_with_encode(block, plan.standardize) for block in stack.blocks])
        _tell(stack, data.schema)
        return [], replace(plan, standardize=False)
    front: Sequence[Pair] = [("encode", Encode())]
    hidden = plan.hidden
    if isinstance(plan.layers[0], Encode):
        front, hidden = hidden[:1], hidden[1:]
    _tell(front[0][1], data.schema)
    return front, replace(plan, hidden=hidden)


def _tell(layer: Layer, schema: Schema | None) -> None:
    """Tell a layer that comes first of the columns, or those that come first inside of it."""
    for block in layer.children():
        _tell(block[0], schema)
    if not layer.children() and _reads_types(layer):
        layer.set_params(schema=schema)


def _with_encode(block: LayerList, standardize: bool) -> LayerList:
    """A block of a stack, behind `Encode` unless it reads typed columns itself."""
    first = block[0][1] if block and isinstance(block[0], tuple) else next(iter(block), None)
    if first is not None and _reads_types(first):
        return block
    return [Encode(), *([Standardize()] if standardize else []), *block]


def _reads_types(layer: Any) -> bool:
    """Whether a layer that comes first takes typed columns."""
    blocks = layer.children()
    if blocks:
        return all(block and _reads_types(block[0]) for block in blocks)
    return isinstance(layer, Encode | Trees)
