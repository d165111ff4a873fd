"""A signed power."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING

from .._compat import Interval
from ..linalg import namespace
from .activations import Activation
from .base import Traits

if TYPE_CHECKING:
    from ..typing import Array, Float, Params, Stream
    from .base import Context


class Power(Activation):
    r"""Raise the size of each input to a power and keep its sign, :math:`f(z) = \pm |z|^p`.

    Counts and pooled responses vary more where they are large. Their square roots vary alike, so
    that a few strong features do not decide distances [1]_. The inverse target is
    :math:`\pm |t|^{1/p}`.

    Parameters
    ----------
    exponent : float, default=0.5
        p, above 0.

    References
    ----------
    .. [1] F. Perronnin, J. Sánchez and T. Mensink, "Improving the Fisher Kernel for Large-Scale
       Image Classification", ECCV 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers import Power
    >>> Power().forward({}, np.array([[4.0, -9.0, 0.0]])).tolist()
    [[2.0, -3.0, 0.0]]
    """

    # below one, its slope at zero is infinite
    traits = Traits(reads_inputs=False, differentiable=False)

    _parameter_constraints = {"exponent": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, exponent: Float = 0.5) -> None:
        self.exponent = exponent

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        self._refuse_sparse(inputs)
        return _power(inputs, self.exponent)

    def invert(
        self, params: Params, targets: Array, inputs: Array | None, context: Context
    ) -> Array:
        return _power(targets, 1 / self.exponent)


def _power(values: Array, exponent: Float) -> Array:
    xp = namespace(values)
    return xp.sign(values) * xp.abs(values) ** float(exponent)
