"""The choice of a kernel: its kind, its bandwidth and the scale of each feature."""

from dataclasses import dataclass

import numpy as np

from .kernel_ridge import distances, fit_ridge, gradient_squares, kernel_values

# rows on which kernels are compared, at most; cost grows with the cube
SEARCH_ROWS = 400
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
MANHATTAN_BUDGET = 4e8


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


def choose_kernel(kinds, bandwidth, reweight, rows, groups, rng):
    """The kernel of least leave-one-out error among kinds, bandwidths and feature scales.

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
    Choice
    """
    some = rng.permutation(len(rows))
    sample, points = some[:MEDIAN_ROWS], some[:GRADIENT_ROWS]
    tries = [
        choice
        for kind in kinds
        for choice in _rounds(kind, bandwidth, reweight, rows, groups, sample, points)
    ]
    return min(tries, key=lambda choice: choice.error)


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
