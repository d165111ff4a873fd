"""The choice of a kernel: its kind, its bandwidth and the scale of each feature."""

from dataclasses import dataclass

import numpy as np

from .kernel_ridge import distances, fit_ridge, gradient_squares, kernel_values

# rows on which kernels are compared, at most; cost grows with the cube
SEARCH_ROWS = 1000
# rows at which derivatives are taken, and pairs of rows that say what a usual distance is
GRADIENT_ROWS = 400
MEDIAN_ROWS = 300
# bandwidths tried, in median distances
BANDWIDTHS = (1.0, 4.0)
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
    factors = BANDWIDTHS if bandwidth == "loo" else (float(bandwidth),)
    scales, decade = np.ones(rows.shape[1]), 3
    for count in range(reweight + 1):
        scaled = rows * scales
        middle = median_distance(kind, scaled[sample])
        distance = distances(kind, scaled, scaled)
        fits = {}
        for factor in factors:
            kernel = kernel_values(kind, distance / (factor * middle))
            fits[factor] = fit_ridge(kernel, groups, decade)
        factor = min(fits, key=lambda factor: fits[factor].error)
        # the bandwidth is chosen once: in units of the median distance it keeps its meaning
        factors, fit = (factor,), fits[factor]
        decade = fit.decade
        yield Choice(kind, scales, factor * middle, fit.error, count)
        if count < reweight:
            scaled /= factor * middle
            squares = gradient_squares(
                kind, scaled[points], scaled, fit.dual, groups.weight[points]
            )
            scales = rescale(scales, squares)


def rescale(scales, squares):
    """Scales from mean squared derivatives with respect to the scaled features.

    The fourth root makes a scale the square root of a root mean squared derivative.
    """
    share = squares * scales**2
    mean = share.mean()
    if not mean > 0:
        return scales
    return (share / mean + FLOOR) ** 0.25
