"""The loss of a network as a pure function of its params, for JAX to differentiate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from ...layers import Sigmoid, Softmax
from ...rows import side_by_side
from ...rows.programs import structure_key
from .batch_moments import training_outputs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...layers.base import Layer
    from ...network import Network
    from ...typing import Params

    # nested dicts and lists of arrays of JAX, which params are, and what rules keep beside them
    Tree: TypeAlias = Any
    # inputs, targets and weights
    Batch: TypeAlias = tuple[Any, Any, Any]
    # what a pass tells beside the loss
    Aux: TypeAlias = dict[str, Any]


class Objective:
    r"""Weighted loss of a network on one batch.

    The loss follows from the task: softmax cross-entropy :math:`\log\sum_k e^{z_k} - z_c` for
    classes, logistic loss :math:`\log(1 + e^{z}) - t z` for two classes and for labels, and
    :math:`\tfrac12 \|z - t\|^2` for numbers. A final `Softmax` or `Sigmoid` is merged with
    its logarithm, so that nothing overflows. It compares equal, and hashes equal, to any
    other of the same structure: compiled functions are kept under it.

    Parameters
    ----------
    network : Network
    task : {"binary", "multiclass", "multilabel", "regression"}
    """

    def __init__(self, network: Network, task: str) -> None:
        self.network, self.task = network, task
        self.loss_name = loss_name(task, network.tail)
        parts = (network.layers, network.readout, network.taps, network.input_shape, task)
        self._key = structure_key(parts)
        self._hash = hash(self._key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Objective) and self._key == other._key

    def outputs(
        self,
        params: Tree,
        inputs: Any,
        *,
        key: Any = None,
        weights: Any = None,
        visit: Callable[[int, Any], Any] | None = None,
    ) -> tuple[Any, list[Params]]:
        """Read-out before its activation, and the moments of the batch, nested as params are.

        Parameters
        ----------
        params : list of dict
        inputs : array of shape ``(n, *input_shape)``
        key : JAX key or None
            Given while training: noise is drawn, and batches are normalised by themselves.
        weights : array of shape (n,) or None
            Rows of weight zero, which only fill up the batch, have no part in the moments.
        visit : callable or None
            ``visit(i, inputs)`` returns what layer i gets in place of its inputs.
        """
        tapped: list[Any] = []
        moments: list[Params] = [{} for _ in self.network.layers]
        visit = visit or (lambda i, inputs: inputs)
        for i in range(self.network.readout):
            inputs = visit(i, inputs)
            if i in self.network.taps:
                tapped.append(inputs)
            inputs, moments[i] = self.advance(i, params, inputs, key, weights)
        index = self.network.readout
        tapped.append(visit(index, inputs))
        outputs = self.network.layers[index].forward(params[index], side_by_side(tapped))
        return outputs, moments

    def advance(
        self, i: int, params: Tree, inputs: Any, key: Any = None, weights: Any = None
    ) -> tuple[Any, Params]:
        """Output of hidden layer i, and the moments of the batch in each `BatchNorm` in it."""
        from jax import random

        layer, layer_params = self.network.layers[i], params[i]
        if key is None:
            return layer.forward(layer_params, inputs), {}
        return training_outputs(layer, layer_params, inputs, random.fold_in(key, i), weights)

    def losses(self, params: Tree, outputs: Any, targets: Any) -> Any:
        """Loss of each row, of shape (n,)."""
        import jax
        from jax import numpy as jnp

        if self.loss_name == "cross_entropy":
            return jax.nn.logsumexp(outputs, axis=1) - (targets * outputs).sum(axis=1)
        if self.loss_name == "logistic":
            return (jnp.logaddexp(outputs, 0.0) - targets * outputs).sum(axis=1)
        predicted = self.network.finish(params, outputs)
        return 0.5 * ((predicted - targets) ** 2).sum(axis=1)

    def hits(self, outputs: Any, targets: Any, params: Tree) -> Any:
        """1 or 0 for each row predicted right or wrong; its squared error for numbers."""
        from jax import numpy as jnp

        if self.task == "regression":
            return ((self.network.finish(params, outputs) - targets) ** 2).sum(axis=1)
        if outputs.shape[1] == 1 or self.task == "multilabel":
            if self.loss_name == "squared":
                outputs = self.network.finish(params, outputs) - 0.5
            return ((outputs > 0) == (targets > 0.5)).all(axis=1).astype(outputs.dtype)
        right = jnp.argmax(outputs, axis=1) == jnp.argmax(targets, axis=1)
        return right.astype(outputs.dtype)

    def loss(self, params: Tree, batch: Batch, key: Any = None) -> tuple[Any, Aux]:
        """Weighted loss, and what else one pass tells: hits and moments.

        Parameters
        ----------
        params : list of dict
        batch : tuple (inputs, targets, weights)
            Weights that sum to one over an unweighted batch; zero for rows that fill it up.
        key : JAX key or None

        Returns
        -------
        loss : scalar array
        aux : dict
        """
        inputs, targets, weights = batch
        outputs, moments = self.outputs(params, inputs, key=key, weights=weights)
        return self.weigh(params, outputs, targets, weights, moments)

    def weigh(
        self, params: Tree, outputs: Any, targets: Any, weights: Any, moments: Any
    ) -> tuple[Any, Aux]:
        """Loss of the outputs, and the aux of `loss`."""
        from jax import lax

        loss = weights @ self.losses(params, outputs, targets)
        hits = weights @ self.hits(lax.stop_gradient(outputs), targets, lax.stop_gradient(params))
        return loss, {"loss": loss, "hits": hits, "moments": lax.stop_gradient(moments)}


def loss_name(task: str, tail: Sequence[Layer]) -> str:
    """ "cross_entropy", "logistic" or "squared": the loss for a task and a final activation."""
    last = tail[-1] if tail else None
    if task == "regression" or (task == "multilabel" and isinstance(last, Softmax)):
        return "squared"
    if task in ("binary", "multilabel") and not isinstance(last, Softmax):
        return "logistic"
    return "logistic" if isinstance(last, Sigmoid) else "cross_entropy"


def trainable(network: Network, params: Sequence[Params]) -> list[Params]:
    """The part of params that gradient rules move: floating weights, nested as they are."""
    return [
        layer.trainable(layer_params)
        for layer, layer_params in zip(network.layers, params, strict=True)
    ]


def merge(params: Any, changed: Any) -> Any:
    """Params with the entries of `changed` in place of their own, however deeply nested."""
    if isinstance(params, list):
        return [merge(old, new) for old, new in zip(params, changed, strict=True)]
    return {
        **params,
        **{
            k: merge(params.get(k, {}), v) if isinstance(v, dict) else v for k, v in changed.items()
        },
    }
