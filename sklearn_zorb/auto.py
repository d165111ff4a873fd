"""What ``layers="auto"`` builds, and why."""

import numpy as np

from .layers import Dense, ReLU


def auto_layers(n_samples, n_features):
    """The layer list that ``layers="auto"`` stands for.

    One hidden block of relaxed ReLU units under a read-out that sees the input as well.
    Width costs time in proportion to its square and pays as long as rows are many: about
    four units for each square root of a row and two for each column, between 64 and 2000.

    Parameters
    ----------
    n_samples, n_features : int

    Returns
    -------
    layers : list of Layer

    Examples
    --------
    >>> from sklearn_zorb import auto_layers
    >>> auto_layers(150, 4)
    [Dense(units=64), ReLU()]
    """
    width = 8 * np.sqrt(n_samples) + 2 * n_features
    units = int(np.clip(width, 64, 2000)) // 16 * 16
    return [Dense(units), ReLU()]
