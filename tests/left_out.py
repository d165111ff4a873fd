"""Predictions of rows that are left out, by refits: references for closed forms."""

import numpy as np
from sklearn.linear_model import Ridge


def left_out_ridge(X, Y, alpha, weights=None, fit_intercept=True):
    """For each row, the prediction of a ridge regression that lacks one copy of it.

    A row that weighs less than a copy is left out whole.
    """
    counts, predicted = np.ones(len(X)) if weights is None else weights, []
    for i in range(len(X)):
        fewer = counts - np.minimum(counts, 1) * (np.arange(len(X)) == i)
        model = Ridge(alpha, fit_intercept=fit_intercept).fit(X, Y, sample_weight=fewer)
        predicted.append(model.predict(X[i : i + 1])[0])
    return np.array(predicted)


FLOORS = [0.003, 0.01, 0.03, 0.1, 0.2]
POWERS = [0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0]


def calibrated(scores, floor, power):
    """Shares that are powers of scores which end at a floor."""
    shares = np.maximum(scores, floor / scores.shape[1]) ** power
    return shares / shares.sum(axis=1, keepdims=True)


def best_calibration(scores, codes, weights=None):
    """Floor and power of least log-loss."""
    sample_weight = np.ones(len(codes)) if weights is None else weights

    def loss(pair):
        return -sample_weight @ np.log(calibrated(scores, *pair)[np.arange(len(codes)), codes])

    return min(((floor, power) for floor in FLOORS for power in POWERS), key=loss)
