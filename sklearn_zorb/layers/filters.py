r"""Initial weights that are learned from training rows without their targets.

Rows, windows of images for a `Conv2D`, are whitened: with their mean m, and eigenvectors U and
eigenvalues :math:`\lambda` of their covariance,

.. math:: P = U (\Lambda + w\bar\lambda I)^{-1/2} U^\top, \quad q = P (x - m).

A unit whose filter in that space is f, of length one, has the weights :math:`P f` and the bias
:math:`-m^\top P f`, so that its output is :math:`f^\top q`.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.cluster import MiniBatchKMeans

if TYPE_CHECKING:
    from collections.abc import Callable

# w, the share of the mean eigenvalue that is added to each: small ones are noise
WHITENING = 0.1


def _initializer(find: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """The initialiser of the filters that ``find(rng, units, white, vectors)`` returns.

    It is given whitened rows and the eigenvectors of their covariance, the leading ones last.
    """

    @wraps(find)
    def initial(
        rng: np.random.Generator,
        shape: tuple[int, int],
        rows: Any,
        y: object = None,
        sample_weight: np.ndarray | None = None,
        whitening: float = WHITENING,
    ) -> np.ndarray:
        rows = _distinct(rows, sample_weight)
        mean, (values, vectors) = rows.mean(axis=0), _principal(rows)
        floor = whitening * max(values.mean(), np.finfo(np.float64).tiny)
        matrix = (vectors / np.sqrt(np.maximum(values, 0) + floor)) @ vectors.T
        filters = _unit(find(rng, shape[1], (rows - mean) @ matrix, vectors))
        weights = matrix @ filters.T
        return np.vstack([weights, -mean @ weights])

    initial.needs_rows = initial.unsupervised = True  # type: ignore[attr-defined]
    return initial


@_initializer
def patches(
    rng: np.random.Generator, units: int, white: np.ndarray, vectors: np.ndarray
) -> np.ndarray:
    """Filters that are whitened training rows, drawn at random (Coates & Ng, 2011)."""
    return white[rng.choice(len(white), size=units, replace=len(white) < units)]


@_initializer
def kmeans(
    rng: np.random.Generator, units: int, white: np.ndarray, vectors: np.ndarray
) -> np.ndarray:
    """Filters that are centres of clusters of whitened training rows (Coates & Ng, 2012)."""
    if len(white) <= units:
        return white[np.arange(units) % len(white)]
    seed = int(rng.integers(2**31 - 1))
    clusters = MiniBatchKMeans(units, n_init=1, batch_size=4096, max_iter=20, random_state=seed)
    return clusters.fit(_unit(white)).cluster_centers_


@_initializer
def pca(rng: np.random.Generator, units: int, white: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Filters that are the leading eigenvectors of the covariance of training rows."""
    width = len(vectors)
    if units > width:
        raise ValueError(
            f"initializer='pca' has no more than {width} filters for rows of {width} numbers, and "
            f"the layer has {units}; make it smaller, or pass 'patches' or 'kmeans'."
        )
    return vectors[:, ::-1][:, :units].T


def _distinct(rows: Any, sample_weight: np.ndarray | None) -> np.ndarray:
    """Distinct rows of positive weight, in an order of their own."""
    rows = rows.toarray() if hasattr(rows, "toarray") else np.asarray(rows, dtype=np.float64)
    if sample_weight is not None:
        rows = rows[np.asarray(sample_weight) > 0]
    return np.unique(rows, axis=0)


def _principal(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues, ascending, and eigenvectors of the covariance of rows."""
    centred = rows - rows.mean(axis=0)
    return np.linalg.eigh(centred.T @ centred / len(rows))


def _unit(rows: np.ndarray) -> np.ndarray:
    """Rows of length one; those of zeros stay."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(length > 0, length, 1.0)
