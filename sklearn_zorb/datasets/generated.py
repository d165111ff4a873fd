"""Data sets drawn from a formula: exclusive or, two spirals and sinc.

The default arguments are the settings on which ZORB was published.
"""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np
from sklearn.utils import check_random_state, check_scalar

if TYPE_CHECKING:
    from ..typing import Float, Int, RandomState


def make_xor(
    n_samples: Int = 1000, *, bound: Int = 100, scale: bool = True, random_state: RandomState = None
) -> tuple[np.ndarray, np.ndarray]:
    """Draw points of the plane whose class is the exclusive or of their signs.

    Parameters
    ----------
    n_samples : int, default=1000
        The number of points.

    bound : int, default=100
        Both coordinates are integers drawn uniformly from ``[-bound, bound]``.

    scale : bool, default=True
        Whether to map ``[-bound, bound]`` to ``[0, 1]``. The range is fixed, so two draws
        are scaled alike.

    random_state : int, RandomState instance or None, default=None
        Seeds the draw.

    Returns
    -------
    X : ndarray of shape (n_samples, 2)
        The points.

    y : ndarray of shape (n_samples,)
        1 where the two coordinates have opposite signs, else 0; a coordinate of zero has
        no sign, hence 0.

    Examples
    --------
    >>> from sklearn_zorb.datasets import make_xor
    >>> X, y = make_xor(4, scale=False, random_state=0)
    >>> X.tolist(), y.tolist()
    ([[72.0, -53.0], [17.0, 92.0], [-33.0, 95.0], [3.0, -91.0]], [1, 0, 1, 1])
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_scalar(bound, "bound", Integral, min_val=1)
    rng = check_random_state(random_state)
    points = rng.randint(-bound, bound + 1, size=(n_samples, 2)).astype(np.float64)
    y = (points[:, 0] * points[:, 1] < 0).astype(np.int64)
    return ((points + bound) / (2 * bound) if scale else points), y


def make_two_spirals(
    n_samples: Int = 400,
    *,
    degrees: Float = 780.0,
    noise: Float = 0.0,
    shuffle: bool = True,
    random_state: RandomState = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw points from two spirals wound into each other, one for each class.

    An angle ``a = sqrt(u) * radians(degrees)`` with ``u`` uniform on ``[0, 1]`` gives the
    point ``(-a * cos(a), a * sin(a))`` of class 0 and its mirror image through the origin,
    of class 1.

    Parameters
    ----------
    n_samples : int, default=400
        The number of points, half of them (rounded up) of class 0.

    degrees : float, default=780.0
        The angle over which each arm winds.

    noise : float, default=0.0
        Standard deviation of the normal noise added to the points.

    shuffle : bool, default=True
        Whether to put the points in random order, else class 0 comes first.

    random_state : int, RandomState instance or None, default=None
        Seeds the draw.

    Returns
    -------
    X : ndarray of shape (n_samples, 2)
        The points.

    y : ndarray of shape (n_samples,)
        The class of each point, 0 or 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.datasets import make_two_spirals
    >>> X, y = make_two_spirals(random_state=0)
    >>> X.shape, np.bincount(y).tolist()
    ((400, 2), [200, 200])
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=2)
    check_scalar(degrees, "degrees", Real, min_val=0, include_boundaries="neither")
    check_scalar(noise, "noise", Real, min_val=0)
    rng = check_random_state(random_state)
    n_first = (n_samples + 1) // 2
    angles = np.sqrt(rng.uniform(size=n_first)) * np.radians(degrees)
    arm = np.column_stack([-angles * np.cos(angles), angles * np.sin(angles)])
    X = np.concatenate([arm, -arm])[:n_samples]
    y = np.repeat([0, 1], [n_first, n_samples - n_first])
    if noise:
        X = X + rng.normal(scale=noise, size=X.shape)
    if shuffle:
        order = rng.permutation(n_samples)
        X, y = X[order], y[order]
    return X, y


def make_sinc(
    n_samples: Int = 2001,
    *,
    low: Float = -10.0,
    high: Float = 10.0,
    noise: Float = 0.0,
    random_state: RandomState = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Sample ``sin(x) / x`` at evenly spaced points.

    The published test points are ``make_sinc(6001, low=-30, high=30)``.

    Parameters
    ----------
    n_samples : int, default=2001
        The number of points, both ends of the range included.

    low, high : float, default=-10.0 and 10.0
        The range of ``x``.

    noise : float, default=0.0
        Standard deviation of the normal noise added to the targets.

    random_state : int, RandomState instance or None, default=None
        Seeds the noise; without noise it has no effect.

    Returns
    -------
    X : ndarray of shape (n_samples, 1)
        The points, ascending.

    y : ndarray of shape (n_samples,)
        The values, 1 at ``x = 0``.

    Examples
    --------
    >>> from sklearn_zorb.datasets import make_sinc
    >>> X, y = make_sinc()
    >>> X[1000], y[1000]
    (array([0.]), np.float64(1.0))
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_scalar(noise, "noise", Real, min_val=0)
    if not low < high:
        raise ValueError(f"low must be less than high, got low={low} and high={high}.")
    x = np.linspace(low, high, n_samples)
    y = np.sinc(x / np.pi)
    if noise:
        y = y + check_random_state(random_state).normal(scale=noise, size=n_samples)
    return x[:, np.newaxis], y
