"""Centred, weighted sums over rows: all that least squares needs to know of the data."""

import numpy as np
import scipy.sparse as sp

from .backends import get_backend, is_jax, to_numpy

# below this much work float64 products take no time that float32 ones would save
_SINGLE_PRECISION_FLOPS = 1e8
# rows by which means are judged, and deviations beyond which a mean costs too many digits: as
# these rows are among those summed, about five of sixteen at the worst for chunks of 10 000
_JUDGED_ROWS = 64
_FAR = 32.0
# numbers that take less time to be centred than their means to be judged
_FEW = 20_000


class Gram:
    """Sums of weighted, centred rows and targets, accumulated in chunks.

    With weights w, row means x and target means t, both weighted, it holds

    - ``product``: sum_i w_i (X_i - x)(X_i - x)^T, upper triangle, (n_features, n_features);
    - ``cross``: sum_i w_i (X_i - x)(T_i - t)^T, (n_features, n_targets);
    - ``target_squares``: sum_i w_i (T_i - t)^2, (n_targets,).

    Each chunk is centred by its own mean and merged by the pairwise update of Chan, Golub
    and LeVeque (1983), so large offsets cost no digits and partial sums from several
    workers can be merged in any order.

    Parameters
    ----------
    backend : {"numpy", "jax"}, default="numpy"
        Where the products are computed.
    centre : bool, default=True
        False keeps the means at zero, for least squares through the origin.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.linalg import Gram
    >>> X = np.arange(6.0).reshape(3, 2)
    >>> gram = Gram().add(X[:2], X[:2, :1]).merge(Gram().add(X[2:], X[2:, :1]))
    >>> gram.mean.tolist(), gram.full().tolist()
    ([2.0, 3.0], [[8.0, 8.0], [8.0, 8.0]])
    """

    def __init__(self, backend="numpy", centre=True):
        self.backend = backend
        self.centre = centre
        self.weight = 0.0
        self.n_rows = 0
        self.product = None

    def add(self, rows, targets, weights=None, block=None, alone=True):
        """Add a chunk of rows (n, n_features), targets (n, n_targets), weights (n,).

        `block` is memory of the backend that one chunk after another may use. `alone` says
        that no other thread adds to sums of its own meanwhile: BLAS may then use all.
        """
        ops = get_backend(self.backend)
        if is_jax(rows):
            sums = ops.call(_sums, rows, targets, weights, centre=self.centre)
            total = float(sums[0])
            n_rows = _count(weights, len(targets))
            return self._merge_sums(total, *sums[1:], n_rows) if total > 0 else self
        total = float(len(targets) if weights is None else weights.sum())
        if total <= 0:
            return self
        n_rows = _count(weights, len(targets))
        if sp.issparse(rows):
            return self._merge_sums(*_sparse_sums(rows, targets, weights, self.centre), n_rows)
        rows = _precise(rows)
        if self.centre and weights is None and _near_zero(rows):
            return self._add_plain(rows, targets, ops, block, alone)
        mean, target_mean, centred, deviation = _centred(np, rows, targets, weights, self.centre)
        cross = ops.cross(centred, deviation.astype(centred.dtype), alone).astype(np.float64)
        squares = (deviation**2).sum(axis=0)
        self._merge_means(total, mean, target_mean, n_rows)
        self.product = ops.add_gram(self.product, centred, block, alone)
        self.cross = cross if self.cross is None else self.cross + cross
        self.target_squares = self.target_squares + squares
        return self

    def _add_plain(self, rows, targets, ops, block, alone):
        """Add rows as they are: what their mean adds to the product is taken away after.

        Neither the mean nor centred rows take a pass of their own, which on two cores cost a
        third of the time of the product. For rows of which `_near_zero` is true.
        """
        n_rows, rows = len(targets), np.ascontiguousarray(rows)
        target_mean = targets.mean(axis=0)
        deviation = targets - target_mean
        both = ops.cross(rows, np.column_stack([deviation, np.ones(n_rows)]), alone)
        mean, cross = both[:, -1] / n_rows, both[:, :-1]
        self._merge_means(float(n_rows), mean, target_mean, n_rows)
        product = ops.add_gram(self.product, rows, block, alone)
        self.product = ops.add_outer(product, mean, -float(n_rows))
        self.cross = cross if self.cross is None else self.cross + cross
        self.target_squares = self.target_squares + (deviation**2).sum(axis=0)
        return self

    def merge(self, other):
        """Add the sums of another accumulator."""
        if other.product is None:
            return self
        return self._merge_sums(
            other.weight, other.mean, other.target_mean, other.product, other.cross,
            other.target_squares, other.n_rows,
        )  # fmt: skip

    def full(self):
        """The symmetric (n_features, n_features) matrix."""
        return get_backend(self.backend).symmetric(self.product)

    @property
    def n_targets(self):
        """Number of target columns."""
        return self.cross.shape[1]

    @property
    def mean_eigenvalue(self):
        """Mean eigenvalue of `product`."""
        return float(self.product.trace()) / len(self.product)

    def _merge_sums(self, weight, mean, target_mean, product, cross, squares, n_rows):
        self._merge_means(weight, mean, target_mean, n_rows)
        # a copy: `product` may be another accumulator's own and is added to in place here
        if self.product is None:
            own = isinstance(product, np.ndarray)
            self.product = product.astype(np.float64, order="F") if own else product
        else:
            self.product += product
        self.cross = cross if self.cross is None else self.cross + cross
        self.target_squares = self.target_squares + squares
        return self

    def _merge_means(self, weight, mean, target_mean, n_rows):
        """Move the means, and add what moving them does to the sums."""
        mean = mean.astype(np.float64)
        target_mean = target_mean.astype(np.float64)
        self.n_rows += n_rows
        if self.product is None:
            self.weight, self.mean, self.target_mean = weight, mean, target_mean
            self.cross, self.target_squares = None, 0.0
            return
        ops = get_backend(self.backend)
        shift, target_shift = mean - self.mean, target_mean - self.target_mean
        scale = self.weight * weight / (self.weight + weight)
        self.product = ops.add_outer(self.product, shift, scale)
        self.cross = self.cross + scale * ops.xp.outer(shift, target_shift)
        self.target_squares = self.target_squares + scale * target_shift**2
        step = weight / (self.weight + weight)
        self.mean = self.mean + step * shift
        self.target_mean = self.target_mean + step * target_shift
        self.weight += weight


def _count(weights, n_rows):
    """How many rows weigh anything."""
    return n_rows if weights is None else int((weights > 0).sum())


def _precise(rows):
    few = rows.shape[0] * rows.shape[1] ** 2 < _SINGLE_PRECISION_FLOPS
    return rows.astype(np.float64) if few else rows


def _centred(xp, rows, targets, weights, centre):
    """Means of rows and targets, and both less those, times the roots of the weights."""
    share = None if weights is None else (weights / weights.sum()).astype(rows.dtype)
    mean = rows.mean(axis=0, dtype=np.float64) if share is None else share @ rows
    target_mean = targets.mean(axis=0) if share is None else share @ targets
    if not centre:
        mean, target_mean = xp.zeros_like(mean), xp.zeros_like(target_mean)
    centred = rows - mean.astype(rows.dtype)
    deviation = targets - target_mean
    if weights is not None:
        root = xp.sqrt(weights)[:, None]
        centred = centred * root.astype(rows.dtype)
        deviation = deviation * root
    return mean, target_mean, centred, deviation


def _sums(ops, rows, targets, weights, centre):
    """All sums of a chunk, as one program."""
    rows = _precise(rows)
    mean, target_mean, centred, deviation = _centred(ops.xp, rows, targets, weights, centre)
    total = float(len(targets)) if weights is None else weights.sum()
    product = (centred.T @ centred).astype(np.float64)
    cross = (centred.T @ deviation.astype(rows.dtype)).astype(np.float64)
    return total, mean, target_mean, product, cross, (deviation**2).sum(axis=0)


def _near_zero(rows):
    """Whether the means of NumPy's double precision rows may go into their products."""
    if not isinstance(rows, np.ndarray) or rows.dtype != np.float64 or rows.size < _FEW:
        return False
    judged = rows[:: max(1, len(rows) // _JUDGED_ROWS)]
    return bool((np.abs(judged.mean(axis=0)) <= _FAR * judged.std(axis=0)).all())


def _sparse_sums(rows, targets, weights, centre):
    """The sums of one chunk of sparse rows, which are never made dense."""
    targets = to_numpy(targets)
    weights = np.ones(len(targets)) if weights is None else to_numpy(weights)
    total = float(weights.sum())
    rows = rows.tocsr().astype(np.float64)
    mean = np.asarray(rows.T @ weights).ravel() / total
    target_mean = weights @ targets / total
    if not centre:
        mean, target_mean = np.zeros_like(mean), np.zeros_like(target_mean)
    weighted = sp.diags(weights) @ rows
    product = np.asfortranarray((rows.T @ weighted).toarray())
    product -= total * np.outer(mean, mean)
    deviation = targets - target_mean
    cross = np.asarray(weighted.T @ deviation)
    return total, mean, target_mean, product, cross, (weights[:, None] * deviation**2).sum(axis=0)
