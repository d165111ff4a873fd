"""What ``layers="auto"`` builds, and why."""

from numbers import Integral

import numpy as np

from .layers import (
    Dense,
    Identity,
    Kernel,
    NormalScores,
    Parallel,
    PiecewiseLinear,
    ReLU,
    Stack,
    Standardize,
    Trees,
)
from .memory import Memory
from .rows import count_distinct

# from here on a forest is no loss and mostly a gain, as measured by benchmarks/few_rows.py;
# fewer rows were not tried
FEW_ROWS = 10
# from here on, boosting finds what a forest and a thousand landmarks miss, and a second, smooth
# kernel costs next to nothing
MANY_ROWS = 2000
SMOOTH_LANDMARKS = 500
# columns beyond which boosting takes minutes, and more landmarks bring as much
BOOSTED_COLUMNS = 500
# and classes or outputs, each of which takes trees of its own
BOOSTED_OUTPUTS = 10
# more folds leave each model more rows to learn from, and one more to take the mean of
BOOSTED_FOLDS = 10
# an exact kernel up to here, the cost of which grows with the cube of the rows
EXACT_ROWS = 3000
# beyond, half of the rows are landmarks, or the most of these, as long as their products take no
# more flops; the least of these in any case
LANDMARKS = (1500, 2000)
LANDMARK_FLOPS = 8e10
# up to here each column is bent at its quantiles, into nine
BENT_COLUMNS = 100
# sparse inputs with more columns than this are not made dense for a kernel
SPARSE_COLUMNS = 1000


def auto_layers(X, y=None, *, n_outputs=1):
    """The layer list that ``layers="auto"`` of the closed-form estimators stands for.

    A `Stack` of blocks that err in different ways:

    - a ridge of the columns, and of ramps between their quantiles up to 100 columns, all
      clipped smoothly at three standard deviations;
    - a ridge of `Kernel` features, exact up to 3000 distinct rows, of the kernel that left-out
      rows choose; of more, 2000 are landmarks, half of them from 4000 rows on, falling to 1500
      beyond 6800 rows as the square root of their number rises; columns with long tails are
      replaced by their `NormalScores` before it;
    - from 10 distinct rows on, a forest of 100 trees;
    - from 2000 distinct rows on, a ridge of 500 Gaussian features, and, up to 500 columns and
      10 classes or outputs, gradient boosting.

    Sparse inputs do without ramps, keep their tails, and of more than 1000 columns do without
    the kernel too, which would make them dense.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_samples, n_features), or tuple of two int
        Data, or the number of distinct rows and of columns.
    y : ignored
        Present so that a call reads as `fit` does.
    n_outputs : int, default=1
        Number of classes, of labels or of columns of y.

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
    Stack(Parallel(Identity
    PiecewiseLinear) Standardize[clip=3.0]
    NormalScores Standardize[clip=3.0] Standardize Kernel[150]
    Trees)
    """
    if isinstance(X, tuple):
        if not (len(X) == 2 and all(isinstance(n, Integral) and n > 0 for n in X)):
            raise ValueError(
                f"X={X!r}; pass data, or the numbers of rows and of columns, both at least 1."
            )
        (n_rows, n_features), sparse = X, False
    else:
        sparse = hasattr(X, "tocsr")
        X = X.tocsr() if sparse else np.asarray(X)
        if X.ndim != 2:
            raise ValueError(
                f"X has shape {X.shape}; pass rows and columns, of shape (n_samples, n_features), "
                "or the numbers of both as a tuple."
            )
        n_rows, n_features = count_distinct(X, Memory()), X.shape[1]
    blocks = [[*_bent(n_features, sparse), Standardize(clip=3.0)]]
    if not sparse or n_features <= SPARSE_COLUMNS:
        kernels = [Kernel(_landmarks(n_rows))]
        if n_rows >= MANY_ROWS:
            kernels.append(Kernel(SMOOTH_LANDMARKS, kind="gaussian"))
        blocks += [[*_scaled(sparse), kernel] for kernel in kernels]
    if n_rows >= FEW_ROWS:
        blocks.append([Trees()])
    boosted = n_features <= BOOSTED_COLUMNS and n_outputs <= BOOSTED_OUTPUTS
    if n_rows >= MANY_ROWS and boosted and not sparse:
        blocks.append([Trees(kind="boosting", cv=BOOSTED_FOLDS)])
    return [Stack(blocks)]


def is_auto(layers):
    """Whether `layers` is the name "auto", in any case as other names are."""
    return isinstance(layers, str) and layers.strip().lower() == "auto"


def _bent(n_features, sparse):
    """What the linear block sees: columns, and broken lines of them where they are few."""
    if sparse or n_features > BENT_COLUMNS:
        return []
    return [Parallel([[Identity()], [PiecewiseLinear()]])]


def _scaled(sparse):
    """What comes before a kernel: columns of like spread, without long tails."""
    # scaled again, as the clip leaves columns with long tails narrow
    scaled = [Standardize(clip=3.0), Standardize()]
    return scaled if sparse else [NormalScores(), *scaled]


def _landmarks(n_rows):
    if n_rows <= EXACT_ROWS:
        return n_rows
    least, most = LANDMARKS
    return max(least, min(max(most, n_rows // 2), int(np.sqrt(LANDMARK_FLOPS / n_rows))))


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
