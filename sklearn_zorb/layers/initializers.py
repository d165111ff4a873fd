"""Initial weights: random ones by name, ones drawn from training rows, or a callable."""

from __future__ import annotations

import math
from math import isqrt
from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import scipy.linalg
from sklearn.base import BaseEstimator

from ..memory import Memory
from ..rows.duplicates import group_rows
from .filters import kmeans, patches, pca

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from ..typing import Int, Shape

    # called with a generator and the shape of the weights, and with rows where it needs some
    Initializer: TypeAlias = Callable[..., ArrayLike]


def initial_weights(
    initializer: Initializer | str,
    rng: np.random.Generator,
    width: int,
    units: int,
    data: Callable[[], tuple[Any, ...]] | None = None,
) -> np.ndarray:
    """An array of shape (width + 1, units), the bias in the last row.

    Parameters
    ----------
    initializer : str or callable
        A key of `INITIALIZERS`, or ``f(rng, shape) -> array of shape (width + 1, units)``.
        One whose attribute ``needs_rows`` is true is called as
        ``f(rng, shape, rows, y, sample_weight)``; where ``unsupervised`` is true as well, it reads
        rows alone, and a `Conv2D` gives it many windows of each image.
    rng : numpy.random.Generator
    width, units : int
    data : callable or None
        Returns (rows, y, sample_weight), for initialisers that need rows.
    """
    shape = (width + 1, units)
    function = _function(initializer)
    if not getattr(function, "needs_rows", False):
        weights = function(rng, shape)
    elif data is None:
        raise ValueError(f"initializer={initializer!r} draws from training rows; none came.")
    else:
        weights = function(rng, shape, *data())
    weights = np.array(weights, dtype=np.float64)
    if weights.shape != shape:
        raise ValueError(
            f"initializer returned an array of shape {weights.shape}; it must return "
            f"(inputs + 1, units) = {shape}, the bias in the last row."
        )
    if not np.isfinite(weights).all():
        raise ValueError("initializer returned NaN or infinity; it must return finite numbers.")
    return weights


def is_unsupervised(initializer: Initializer | str) -> bool:
    """Whether an initialiser learns from rows without their targets."""
    return getattr(_function(initializer), "unsupervised", False)


def _function(initializer: Initializer | str) -> Initializer:
    return INITIALIZERS[initializer] if isinstance(initializer, str) else initializer


def glorot_uniform(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Uniform within sqrt(6 / (inputs + units)), the bias too (Glorot & Bengio, 2010)."""
    limit = np.sqrt(6.0 / (shape[0] - 1 + shape[1]))
    return rng.uniform(-limit, limit, size=shape)


def glorot_normal(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Normal of variance 2 / (inputs + units), the bias too."""
    return rng.normal(scale=np.sqrt(2.0 / (shape[0] - 1 + shape[1])), size=shape)


def he_uniform(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Uniform within sqrt(6 / inputs), the bias too (He et al., 2015)."""
    limit = np.sqrt(6.0 / (shape[0] - 1))
    return rng.uniform(-limit, limit, size=shape)


def he_normal(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Normal of variance 2 / inputs, the bias too."""
    return rng.normal(scale=np.sqrt(2.0 / (shape[0] - 1)), size=shape)


def orthogonal(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Orthonormal columns (rows where units outnumber inputs), zero bias (Saxe et al., 2014)."""
    width, units = shape[0] - 1, shape[1]
    square = rng.normal(size=(max(width, units), min(width, units)))
    basis, triangle = scipy.linalg.qr(square, mode="economic")
    basis = basis * np.sign(np.diag(triangle))
    weights = basis if width >= units else basis.T
    return np.vstack([weights, np.zeros(units)])


def data_pairs(
    rng: np.random.Generator,
    shape: tuple[int, int],
    rows: Any,
    y: ArrayLike,
    sample_weight: np.ndarray | None = None,
    n_candidates: int = 4,
) -> np.ndarray:
    """Each unit crosses the middle between two training rows (SWIM; Bolager et al., 2023).

    For a pair (a, b) the weights are ``2 ln(3) (b - a) / |b - a|^2`` and the bias puts zero
    at the midpoint, so that a tanh goes from -0.8 to 0.8 between them. Pairs are drawn with
    probability proportional to the slope ``|y_b - y_a| / |b - a|``, among distinct rows of
    positive weight: repeating a row changes nothing.
    """
    y = np.asarray(y, dtype=np.float64).reshape(rows.shape[0], -1)
    if sample_weight is not None:
        rows, y = rows[sample_weight > 0], y[sample_weight > 0]
    rows = rows.toarray() if hasattr(rows, "toarray") else np.asarray(rows, dtype=np.float64)
    _, first = np.unique(np.hstack([rows, y]), axis=0, return_index=True)
    rows, y = rows[first], y[first]
    units = shape[1]
    pairs = rng.integers(len(rows), size=(2, n_candidates * units))
    step = rows[pairs[1]] - rows[pairs[0]]
    distance = np.linalg.norm(step, axis=1)
    rise = np.linalg.norm(y[pairs[1]] - y[pairs[0]], axis=1)
    floor = np.finfo(np.float64).eps * max(1.0, distance.max(initial=0.0))
    usable = distance > floor
    if not usable.any():
        return glorot_uniform(rng, shape)
    slope = np.where(usable, rise / np.maximum(distance, floor), 0.0)
    if slope.sum() == 0:
        slope = usable.astype(float)
    chosen = rng.choice(len(slope), size=units, p=slope / slope.sum())
    weights = 2 * np.log(3.0) * step[chosen] / distance[chosen, None] ** 2
    middle = (rows[pairs[0]] + rows[pairs[1]])[chosen] / 2
    return np.vstack([weights.T, -(weights * middle).sum(axis=1)])


data_pairs.needs_rows = True  # type: ignore[attr-defined]


class ReceptiveFields(BaseEstimator):
    """Draw units that each see a window of an image and separate two training rows there.

    A field of random place and size and two rows a, b of different targets are drawn; within
    the field the weights are ``2 ln(3) (b - a) / |b - a|^2`` and the bias puts zero at the
    midpoint, as `data_pairs` does for whole rows; outside, weights are zero. Of four draws
    a unit, those are kept where a and b are at least half as far apart as they are in the
    median: a field in a corner that is always black tells nothing. Copies of rows and their
    order change nothing.

    Parameters
    ----------
    input_shape : tuple of int or None, default=None
        Shape (rows, columns) or (rows, columns, channels) of the images whose numbers the
        layer's inputs are. None is a square image of one channel.
    min_size, max_size : int, default=4, 14
        Least and most rows and columns of a field; where the image has fewer, those.

    References
    ----------
    .. [1] M. D. McDonnell, M. D. Tissera, T. Vladusich, A. van Schaik and J. Tapson, "Fast,
       Simple and Accurate Handwritten Digit Classification by Training Shallow Neural Network
       Classifiers with the 'Extreme Learning Machine' Algorithm", PLOS ONE 10(8), 2015.
    .. [2] E. L. Bolager, I. Burak, C. Datar, Q. Sun and F. Dietrich, "Sampling weights of deep
       neural networks", NeurIPS 2023, arXiv:2306.16830.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_zorb import ZORBClassifier
    >>> from sklearn_zorb.layers import Dense, ReceptiveFields, ReLU
    >>> X, y = load_digits(return_X_y=True)
    >>> fields = ReceptiveFields((8, 8), min_size=3, max_size=6)
    >>> layers = [Dense(500, initializer=fields, relaxation=0), ReLU()]
    >>> print(ZORBClassifier(layers, random_state=0).fit(X, y).loo_score_)
    0.99...
    """

    needs_rows = True

    def __init__(
        self, input_shape: Shape | None = None, *, min_size: Int = 4, max_size: Int = 14
    ) -> None:
        self.input_shape = input_shape
        self.min_size = min_size
        self.max_size = max_size

    def __call__(
        self,
        rng: np.random.Generator,
        shape: tuple[int, int],
        rows: Any,
        y: ArrayLike,
        sample_weight: np.ndarray | None = None,
        n_candidates: int = 4,
    ) -> np.ndarray:
        """Weights of shape (inputs + 1, units), the bias in the last row."""
        image, units = self._image(shape[0] - 1), shape[1]
        rows = rows.tocsr() if hasattr(rows, "tocsr") else np.asarray(rows)
        y = np.asarray(y, dtype=np.float64)
        if sample_weight is not None:
            positive = np.asarray(sample_weight) > 0
            rows, y = rows[positive], y[positive]
        distinct = group_rows(rows, y, None, Memory())
        rows, y = rows[distinct.first], distinct.mean
        first, second = rng.integers(rows.shape[0], size=(2, n_candidates * units))
        fields = self._fields(rng, image, len(first))
        differs = (y[first] != y[second]).any(axis=1)
        distances = np.zeros(len(first))
        for k in np.flatnonzero(differs) if differs.any() else range(len(first)):
            step, _ = self._between(rows, first[k], second[k], image, fields[k])
            distances[k] = np.linalg.norm(step)
        seen = distances > 0
        if not seen.any():
            return glorot_uniform(rng, shape)
        usable = np.flatnonzero(seen & (distances >= np.median(distances[seen]) / 2))
        weights = np.zeros((*image, units))
        bias = np.zeros(units)
        for unit, k in enumerate(rng.choice(usable, size=units, replace=len(usable) < units)):
            step, middle = self._between(rows, first[k], second[k], image, fields[k])
            slopes = 2 * np.log(3.0) * step / distances[k] ** 2
            weights[(*fields[k], ..., unit)] = slopes
            bias[unit] = -(slopes * middle).sum()
        return np.vstack([weights.reshape(-1, units), bias])

    def _image(self, width: int) -> Shape:
        """Rows, columns and channels of the images."""
        for name in ("min_size", "max_size"):
            value = getattr(self, name)
            if not isinstance(value, Integral) or value < 1:
                raise ValueError(f"ReceptiveFields: {name}={value!r}; pass an integer >= 1.")
        if self.min_size > self.max_size:
            raise ValueError(
                f"ReceptiveFields: min_size={self.min_size} is above max_size={self.max_size}."
            )
        image = (isqrt(width),) * 2 if self.input_shape is None else tuple(self.input_shape)
        if len(image) not in (2, 3) or math.prod(image) != width:
            raise ValueError(
                f"ReceptiveFields: input_shape={self.input_shape!r} does not fit a layer of "
                f"{width} inputs; pass (rows, columns) or (rows, columns, channels) of images "
                "that have as many numbers."
            )
        return (*image, 1)[:3]

    def _fields(
        self, rng: np.random.Generator, image: Shape, count: int
    ) -> list[tuple[slice, ...]]:
        """Pairs of slices: rows and columns of each field."""
        sides = []
        for length in image[:2]:
            low, high = min(self.min_size, length), min(self.max_size, length)
            sizes = rng.integers(low, high + 1, size=count)
            starts = rng.integers(length - sizes + 1)
            sides.append([slice(a, a + n) for a, n in zip(starts, sizes, strict=True)])
        return list(zip(*sides, strict=True))

    def _between(
        self, rows: Any, first: int, second: int, image: Shape, field: tuple[slice, ...]
    ) -> tuple[np.ndarray, np.ndarray]:
        """The step from one row to the other within the field, and their middle."""
        a, b = (_dense(rows[i]).reshape(image)[field] for i in (first, second))
        return b - a, (a + b) / 2


def _dense(row: Any) -> np.ndarray:
    """One row as an array of double precision."""
    row = row.toarray() if hasattr(row, "toarray") else row
    return np.asarray(row, dtype=np.float64)


INITIALIZERS: dict[str, Initializer] = {
    "glorot": glorot_uniform,
    "glorot_uniform": glorot_uniform,
    "glorot_normal": glorot_normal,
    "he": he_normal,
    "he_uniform": he_uniform,
    "he_normal": he_normal,
    "orthogonal": orthogonal,
    "data_pairs": data_pairs,
    "kmeans": kmeans,
    "patches": patches,
    "pca": pca,
    "receptive_fields": ReceptiveFields(),
}
