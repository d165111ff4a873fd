"""What ``layers="auto"`` builds, and why."""

import numpy as np

from .layers import Dense, Kernel, ReLU, Stack, Standardize, Trees
from .layers.distinct import count_distinct
from .memory import Memory

# from here on a forest is no loss and mostly a gain, as measured by benchmarks/few_rows.py;
# fewer rows were not tried
FEW_ROWS = 10
# from here on, boosting finds what a forest and a thousand landmarks miss
MANY_ROWS = 2000
# an exact kernel up to here, the cost of which grows with the cube of the rows
LANDMARKS = 1500
# sparse inputs with more columns than this are not made dense for a kernel
SPARSE_COLUMNS = 1000


def auto_layers(X, y=None):
    """The layer list that ``layers="auto"`` of the closed-form estimators stands for.

    A `Stack` of blocks that err in different ways:

    - a ridge of the columns, each clipped smoothly at three standard deviations;
    - a ridge of `Kernel` features, exact up to 1500 distinct rows, of the kernel that left-out
      rows choose;
    - from 10 distinct rows on, a forest of 100 trees;
    - from 2000 distinct rows on, gradient boosting.

    Sparse inputs of more than 1000 columns do without the kernel, which would make them
    dense.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_samples, n_features), or tuple of two int
        Data, or the number of distinct rows and of columns.
    y : ignored
        Present so that a call reads as `fit` does.

    Returns
    -------
    layers : list of Layer

    See Also
    --------
    format_layers : Writes them as text.

    Notes
    -----
    Blocks side by side beat any one of them on most tables: the kernel on smooth and on
    few data, trees on steps, scales and many irrelevant columns, the ridge where there is
    little to learn. The stack weighs them on predictions of left-out rows, so that a block
    that does not help costs little.

    Examples
    --------
    >>> from sklearn_zorb import auto_layers, format_layers
    >>> for block in format_layers(auto_layers((150, 4))).split(" | "):
    ...     print(block)
    Stack(Standardize[clip=3.0]
    Standardize[clip=3.0] Standardize Kernel[150]
    Trees)
    """
    if isinstance(X, tuple):
        (n_rows, n_features), sparse = X, False
    else:
        sparse = hasattr(X, "tocsr")
        X = X.tocsr() if sparse else np.asarray(X)
        n_rows, n_features = count_distinct(X, Memory()), X.shape[1]
    blocks = [[Standardize(clip=3.0)]]
    if not sparse or n_features <= SPARSE_COLUMNS:
        # scaled again, as the clip leaves columns with long tails narrow
        kernel = Kernel(min(n_rows, LANDMARKS))
        blocks.append([Standardize(clip=3.0), Standardize(), kernel])
    if n_rows >= FEW_ROWS:
        blocks.append([Trees()])
    if n_rows >= MANY_ROWS and not sparse:
        blocks.append([Trees(kind="boosting")])
    return [Stack(blocks)]


def dense_layers(n_samples, n_features):
    """One hidden block of ReLU units, for rules that need derivatives.

    Width costs time in proportion to its square and pays as long as rows are many: about
    eight units for each square root of a row and two for each column, between 64 and 2000.

    Parameters
    ----------
    n_samples, n_features : int

    Returns
    -------
    layers : list of Layer

    Examples
    --------
    >>> from sklearn_zorb.auto import dense_layers
    >>> dense_layers(150, 4)
    [Dense(units=96), ReLU()]
    """
    width = 8 * np.sqrt(n_samples) + 2 * n_features
    units = int(np.clip(width, 64, 2000)) // 16 * 16
    return [Dense(units), ReLU()]
