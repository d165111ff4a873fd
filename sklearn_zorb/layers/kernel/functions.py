"""Kernel functions of distances, and the derivatives of what is made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import blas
from scipy.spatial.distance import cdist, pdist

from ...linalg.threads import for_each
from ...memory import CACHE_BYTES, Memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KINDS = ("laplace", "laplace_l1", "gaussian")
# columns beyond which products are cheaper than sums of squared differences; they lose digits
# where a square is a small share of those it is the difference of, and such are summed after all
WIDE, SMALL_SHARE = 12, {"float64": 1e-6, "float32": 1e-4}
# pairs of landmarks that exchange a value, and kernel values that this takes for all features
PAIRS, LEAST_PAIRS, PAIR_VALUES = 1000, 50, 5e7


def distances(kind: str, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Manhattan distances for "laplace_l1", Euclidean ones for the other kinds."""
    common = _common_row(kind, right)
    return _distances(kind, left - common, right - common)


def _common_row(kind: str, rows: np.ndarray) -> np.ndarray | float:
    """What rows are taken less before products: far from zero, those would cost digits."""
    by_products = kind != "laplace_l1" and rows.shape[1] > WIDE
    return rows[:64].mean(axis=0) if by_products else 0.0


def _distances(kind: str, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    if kind == "laplace_l1":
        return cdist(left, right, "cityblock")
    if left.shape[1] <= WIDE:
        return cdist(left, right)
    size, others = (np.einsum("ij,ij->i", rows, rows)[:, None] for rows in (left, right))
    # both sums of squares are there before the product, which is added in place
    squares = size + others.T
    product = blas.dgemm if squares.dtype == np.float64 else blas.sgemm
    squares = product(-2.0, right.T, left.T, 1.0, squares.T, trans_a=1, overwrite_c=1).T
    bound = SMALL_SHARE[squares.dtype.name] * (size[:, 0] + others.max())
    some = np.flatnonzero(squares.min(axis=1) < bound)
    i, j = np.nonzero(squares[some] < bound[some, None])
    if len(i) > len(left) + len(right):
        return cdist(left, right)
    squares[some[i], j] = ((left[some[i]] - right[j]) ** 2).sum(axis=1)
    return np.sqrt(squares, out=squares)


def pair_distances(kind: str, rows: np.ndarray) -> np.ndarray:
    """The same between all pairs of rows, each pair once."""
    if kind == "laplace_l1" or rows.shape[1] <= WIDE:
        return pdist(rows, "cityblock" if kind == "laplace_l1" else "euclidean")
    return distances(kind, rows, rows)[np.triu_indices(len(rows), 1)]


def kernel_values(kind: str, distance: np.ndarray) -> np.ndarray:
    """exp(-d), or exp(-d² / 2) for "gaussian"; `distance` is overwritten."""
    if kind == "gaussian":
        np.multiply(distance, distance, out=distance)
        distance *= 0.5
    return np.exp(np.negative(distance, out=distance), out=distance)


def kernel_matrix(
    kind: str, left: np.ndarray, right: np.ndarray, scale: np.ndarray | float = 1.0
) -> np.ndarray:
    """Compute the kernel of all pairs of rows of two arrays, both multiplied by `scale`.

    Many pairs are shared out to threads.
    """
    right = right * scale
    common = _common_row(kind, right)
    right -= common

    def values(part: slice) -> np.ndarray:
        return kernel_values(kind, _distances(kind, left[part] * scale - common, right))

    parts = list(Memory().chunks(len(left), 8 * len(right), CACHE_BYTES))
    if len(parts) <= 1:
        return values(slice(None))
    kernel = np.empty((len(left), len(right)), right.dtype)

    def fill(part: slice) -> None:
        kernel[part] = values(part)

    for_each(fill, parts)
    return kernel


def gradient_products(
    kind: str, points: np.ndarray, halves: Sequence[tuple[np.ndarray, ...]], weight: np.ndarray
) -> np.ndarray:
    """Mean products of the partial derivatives of two functions fitted to different rows.

    What noise adds to one is independent of what it adds to the other, so that a product is
    on average the square of the derivative that both share: the diagonal of the AGOP.

    Parameters
    ----------
    kind : str
    points : ndarray of shape (n_points, n_features)
        Where derivatives are taken.
    halves : two tuples (landmarks, dual) or (landmarks, dual, distance)
        Arrays of shape (n_landmarks, n_features) and (n_landmarks, n_targets) each, and
        distances of shape (n_points, n_landmarks) where they are known.
    weight : ndarray of shape (n_points,)

    Returns
    -------
    products : ndarray of shape (n_features,)
    """
    slopes = _by_feature if kind == "laplace_l1" else _by_target
    pairs = zip(*(slopes(kind, points, *half) for half in halves), strict=True)
    products = [weight @ (one * other) for one, other in pairs]
    if kind == "laplace_l1":
        return np.array([product.sum() for product in products]) / weight.sum()
    return sum(products) / weight.sum()


def _by_target(
    kind: str,
    points: np.ndarray,
    landmarks: np.ndarray,
    dual: np.ndarray,
    distance: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """Derivatives (n_points, n_features) of each target in turn.

    That in feature j is -sum_i c_i g(x, x_i) (x_j - x_ij), g the kernel over the distance.
    """
    distance = distances(kind, points, landmarks) if distance is None else distance
    gain = kernel_values(kind, distance.copy())
    if kind == "laplace":
        gain = np.divide(gain, distance, out=np.zeros_like(gain), where=distance > 1e-12)
    for coefficients in dual.T[:, :, None]:
        yield gain @ (coefficients * landmarks) - (gain @ coefficients) * points


def _by_feature(
    kind: str,
    points: np.ndarray,
    landmarks: np.ndarray,
    dual: np.ndarray,
    distance: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """Derivatives (n_points, n_targets) in each feature in turn, of Manhattan distances.

    The derivative of such a distance is the sign of a difference.
    """
    distance = distances(kind, points, landmarks) if distance is None else distance
    kernel = kernel_values(kind, distance.copy())
    for j in range(points.shape[1]):
        signs = np.sign(points[:, j, None] - landmarks[None, :, j])
        signs *= kernel
        yield signs @ -dual


def exchange_effects(kind: str, landmarks: np.ndarray, dual: np.ndarray) -> np.ndarray:
    r"""How much a function changes where one feature takes the value of another landmark.

    With x and x' landmarks drawn at random, of :math:`f(x) = k(x)\, c` it is the total effect
    :math:`\frac12 E_{x, x'} |f(x_1, \dots, x'_j, \dots, x_d) - f(x)|^2` of each feature j [1]_.
    Only one term of a distance changes, so that all features cost as much as a few predictions.

    Parameters
    ----------
    kind : str
    landmarks : ndarray of shape (n_landmarks, n_features)
        Scaled.
    dual : ndarray of shape (n_landmarks, n_targets)

    Returns
    -------
    effects : ndarray of shape (n_features,)

    References
    ----------
    .. [1] M. J. W. Jansen, "Analysis of variance designs for model output", Computer Physics
       Communications 117 (1999).
    """
    power = 1 if kind == "laplace_l1" else 2
    count = int(np.clip(PAIR_VALUES / landmarks.size, LEAST_PAIRS, PAIRS))
    pairs = np.random.default_rng(0).integers(len(landmarks), size=(2, count))
    points, others = landmarks[pairs]
    # powers of distances are sums over features
    distance = distances(kind, points, landmarks) ** power

    def function(powers: np.ndarray) -> np.ndarray:
        return kernel_values(kind, np.maximum(powers, 0.0) ** (1 / power)) @ dual

    before, effects = function(distance), np.empty(landmarks.shape[1])
    for j, column in enumerate(landmarks.T):
        change = np.abs(others[:, j, None] - column) ** power
        change -= np.abs(points[:, j, None] - column) ** power
        effects[j] = ((function(distance + change) - before) ** 2).sum() / (2 * count)
    return effects
