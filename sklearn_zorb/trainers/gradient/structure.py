"""What training rules ask of layers: derivatives, substitutes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...layers import Layer, Sign, Step
from ...lists import leaves

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from ...network import Network
    from ...typing import Array, Params, Stream

# what to say to a user whose layers a rule cannot differentiate
WITHOUT_DERIVATIVES = "ZORB(), RandomBases(kind='nes') or Evolution()"


def has_weights(layer: Layer) -> bool:
    """Whether gradient rules can move anything in an innermost layer."""
    return type(layer).trainable is not Layer.trainable


class StraightThrough(Layer):
    """A step function whose derivative is that of its input clipped to [low, 1]."""

    def __init__(self, layer: Layer, low: float) -> None:
        self.layer = layer
        self.low = low

    def forward(self, params: Params, inputs: Any, *, rng: Stream | None = None) -> Array:
        from jax import lax
        from jax import numpy as jnp

        clipped = jnp.clip(inputs, self.low, 1.0)
        return clipped + lax.stop_gradient(self.layer.forward(params, inputs) - clipped)


def straight_through(layer: Layer) -> Layer:
    """The layer, with a clipped identity as the derivative of Sign and Step.

    A copy of a `Sign` or `Step` passes the gradient on where its input is within [-1, 1], or
    within [0, 1] (Bengio et al., arXiv:1308.3432).
    """
    if isinstance(layer, Sign | Step):
        return StraightThrough(layer, -1.0 if isinstance(layer, Sign) else 0.0)
    return layer


def without_derivatives(
    network: Network, needed: Collection[int] | None = None
) -> Iterator[tuple[str, Layer]]:
    """(name, innermost layer) of every layer that has no derivative.

    `needed` holds the indices of the layers that are to have one; None is all.
    """
    for i, (name, layer) in enumerate(zip(network.names, network.layers, strict=True)):
        for leaf in leaves([layer]) if needed is None or i in needed else ():
            if not leaf.traits.differentiable:
                yield name, leaf


def check_differentiable(
    network: Network, rule: str, needed: Collection[int] | None = None
) -> None:
    """ValueError for the first layer without a derivative, naming rules that accept it."""
    for name, leaf in without_derivatives(network, needed):
        option = ", or straight_through=True" if isinstance(leaf, Sign | Step) else ""
        raise ValueError(
            f"layer {name!r} ({type(leaf).__name__}) has no derivative, which {rule} "
            f"needs. Pass a trainer that needs none: {WITHOUT_DERIVATIVES}{option}."
        )


def check_movable(network: Network, rule: str) -> None:
    """ValueError for the first layer that is solved, and has nothing that a step could move."""
    for name, layer in zip(network.names, network.layers, strict=True):
        for leaf in leaves([layer]):
            if leaf.traits.learns and not has_weights(leaf):
                raise ValueError(
                    f"layer {name!r} ({type(leaf).__name__}) is solved for its targets; "
                    f"{rule} has nothing to move in it. Pass trainer=ZORB()."
                )


def check_traceable(network: Network, params: Sequence[Params], rows: Any) -> None:
    """ValueError for the first layer that JAX cannot trace, such as a foreign estimator."""
    import jax

    for name, layer, layer_params in zip(network.names, network.hidden, params, strict=False):
        try:
            rows = jax.eval_shape(lambda rows: layer.forward(layer_params, rows), rows)  # noqa: B023
        except (jax.errors.JAXTypeError, TypeError) as error:
            raise ValueError(
                f"layer {name!r} ({type(layer).__name__}) cannot be compiled by JAX, which this "
                "trainer needs; pass trainer=ZORB(), which solves it."
            ) from error
