"""Elementwise activations and softmax, each with its inverse target."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import scipy.sparse as sp

from .._compat import Interval, StrOptions
from ..linalg import namespace
from .base import Layer, Traits, shape_error

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    from ..typing import Array, Float, Params, Shape, Stream
    from .base import Context

# squashing functions reach their limits only at infinity: targets at the ends of the range
# are drawn in by this much of the function's own
EPSILON = 1e-5


class Activation(Layer):
    """Base of activations: same shape, nothing to learn."""

    traits = Traits(reads_inputs=False)

    def _refuse_sparse(self, inputs: Array) -> None:
        if sp.issparse(inputs):
            raise ValueError(
                f"{type(self).__name__} takes dense inputs: pass X as an array, or put a Dense "
                "layer in front, which reads sparse rows."
            )


class Identity(Activation):
    """Hand the input on, :math:`f(z) = z`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import Identity
    >>> Identity().forward({}, np.array([[-1.0, 2.0]])).tolist()
    [[-1.0, 2.0]]
    """


class _Ranged(Activation):
    """A squashing function, from -1 to 1 as tanh, stretched to the range of its targets.

    The inverse maps the smallest target to the lower end of the function's range and the
    largest to the upper end, and remembers both as ``low`` and ``high``; `forward` then
    maps back. Without them, before any inverse, the plain function is applied. Targets
    that are all equal say nothing about a range, which stays open. Once learned, a range is
    kept, and later targets are taken to within it.
    """

    _margin = EPSILON

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        self._refuse_sparse(inputs)
        outputs = self._squash(inputs, namespace(inputs))
        if "low" not in params:
            return self._plain(outputs)
        low, high = params["low"].astype(outputs.dtype), params["high"].astype(outputs.dtype)
        outputs *= (high - low) / (2 - 4 * self._margin)
        outputs += (low + high) / 2
        return outputs

    def invert(
        self, params: Params, targets: Array, inputs: Array | None, context: Context
    ) -> Array:
        xp = namespace(targets)
        if "low" not in params:
            return xp.zeros_like(targets)
        low, high = params["low"].astype(targets.dtype), params["high"].astype(targets.dtype)
        # one new array, changed in place: fresh memory takes as long as the work
        unit = xp.clip(targets, low, high)
        unit -= low
        unit /= high - low
        unit *= 1 - 2 * self._margin
        unit += self._margin
        return self._unit_inverse(unit, xp)

    def learn_inverse(
        self, params: Params, chunks: Iterable[tuple[Array, Array | None]], context: Context
    ) -> Params:
        if "low" in params:
            return params
        ends = [(targets.min(), targets.max()) for targets, _ in chunks]
        low, high = min(low for low, _ in ends), max(high for _, high in ends)
        if not float(high) > float(low):
            return params
        return {**params, "low": np.asarray(low), "high": np.asarray(high)}


class Sigmoid(_Ranged):
    r"""Apply the logistic sigmoid, :math:`f(z) = 1 / (1 + e^{-z})`, stretched to its targets.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import Context, Sigmoid
    >>> layer, targets = Sigmoid(), np.array([[-3.0], [0.0], [5.0]])
    >>> params = layer.learn_inverse({}, [(targets, None)], Context())
    >>> inputs = layer.invert(params, targets, None, Context())
    >>> layer.forward(params, inputs).round(6).ravel().tolist()
    [-3.0, 0.0, 5.0]
    """

    def _squash(self, inputs: Array, xp: ModuleType) -> Array:
        # tanh saturates instead of overflowing
        return xp.tanh(0.5 * inputs)

    def _plain(self, outputs: Array) -> Array:
        return 0.5 * (outputs + 1)

    def _unit_inverse(self, unit: Array, xp: ModuleType) -> Array:
        return xp.log(unit) - xp.log1p(-unit)


class Tanh(_Ranged):
    r"""Apply the hyperbolic tangent, :math:`f(z) = \tanh z`, stretched to its targets.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import Tanh
    >>> Tanh().forward({}, np.array([[0.0, 1.0]])).round(4).tolist()
    [[0.0, 0.7616]]
    """

    _margin = EPSILON / 2  # its own range is twice as wide

    def _squash(self, inputs: Array, xp: ModuleType) -> Array:
        return xp.tanh(inputs)

    def _plain(self, outputs: Array) -> Array:
        return outputs

    def _unit_inverse(self, unit: Array, xp: ModuleType) -> Array:
        unit *= 2
        unit -= 1
        return xp.arctanh(unit)


class ReLU(Activation):
    r"""Apply the rectified linear unit, :math:`f(z) = \max(z, 0)`.

    Parameters
    ----------
    negative_targets : {"keep", "zero", "uniform"}, default="keep"
        What becomes of targets below zero, which no input reaches: kept as they are, set
        to zero, or drawn uniformly from (-1, 0), the published rule. Random ones give
        hidden targets full rank; with a relaxation below 1 the kept part of the random
        weights does, and better.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import ReLU
    >>> ReLU().forward({}, np.array([[-2.0, 3.0]])).tolist()
    [[0.0, 3.0]]
    """

    _parameter_constraints = {"negative_targets": [StrOptions({"keep", "zero", "uniform"})]}

    def __init__(self, negative_targets: Literal["keep", "zero", "uniform"] = "keep") -> None:
        self.negative_targets = negative_targets

    @property
    def traits(self) -> Traits:  # type: ignore[override]  # it depends on hyperparameters
        # noise for every row: rows that repeat may not share one draw
        return Traits(reads_inputs=self.negative_targets == "uniform")

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        self._refuse_sparse(inputs)
        return namespace(inputs).maximum(inputs, 0)

    def invert(
        self, params: Params, targets: Array, inputs: Array | None, context: Context
    ) -> Array:
        xp = namespace(targets)
        if self.negative_targets == "keep":
            return targets
        if self.negative_targets == "zero":
            return xp.maximum(targets, 0)
        noise = xp.asarray(-context.rng.uniform(size=targets.shape).astype(targets.dtype))
        return xp.where(targets < 0, noise, targets)


class LeakyReLU(Activation):
    r"""Apply the leaky rectified linear unit, :math:`f(z) = \max(z, s z)`.

    Parameters
    ----------
    slope : float, default=0.01
        Slope s below zero, in (0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import LeakyReLU
    >>> LeakyReLU(slope=0.1).forward({}, np.array([[-2.0, 3.0]])).tolist()
    [[-0.2, 3.0]]
    """

    _parameter_constraints = {"slope": [Interval(Real, 0, 1, closed="right")]}

    def __init__(self, slope: Float = 0.01) -> None:
        self.slope = slope

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        self._refuse_sparse(inputs)
        return namespace(inputs).maximum(inputs, self.slope * inputs)

    def invert(
        self, params: Params, targets: Array, inputs: Array | None, context: Context
    ) -> Array:
        return namespace(targets).where(targets > 0, targets, targets / self.slope)


class Cos(Activation):
    r"""Take the cosine, :math:`f(z) = \cos z`, as random Fourier features do.

    The inverse takes targets to within [-1, 1] and returns the solution nearest to the
    input: the cosine reaches each value twice in every period.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import Cos
    >>> Cos().forward({}, np.array([[0.0, np.pi]])).tolist()
    [[1.0, -1.0]]
    """

    traits = Traits()

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        self._refuse_sparse(inputs)
        return namespace(inputs).cos(inputs)

    def invert(self, params: Params, targets: Array, inputs: Any, context: Context) -> Array:
        xp = namespace(targets)
        angle = xp.arccos(xp.clip(targets, -1, 1))
        period = 2 * np.pi
        nearest = [
            sign * angle + period * xp.round((inputs - sign * angle) / period) for sign in (1, -1)
        ]
        closer = xp.abs(nearest[0] - inputs) <= xp.abs(nearest[1] - inputs)
        return xp.where(closer, nearest[0], nearest[1])


class Sign(Activation):
    r"""Take the sign, :math:`f(0) = 1`: it has no derivative and is solved all the same.

    The inverse returns targets as they are: their sign is reached, and their size says how
    firmly.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import Sign
    >>> Sign().forward({}, np.array([[-0.5, 0.0, 2.0]])).tolist()
    [[-1.0, 1.0, 1.0]]
    """

    traits = Traits(reads_inputs=False, differentiable=False)

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        self._refuse_sparse(inputs)
        xp = namespace(inputs)
        return xp.where(inputs >= 0, 1.0, -1.0).astype(inputs.dtype)


class Step(Activation):
    r"""Apply the Heaviside step: 1 where :math:`z \ge 0`, 0 elsewhere; it has no derivative.

    The inverse returns the targets less one half.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import Step
    >>> Step().forward({}, np.array([[-0.5, 0.0, 2.0]])).tolist()
    [[0.0, 1.0, 1.0]]
    """

    traits = Traits(reads_inputs=False, differentiable=False)

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        self._refuse_sparse(inputs)
        return (inputs >= 0).astype(inputs.dtype)

    def invert(
        self, params: Params, targets: Array, inputs: Array | None, context: Context
    ) -> Array:
        return targets - 0.5


class Softmax(Activation):
    r"""Apply the softmax over the last axis, :math:`f(z)_k = e^{z_k} / \sum_j e^{z_j}`.

    Logarithms of probabilities are its inverse up to one constant a row. The inverse takes
    the one that keeps the row's log-sum-exp, as the published rule does; targets are drawn
    in from 0 and 1 first.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import Softmax
    >>> Softmax().forward({}, np.array([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """

    traits = Traits()

    def output_shape(self, input_shape: Shape) -> Shape:
        if input_shape[-1] == 1:
            raise shape_error(
                self, input_shape,
                "over a single column it is 1 whatever comes in: pass Sigmoid(), or leave it out",
            )  # fmt: skip
        return tuple(input_shape)

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        self._refuse_sparse(inputs)
        xp = namespace(inputs)
        exponentials = xp.exp(inputs - inputs.max(axis=-1, keepdims=True))
        return exponentials / exponentials.sum(axis=-1, keepdims=True)

    def invert(self, params: Params, targets: Array, inputs: Any, context: Context) -> Array:
        xp = namespace(targets)
        width = targets.shape[-1]
        share = xp.maximum(targets, 0) * (1 - width * EPSILON) + EPSILON
        peak = inputs.max(axis=-1, keepdims=True)
        log_sum = peak + xp.log(xp.exp(inputs - peak).sum(axis=-1, keepdims=True))
        return xp.log(share) + log_sum
