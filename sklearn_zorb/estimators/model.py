"""What a fit leaves behind: a network, its params, and what turns outputs into predictions."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..linalg import get_backend, to_numpy
from ..memory import Memory
from ..network import Network
from ..rows.constant import ConstantColumns
from ..rows.device import at_hand, repeat_first
from .data import check_size


@dataclass(frozen=True, repr=False)
class FittedModel:
    """A trained network; all of it is NumPy and plain values.

    Attributes
    ----------
    network : Network
    params : list of dict
    decoder : Classes, Labels or Numbers
    dtype : numpy.dtype
        Precision of activations.
    backend : {"numpy", "jax"}
        Where matrices are multiplied.
    constant : ConstantColumns
        Columns that never varied in training, which move no prediction.
    state : dict or None
        What the rule wants back where training goes on.
    """

    network: Network
    params: list
    decoder: Any
    dtype: np.dtype
    backend: str
    constant: ConstantColumns
    state: Any = None

    def replace(self, **changes):
        """A copy with some attributes changed; params become NumPy arrays."""
        if "params" in changes:
            changes["params"] = as_numpy(changes["params"])
        return replace(self, **changes)

    def outputs(self, X, memory_limit=None):
        """Network outputs of shape (n_samples, n_outputs) for checked rows, read in chunks."""
        network, backend = self.network, get_backend(self.backend)
        check_size(X, "X", self.dtype)
        X, feeder = self.constant.restore(X), feeder_of(network.layers, self.backend)
        outputs = np.empty((X.shape[0], self.decoder.n_outputs))
        row_bytes = 16 * network.working_width()
        with backend.scope():
            params = at_hand(self.params, network.layers, backend)
            parts = Memory(memory_limit).chunks(X.shape[0], row_bytes, backend.chunk_bytes)
            for part in parts:
                rows = X[part].astype(self.dtype, copy=False)
                n_rows = rows.shape[0]
                if feeder.name == "jax" and isinstance(rows, np.ndarray):
                    rows = rows[repeat_first(n_rows)]
                out = network.finish(params, network.forward(params, feeder.asarray(rows)))
                outputs[part] = to_numpy(out)[:n_rows]
        return outputs


def feeder_of(layers, backend):
    """The backend of the rows that come in.

    What a kernel draws and where trees split depends on rows to the last bit: to such a
    layer they come as NumPy makes them, unless a layer before it learns.
    """
    first = next(layer for layer in layers if layer.traits.learns)
    return get_backend(backend if first.traits.jax else "numpy")


def as_numpy(params):
    """The same nested params with NumPy arrays; fitted models stay what they are."""
    if isinstance(params, dict):
        return {name: as_numpy(value) for name, value in params.items()}
    if isinstance(params, list | tuple):
        return [as_numpy(value) for value in params]
    return np.array(to_numpy(params)) if hasattr(params, "dtype") else params
