"""The choice of a kernel: its kind, its bandwidth and the scale of each feature."""

from dataclasses import dataclass, replace

import numpy as np

from ..linalg import LeastSquares, System
from .kernel_ridge import distances, fit_ridge, gradient_squares, kernel_values, whitening

# rows on which kernels are compared, at most; cost grows with the cube
SEARCH_ROWS = 400
# rows on which they are compared again with fewer landmarks, at most
MODEL_ROWS = 2400
# rows at which derivatives are taken, and that say what a usual distance and bandwidth are
GRADIENT_ROWS = 400
MEDIAN_ROWS = 300
# bandwidths tried, in median distances
BANDWIDTHS = (1.0, 4.0)
# where the search for a penalty begins, among `DECADES`
START = 3
# least share of the mean squared gradient that a feature keeps
FLOOR = 1e-3
# differences above which Manhattan distances cost more than they gain
MANHATTAN_BUDGET = 5e9


@dataclass
class Choice:
    """A kernel and its leave-one-out error."""

    kind: str
    scales: np.ndarray
    bandwidth: float
    error: float
    rounds: int


def median_distance(kind, rows):
    """Median distance between pairs of rows, or 1 where they are all the same."""
    pairs = distances(kind, rows, rows)[np.triu_indices(len(rows), 1)]
    middle = float(np.median(pairs)) if len(pairs) else 0.0
    # half of the pairs may be equal where columns are few and discrete
    return middle or (float(pairs.mean()) if len(pairs) else 0.0) or 1.0


def choose_kernels(kinds, bandwidth, reweight, rows, groups, rng):
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
    """
    some = rng.permutation(len(rows))
    sample, points = some[:MEDIAN_ROWS], some[:GRADIENT_ROWS]
    return [
        best_of(_rounds(kind, bandwidth, reweight, rows, groups, sample, points)) for kind in kinds
    ]


def best_of(choices):
    """The choice of least error."""
    return min(choices, key=lambda choice: choice.error)


def judged_on(choices, rows, groups, n_landmarks):
    """The same kernels with the leave-one-out errors of a ridge of their Nyström features.

    Landmarks are the first `n_landmarks` of `rows`.
    """
    judged = []
    for choice in choices:
        scaled = rows * (choice.scales / choice.bandwidth)
        features = kernel_values(choice.kind, distances(choice.kind, scaled, scaled[:n_landmarks]))
        features @= whitening(features[:n_landmarks])
        system = System.from_arrays(features, groups.mean, groups.weight)
        judged.append(replace(choice, error=LeastSquares().solve(system).loo_error))
    return judged


def _rounds(kind, bandwidth, reweight, rows, groups, sample, points):
    """One kernel for each round of feature scaling."""
    factor, decade = _bandwidth(kind, bandwidth, rows[sample], groups.take(sample))
    scales = np.ones(rows.shape[1])
    for count in range(reweight + 1):
        scaled = rows * scales
        width = factor * median_distance(kind, scaled[sample])
        scaled /= width
        fit = fit_ridge(kernel_values(kind, distances(kind, scaled, scaled)), groups, decade)
        decade = fit.decade
        yield Choice(kind, scales, width, fit.error, count)
        if count < reweight:
            squares = gradient_squares(
                kind, scaled[points], scaled, fit.dual, groups.weight[points]
            )
            scales = rescale(scales, squares)


def _bandwidth(kind, bandwidth, rows, groups):
    """Bandwidth in median distances, which it keeps in all rounds, and a first penalty."""
    if bandwidth != "loo":
        return float(bandwidth), START
    distance = distances(kind, rows, rows) / median_distance(kind, rows)
    fits = {
        factor: fit_ridge(kernel_values(kind, distance / factor), groups, START)
        for factor in BANDWIDTHS
    }
    factor = min(fits, key=lambda factor: fits[factor].error)
    return factor, fits[factor].decade


def rescale(scales, squares):
    """Scales from mean squared derivatives with respect to the scaled features.

    The fourth root makes a scale the square root of a root mean squared derivative.
    """
    share = squares * scales**2
    mean = share.mean()
    if not mean > 0:
        return scales
    return (share / mean + FLOOR) ** 0.25
