"""The loss of a network as a pure function of its params, for JAX to differentiate."""

from ...layers import BatchNorm, Sigmoid, Softmax
from ...rows import side_by_side
from ...rows.programs import structure_key

# share of the new batch in the running moments that prediction uses
MOMENTUM = 0.1


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

    def __init__(self, network, task):
        self.network, self.task = network, task
        self.loss_name = loss_name(task, network.tail)
        parts = (network.layers, network.readout, network.taps, network.input_shape, task)
        self._key = structure_key(parts)
        self._hash = hash(self._key)

    def __hash__(self):
        return self._hash

    def __eq__(self, other):
        return isinstance(other, Objective) and self._key == other._key

    def outputs(self, params, inputs, *, key=None, weights=None, visit=None):
        """Read-out before its activation, and the batch moments of each `BatchNorm`.

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
        tapped, moments = [], {}
        visit = visit or (lambda i, inputs: inputs)
        for i in range(self.network.readout):
            inputs = visit(i, inputs)
            if i in self.network.taps:
                tapped.append(inputs)
            inputs = self.advance(i, params, inputs, key, weights, moments)
        index = self.network.readout
        tapped.append(visit(index, inputs))
        outputs = self.network.layers[index].forward(params[index], side_by_side(tapped))
        return outputs, moments

    def advance(self, i, params, inputs, key=None, weights=None, moments=None):
        """Output of hidden layer i; the batch moments of a `BatchNorm` go into `moments`."""
        from jax import random

        layer, own = self.network.layers[i], params[i]
        if key is None:
            return layer.forward(own, inputs)
        if isinstance(layer, BatchNorm):
            here = batch_moments(inputs, weights)
            own = {**own, **here}
            if moments is not None:
                moments[i] = here
        return layer.forward(own, inputs, rng=random.fold_in(key, i))

    def losses(self, params, outputs, targets):
        """Loss of each row, of shape (n,)."""
        import jax
        from jax import numpy as jnp

        if self.loss_name == "cross_entropy":
            return jax.nn.logsumexp(outputs, axis=1) - (targets * outputs).sum(axis=1)
        if self.loss_name == "logistic":
            return (jnp.logaddexp(outputs, 0.0) - targets * outputs).sum(axis=1)
        predicted = self.network.finish(params, outputs)
        return 0.5 * ((predicted - targets) ** 2).sum(axis=1)

    def hits(self, outputs, targets, params):
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

    def loss(self, params, batch, key=None):
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

    def weigh(self, params, outputs, targets, weights, moments):
        """Loss of the outputs, and the aux of `loss`."""
        from jax import lax

        loss = weights @ self.losses(params, outputs, targets)
        hits = weights @ self.hits(lax.stop_gradient(outputs), targets, lax.stop_gradient(params))
        return loss, {"loss": loss, "hits": hits, "moments": lax.stop_gradient(moments)}


def loss_name(task, tail):
    """ "cross_entropy", "logistic" or "squared": the loss for a task and a final activation."""
    last = tail[-1] if tail else None
    if task == "regression" or (task == "multilabel" and isinstance(last, Softmax)):
        return "squared"
    if task in ("binary", "multilabel") and not isinstance(last, Softmax):
        return "logistic"
    return "logistic" if isinstance(last, Sigmoid) else "cross_entropy"


def batch_moments(inputs, weights):
    """Weighted mean and variance of each channel over the rows."""
    from jax import numpy as jnp

    rows = inputs.reshape(inputs.shape[0], -1, inputs.shape[-1])
    share = jnp.ones(len(rows)) if weights is None else weights
    share = share.astype(inputs.dtype)[:, None, None]
    count = share.sum() * rows.shape[1]
    mean = (share * rows).sum(axis=(0, 1)) / count
    variance = (share * (rows - mean) ** 2).sum(axis=(0, 1)) / count
    return {"mean": mean, "variance": variance}


def trainable(network, params):
    """The part of params that gradient rules move: floating weights, nested as they are."""
    return [layer.trainable(own) for layer, own in zip(network.layers, params, strict=True)]


def merge(params, changed):
    """Params with the entries of `changed` in place of their own, however deeply nested."""
    if isinstance(params, list):
        return [merge(own, new) for own, new in zip(params, changed, strict=True)]
    return {
        **params,
        **{
            k: merge(params.get(k, {}), v) if isinstance(v, dict) else v for k, v in changed.items()
        },
    }


def running_moments(moments, batch):
    """Moments of each `BatchNorm`, moved towards those of a batch."""
    return {
        i: {name: (1 - MOMENTUM) * old[name] + MOMENTUM * batch[i][name] for name in old}
        for i, old in moments.items()
    }


def with_moments(params, moments):
    """Params with the running moments of each `BatchNorm`."""
    params = list(params)
    for i, own in moments.items():
        params[i] = {**params[i], **own}
    return params
