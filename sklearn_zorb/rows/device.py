"""Rows for programs that are compiled for one shape, and rows handed to a device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from ..linalg import get_backend, to_numpy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from ..layers.base import Layer
    from ..linalg.backends import Backend
    from ..network import Network
    from ..typing import Array, Params

# bytes of rows below which parts would take longer to hand out
WHOLE_BYTES = 16e6


def bucket(n_rows: int) -> int:
    """`n_rows` rounded up to three significant bits more than its leading one.

    At most an eighth of the rows is added, and cross-validation folds of 99, 100 and 101
    rows share one size.

    Examples
    --------
    >>> from sklearn_zorb.rows.device import bucket
    >>> bucket(99), bucket(100), bucket(101)
    (104, 104, 104)
    """
    step = step_of(n_rows)
    return -(-n_rows // step) * step


def step_of(n_rows: int) -> int:
    """The step to multiples of which numbers near `n_rows` are rounded up."""
    return 2 ** max(0, int(n_rows).bit_length() - 4)


def runs_on_device(X: Any, layers: Sequence[Layer]) -> bool:
    """Whether JAX takes rows through these layers: dense ones through layers that it can trace.

    In all other lists it solves least squares only. What a kernel draws and where trees split
    depends on rows and targets to the last bit.
    """
    return not sp.issparse(X) and all(layer.traits.jax for layer in layers)


def repeat_first(n_rows: int) -> np.ndarray:
    """Indices of all rows, followed by as many copies of the first as fill the bucket."""
    return np.concatenate([np.arange(n_rows), np.zeros(bucket(n_rows) - n_rows, dtype=int)])


def padded_weights(weights: np.ndarray | None, n_rows: int) -> np.ndarray:
    """Weights of rows, followed by zeros for the copies that fill the bucket."""
    weights = np.ones(n_rows) if weights is None else weights
    return np.concatenate([weights, np.zeros(bucket(n_rows) - n_rows)])


def upload(X: Any, backend: Backend) -> Array:
    """Dense rows as an array of the backend, with copies of the first at the end.

    Many rows go in eight to sixteen parts of one size, for which a device has room set aside
    that it takes at several times the speed of a whole table.
    """
    n_rows = X.shape[0]
    if n_rows * X.shape[1] * X.dtype.itemsize < WHOLE_BYTES:
        return backend.asarray(X[repeat_first(n_rows)])
    step = step_of(n_rows)
    parts = [X[start : start + step] for start in range(0, n_rows, step)]
    missing = step - len(parts[-1])
    parts[-1] = np.concatenate([parts[-1], np.repeat(X[:1], missing, axis=0)])
    return backend.xp.concatenate([backend.asarray(part) for part in parts])


def on_device(
    network: Network, params: Sequence[Params]
) -> tuple[Callable[[Array], np.ndarray], float, AbstractContextManager[None]]:
    """A function of chunks of rows, how large they may be, and the context to call it in."""
    backend = get_backend("jax")
    if backend.accelerated:
        import jax

        # every chunk would bring them along anew
        with backend.scope():
            params = jax.device_put(params)

    def outputs(rows: Array) -> np.ndarray:
        n_rows = rows.shape[0]
        padded = backend.asarray(rows[repeat_first(n_rows)])
        return to_numpy(network.outputs(params, padded))[:n_rows]

    return outputs, backend.chunk_bytes, backend.scope()


def with_weights_there(params: list[Params], backend: Backend) -> list[Params]:
    """Initial params, weights where their inverses are to be computed."""
    if not backend.accelerated:
        return params
    return [
        {**layer_params, "weights": backend.asarray(layer_params["weights"])}
        if "weights" in layer_params
        else layer_params
        for layer_params in params
    ]
