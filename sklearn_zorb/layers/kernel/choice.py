"""The choice of a kernel: its kind, its bandwidth and the scale of each feature."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from ...linalg import LeastSquares, System
from .features import whitening
from .functions import (
    distances,
    gradient_products,
    kernel_matrix,
    kernel_values,
    pair_distances,
)
from .ridge import fit_ridge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ...rows.duplicates import Groups
    from ...typing import Float, Int

# rows on which kernels are compared, at most; cost grows with the cube
SEARCH_ROWS = 400
# rows on which they are compared again with fewer landmarks, and those, at most: eigenvalues of
# as many columns answer for all penalties at once
MODEL_ROWS = 1600
MODEL_LANDMARKS = 600
# fewer rows than this that are no landmarks are too few to compare them by
JUDGES = 200
# rows that say what a usual distance and bandwidth are
MEDIAN_ROWS = 300
# bandwidths tried, in median distances
BANDWIDTHS = (1.0, 4.0)
# of rows, to see what leave-one-out does not know of feature scales
FOLDS = 4
# where the search for a penalty begins, among `DECADES`
START = 3
# relative difference of errors that is no difference
TIE = 1e-6
# least share of the mean squared derivative that a feature keeps
FLOOR = 1e-3
# differences above which Manhattan distances cost more than they gain
MANHATTAN_BUDGET = 4e8
# and columns, of which derivatives are taken one by one
MANHATTAN_COLUMNS = 1000


@dataclass
class Choice:
    """A kernel, its leave-one-out error, and how it was found.

    ``factor`` is the bandwidth in median distances, ``decade`` the index of the penalty.
    """

    kind: str
    scales: np.ndarray
    bandwidth: float
    error: float
    rounds: int
    factor: float
    decade: int


def median_distance(kind: str, rows: np.ndarray) -> float:
    """Median distance between pairs of rows, or 1 where they are all the same."""
    return _median(pair_distances(kind, rows))


def _median(pairs: np.ndarray) -> float:
    # what has no reciprocal is no distance
    pairs[pairs < np.finfo(np.float64).tiny] = 0.0
    middle = float(np.median(pairs)) if len(pairs) else 0.0
    # half of the pairs may be equal where columns are few and discrete
    return middle or (float(pairs.mean()) if len(pairs) else 0.0) or 1.0


def choose_kernels(
    kinds: Sequence[str],
    bandwidth: Float | Literal["loo"],
    reweight: Int,
    rows: np.ndarray,
    groups: Groups,
    rng: np.random.Generator,
) -> list[Choice]:
    """For each kind the bandwidth and feature scales of least leave-one-out error.

    Parameters
    ----------
    kinds : sequence of str
    bandwidth : "loo" or float
        In median distances.
    reweight : int
        Rounds of feature scaling.
    rows : ndarray of shape (n_groups, n_features)
        Distinct rows.
    groups : Groups
    rng : numpy.random.Generator

    Returns
    -------
    list of Choice
        Of unknown error, NaN, where all is given.
    """
    order = rng.permutation(len(rows))
    if len(kinds) == 1 and bandwidth != "loo" and not reweight:
        # nothing to compare
        scales = np.ones(rows.shape[1])
        width = _scaled(kinds[0], rows, scales, float(bandwidth), order[:MEDIAN_ROWS])[-1]
        return [Choice(kinds[0], scales, width, np.nan, 0, float(bandwidth), START)]
    return [best_of(_rounds(kind, bandwidth, reweight, rows, groups, order)) for kind in kinds]


def best_of(choices: Iterable[Choice]) -> Choice:
    """The choice of least error, the first of those that only rounding parts."""
    choices = list(choices)
    least = min(choice.error for choice in choices)
    if len(choices) == 1:
        return choices[0]
    return next(choice for choice in choices if choice.error <= least * (1 + TIE))


def judged_on(
    choices: Iterable[Choice], rows: np.ndarray, groups: Groups, n_landmarks: int
) -> list[Choice]:
    """The same kernels with the leave-one-out errors of a ridge of their Nyström features.

    Landmarks are the first `n_landmarks` of `rows`. The others judge, as long as there are
    some: a landmark left out takes a feature with it that no other row fills, which a new row
    does not.
    """
    new = slice(n_landmarks if len(rows) - n_landmarks >= JUDGES else 0, None)
    judged = []
    for choice in choices:
        scaled = rows * (choice.scales / choice.bandwidth)
        features = kernel_matrix(choice.kind, scaled, scaled[:n_landmarks])
        features @= whitening(features[:n_landmarks])
        system, judges = (
            System.from_arrays(features[part], groups.mean[part], groups.weight[part])
            for part in (slice(None), new)
        )
        error = LeastSquares().solve(system, judges=judges).loo_error
        judged.append(replace(choice, error=error))
    return judged


def _rounds(
    kind: str,
    bandwidth: Float | Literal["loo"],
    reweight: Int,
    rows: np.ndarray,
    groups: Groups,
    order: np.ndarray,
) -> Iterator[Choice]:
    """One kernel for each round of feature scaling."""
    sample = order[:MEDIAN_ROWS]
    factor, decade = _bandwidth(kind, bandwidth, rows[sample], groups.take(sample))
    scales = np.ones(rows.shape[1])
    for count in range(reweight + 1):
        scaled, distance, width = _scaled(kind, rows, scales, factor, sample)
        fit = fit_ridge(kernel_values(kind, distance.copy()), groups, decade)
        decade = fit.decade
        yield Choice(kind, scales, width, fit.error, count, factor, decade)
        if count < reweight:
            scales = next_scales(kind, scales, scaled, groups, order, decade, distance)


def _scaled(
    kind: str, rows: np.ndarray, scales: np.ndarray, factor: float, sample: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Rows in units of the kernel, the distances between them, and the bandwidth."""
    scaled = rows * scales
    distance = distances(kind, scaled, scaled)
    width = factor * _median(_pairs(distance[np.ix_(sample, sample)]))
    distance /= width
    return scaled / width, distance, width


def _pairs(distance: np.ndarray) -> np.ndarray:
    """Each pair once."""
    return distance[np.triu_indices(len(distance), 1)]


def next_scales(
    kind: str,
    scales: np.ndarray,
    scaled: np.ndarray,
    groups: Groups,
    order: np.ndarray,
    decade: int,
    distance: np.ndarray | None = None,
) -> np.ndarray:
    """Scales after one more round, from functions fitted to two halves of the rows.

    `distance` is that between all scaled rows, where it is known.
    """
    if len(order) < 2:
        return scales
    distance, halves = distances(kind, scaled, scaled) if distance is None else distance, []
    for part in (np.sort(order[::2]), np.sort(order[1::2])):
        kernel = kernel_values(kind, distance[np.ix_(part, part)])
        dual = fit_ridge(kernel, groups.take(part), decade).dual
        halves.append((scaled[part], dual, distance[:, part]))
    products = gradient_products(kind, scaled, halves, groups.weight)
    return rescale(scales, products)


def optimism(choice: Choice, rows: np.ndarray, groups: Groups, rng: np.random.Generator) -> float:
    """How much larger the squared error is at rows that the feature scales did not see.

    Leave-one-out knows nothing of scales that were learned from the row left out. For each of
    a few folds they are learned from the other rows, and the errors of the fold counted.
    """
    if choice.rounds == 0 or not 0 < choice.error < np.inf:
        return 1.0
    folds, losses = rng.permutation(len(rows)) % FOLDS, 0.0
    for fold in range(FOLDS):
        rest, held_out = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        if len(rest) < 2:
            return 1.0
        order, scales = rng.permutation(len(rest)), np.ones(rows.shape[1])
        for _ in range(choice.rounds):
            scaled, distance, _ = _scaled(
                choice.kind, rows[rest], scales, choice.factor, order[:MEDIAN_ROWS]
            )
            scales = next_scales(
                choice.kind, scales, scaled, groups.take(rest), order, choice.decade, distance
            )
        _, distance, _ = _scaled(choice.kind, rows, scales, choice.factor, rest[:MEDIAN_ROWS])
        kernel = kernel_values(choice.kind, distance)
        losses += fit_ridge(kernel, groups, choice.decade, walk=False).losses[held_out].sum()
    error = losses / groups.weight.sum() / groups.mean.shape[1]
    return max(1.0, float(error / choice.error))


def _bandwidth(
    kind: str, bandwidth: Float | Literal["loo"], rows: np.ndarray, groups: Groups
) -> tuple[float, int]:
    """Bandwidth in median distances, which it keeps in all rounds, and a first penalty."""
    if bandwidth != "loo":
        return float(bandwidth), START
    distance = distances(kind, rows, rows)
    distance /= _median(_pairs(distance))
    fits = {
        factor: fit_ridge(kernel_values(kind, distance / factor), groups, START)
        for factor in BANDWIDTHS
    }
    factor = min(fits, key=lambda factor: fits[factor].error)
    return factor, fits[factor].decade


def rescale(scales: np.ndarray, products: np.ndarray) -> np.ndarray:
    """Scales from mean products of derivatives with respect to the scaled features.

    The fourth root makes a scale the square root of a root mean squared derivative. Noise
    makes a product negative as often as positive, so that the sum over all features, relative
    to that of their sizes, says how far the two halves agree; as far as they do not, scales
    stay equal. Without that a kernel would find some features that explain what is noise.
    """
    products = products * scales**2
    found = np.maximum(products, 0.0)
    if not found.any():
        return scales
    agreement = max(products.sum() / np.abs(products).sum(), 0.0)
    return (agreement * found / found.mean() + (1 - agreement) + FLOOR) ** 0.25
