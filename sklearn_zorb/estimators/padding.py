"""Numbers of rows rounded up, so that compiled programs serve folds of nearly equal size."""

import numpy as np

from ..targets import Targets


def bucket(n_rows):
    """`n_rows` rounded up to three significant bits more than its leading one.

    At most an eighth of the rows is added, and cross-validation folds of 99, 100 and 101
    rows share one size.

    Examples
    --------
    >>> from sklearn_zorb.estimators.padding import bucket
    >>> bucket(99), bucket(100), bucket(101)
    (104, 104, 104)
    """
    step = step_of(n_rows)
    return -(-n_rows // step) * step


def step_of(n_rows):
    """What numbers near `n_rows` are rounded up to multiples of."""
    return 2 ** max(0, int(n_rows).bit_length() - 4)


def repeat_first(n_rows):
    """Indices of all rows, followed by as many copies of the first as fill the bucket."""
    return np.concatenate([np.arange(n_rows), np.zeros(bucket(n_rows) - n_rows, dtype=int)])


def padded(context):
    """The context with copies of the first row, which weigh nothing, at the end."""
    n_rows = len(context.y_targets)
    index = repeat_first(n_rows)
    weights = np.ones(n_rows) if context.sample_weight is None else context.sample_weight
    targets = context.y_targets
    if targets.codes is None:
        targets = Targets(targets.values[index])
    else:
        targets = Targets(targets.values, targets.codes[index])
    weights = np.concatenate([weights, np.zeros(len(index) - n_rows)])
    return context.replace(y=context.y[index], y_targets=targets, sample_weight=weights)
