"""What an accelerator is given: rows in parts, params before they are asked for."""

import numpy as np

from ..layers import Dense
from .padding import repeat_first, step_of

# bytes of rows below which parts would take longer to hand out
WHOLE_BYTES = 16e6


def upload(X, backend):
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


def with_weights_there(layers, params, backend):
    """Initial params, weights of dense layers where their inverses are to be computed.

    Where trees split depends on targets to the last bit: before such layers all stays.
    """
    if not all(layer.traceable for layer in layers):
        return params
    return [
        {**own, "weights": backend.asarray(own["weights"])} if isinstance(layer, Dense) else own
        for layer, own in zip(layers, params, strict=True)
    ]


def at_hand(layers, params, backend):
    """Solved params, on an accelerator already: every chunk would bring them along anew."""
    if not backend.accelerated or not all(layer.traceable for layer in layers):
        return params
    import jax

    return jax.device_put(params)
