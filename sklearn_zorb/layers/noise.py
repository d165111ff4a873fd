"""Layers that disturb their input while training, and only then."""

from __future__ import annotations

import sys
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from .._compat import Interval
from ..linalg import is_jax, namespace
from .base import Layer, Traits, refuse_sparse

if TYPE_CHECKING:
    from ..typing import Array, Float, Params, Stream


class _Noise(Layer):
    """Base: the identity unless an `rng` comes, which trainers give while training.

    It is a `numpy.random.Generator`, or, where the call is traced by JAX, a JAX key.
    """

    traits = Traits(reads_inputs=False)

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        return inputs if rng is None else self._disturb(inputs, rng)


class Dropout(_Noise):
    r"""Set a random share of the input to zero, and the rest to :math:`x / (1 - r)`.

    The expected output is the input. Without an `rng`, as in prediction, it is the identity.
    Targets pass unchanged.

    Parameters
    ----------
    rate : float, default=0.5
        Share r of the entries that become zero, in [0, 1).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import Dropout
    >>> layer, ones = Dropout(0.5), np.ones((1, 6))
    >>> layer.forward({}, ones).tolist()
    [[1.0, 1.0, 1.0, 1.0, 1.0, 1.0]]
    >>> sorted(set(layer.forward({}, ones, rng=np.random.default_rng(0)).ravel().tolist()))
    [0.0, 2.0]
    """

    _parameter_constraints = {"rate": [Interval(Real, 0, 1, closed="left")]}

    def __init__(self, rate: Float = 0.5) -> None:
        self.rate = rate

    def _disturb(self, inputs: Any, rng: Stream) -> Any:
        if sp.issparse(inputs):
            # zeros are zeros either way
            outputs = inputs.copy()
            outputs.data = self._disturb(inputs.data, rng)
            return outputs
        kept = _draw(rng, inputs, "uniform") >= self.rate
        return namespace(inputs).where(kept, inputs / (1 - self.rate), 0)


class GaussianNoise(_Noise):
    r"""Add normal noise, :math:`x + s \varepsilon` with :math:`\varepsilon \sim N(0, 1)`.

    Without an `rng`, as in prediction, it is the identity. Targets pass unchanged.

    Parameters
    ----------
    scale : float, default=0.1
        Standard deviation s of the noise.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import GaussianNoise
    >>> layer, zeros = GaussianNoise(0.1), np.zeros((1000, 1))
    >>> layer.forward({}, zeros).std()
    np.float64(0.0)
    >>> layer.forward({}, zeros, rng=np.random.default_rng(0)).std().round(2)
    np.float64(0.1)
    """

    _parameter_constraints = {"scale": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, scale: Float = 0.1) -> None:
        self.scale = scale

    def _disturb(self, inputs: Any, rng: Stream) -> Any:
        why = "would make sparse inputs dense. Pass dense inputs, or use Dropout."
        refuse_sparse(self, inputs, why)
        return inputs + self.scale * _draw(rng, inputs, "normal")


def _draw(rng: Stream, inputs: Any, kind: str) -> Any:
    """Random numbers, uniform on [0, 1) or normal, of the shape and precision of `inputs`."""
    if isinstance(rng, np.random.Generator):
        if is_jax(inputs) and isinstance(inputs, sys.modules["jax"].core.Tracer):
            raise TypeError(
                "A NumPy Generator cannot draw inside a function that JAX traces: the compiled "
                "function would repeat one draw for ever. Pass a JAX key as rng."
            )
        # drawn in double precision whatever the input's, so that backends and dtypes agree
        numbers = rng.random(inputs.shape) if kind == "uniform" else rng.normal(size=inputs.shape)
        return namespace(inputs).asarray(numbers.astype(inputs.dtype))
    from jax import random

    return getattr(random, kind)(rng, inputs.shape, inputs.dtype)
