"""Rows for programs that are compiled for one shape, and rows handed to a device."""

import numpy as np

from ..linalg import get_backend, to_numpy

# bytes of rows below which parts would take longer to hand out
WHOLE_BYTES = 16e6


def bucket(n_rows):
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


def step_of(n_rows):
    """What numbers near `n_rows` are rounded up to multiples of."""
    return 2 ** max(0, int(n_rows).bit_length() - 4)


def repeat_first(n_rows):
    """Indices of all rows, followed by as many copies of the first as fill the bucket."""
    return np.concatenate([np.arange(n_rows), np.zeros(bucket(n_rows) - n_rows, dtype=int)])


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


def feeder_of(layers, backend):
    """The backend of the rows that come in.

    What a kernel draws and where trees split depends on rows to the last bit: to such a
    layer they come as NumPy makes them, unless a layer before it learns.
    """
    first = next(layer for layer in layers if layer.traits.learns)
    return get_backend(backend if first.traits.jax else "numpy")


def on_device(network, params):
    """A function of chunks of rows, how large they may be, and the context to call it in."""
    backend, feeder = get_backend("jax"), feeder_of(network.layers, "jax")
    if _all_there(network.layers, backend):
        import jax

        # every chunk would bring them along anew
        with backend.scope():
            params = jax.device_put(params)

    def outputs(rows):
        n_rows = rows.shape[0]
        if feeder.name == "jax" and isinstance(rows, np.ndarray):
            rows = rows[repeat_first(n_rows)]
        return to_numpy(network.outputs(params, feeder.asarray(rows)))[:n_rows]

    return outputs, backend.chunk_bytes, backend.scope()


def with_weights_there(params, layers, backend):
    """Initial params, weights where their inverses are to be computed.

    Where trees split depends on targets to the last bit: before such layers all stays.
    """
    if not _all_there(layers, backend):
        return params
    return [
        {**own, "weights": backend.asarray(own["weights"])} if "weights" in own else own
        for own in params
    ]


def _all_there(layers, backend):
    return backend.accelerated and all(layer.traits.jax for layer in layers)
