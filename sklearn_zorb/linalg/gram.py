"""Centred, weighted sums over rows: all that least squares needs to know of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
import scipy.sparse as sp

from .backends import get_backend, is_jax, to_numpy

if TYPE_CHECKING:
    from ..typing import Array
    from .backends import Backend

    # weight, means of rows and of targets, product, cross and target_squares
    Sums: TypeAlias = tuple[Any, Array, Array, Array, Array, Array]

# below this much work float64 products take no time that float32 ones would save
SINGLE_PRECISION_FLOPS = 1e8
# elements of an outer product that are computed at a time
OUTER_ELEMENTS = 1_000_000


class Gram:
    """Sum weighted, centred rows and targets, chunk by chunk.

    With weights w, row means x and target means t, both weighted, it holds

    - ``product``: sum_i w_i (X_i - x)(X_i - x)^T, (n_features, n_features);
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

    Notes
    -----
    Only arrays that were made here are written to: those of a copy, of a pickle or of a memory
    map are replaced by the first chunk that is added.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.linalg import Gram
    >>> X = np.arange(6.0).reshape(3, 2)
    >>> gram = Gram().add(X[:2], X[:2, :1]).merge(Gram().add(X[2:], X[2:, :1]))
    >>> gram.mean.tolist(), gram.product.tolist()
    ([2.0, 3.0], [[8.0, 8.0], [8.0, 8.0]])
    """

    def __init__(self, backend: str = "numpy", centre: bool = True) -> None:
        self.backend = backend
        self.centre = centre
        self.weight = 0.0
        self.n_rows = 0
        self.product: Any = None
        self._owned = False

    def __getstate__(self) -> dict[str, Any]:
        # arrays that were handed out are never written to
        self._owned = False
        return vars(self).copy()

    def add(self, rows: Any, targets: Array, weights: Array | None = None) -> Self:
        """Add a chunk of rows (n, n_features), targets (n, n_targets), weights (n,)."""
        n_rows = len(targets) if weights is None else int((weights > 0).sum())
        if n_rows == 0:
            return self
        if sp.issparse(rows):
            sums = _sparse_sums(rows, targets, weights, self.centre)
        else:
            ops = get_backend("jax" if is_jax(rows) else "numpy")
            sums = ops.call(_sums, rows, targets, weights, centre=self.centre)
        if self.product is None:
            return self._take(n_rows, *sums)
        return self._add(n_rows, *sums)

    def absorb(self, other: Gram) -> Self:
        """Add the sums of another, which stays as it is."""
        if other.product is None:
            return self
        sums = (
            other.weight, other.mean, other.target_mean, other.product, other.cross,
            other.target_squares,
        )  # fmt: skip
        if self.product is None:
            self._take(other.n_rows, *sums)
            self._owned = False
            return self
        return self._add(other.n_rows, *sums)

    def merge(self, other: Gram) -> Gram:
        """Add the sums of both, as a new `Gram`."""
        return Gram(self.backend, self.centre).absorb(self).absorb(other)

    @property
    def n_targets(self) -> int:
        """Number of target columns."""
        return self.cross.shape[1]

    @property
    def n_features(self) -> int:
        """Number of columns of the rows."""
        return self.product.shape[0]

    @property
    def mean_eigenvalue(self) -> float:
        """Mean eigenvalue of `product`."""
        return float(self.product.trace()) / self.n_features

    def _take(
        self,
        n_rows: int,
        weight: Any,
        mean: Array,
        target_mean: Array,
        product: Array,
        cross: Array,
        squares: Array,
    ) -> Self:
        """The first sums."""
        self.n_rows, self.weight = n_rows, float(weight)
        self.mean, self.target_mean = mean, target_mean
        self.product, self.cross, self.target_squares = product, cross, squares
        self._owned = isinstance(product, np.ndarray)
        return self

    def _add(
        self,
        n_rows: int,
        weight: Any,
        mean: Array,
        target_mean: Array,
        product: Array,
        cross: Array,
        squares: Array,
    ) -> Self:
        """Add sums, and what moving the means adds to them."""
        weight, xp = float(weight), get_backend(self.backend).xp
        total = self.weight + weight
        shift, target_shift = mean - self.mean, target_mean - self.target_mean
        scaled = self.weight * weight / total * shift
        if self._owned:
            self.product += product
        else:
            self.product = self.product + product
            self._owned = isinstance(self.product, np.ndarray)
        if self._owned:
            # a few rows at a time: an outer product of many columns is as large as all sums
            step = OUTER_ELEMENTS // len(shift) + 1
            for start in range(0, len(shift), step):
                some = slice(start, start + step)
                self.product[some] += np.outer(scaled[some], shift)
        else:
            self.product = self.product + xp.outer(scaled, shift)
        self.cross = self.cross + cross + xp.outer(scaled, target_shift)
        self.target_squares = (
            self.target_squares + squares + self.weight * weight / total * target_shift**2
        )
        self.mean = self.mean + weight / total * shift
        self.target_mean = self.target_mean + weight / total * target_shift
        self.weight, self.n_rows = total, self.n_rows + n_rows
        return self


def _sums(ops: Backend, rows: Any, targets: Array, weights: Array | None, centre: bool) -> Sums:
    """Weight, means, products and squares of a chunk, as one program."""
    xp, few = ops.xp, rows.shape[0] * rows.shape[1] ** 2 < SINGLE_PRECISION_FLOPS
    rows = rows.astype(np.float64, copy=False) if few else rows
    total = float(len(targets)) if weights is None else weights.sum()
    share = None if weights is None else (weights / total).astype(rows.dtype)
    mean = rows.mean(axis=0, dtype=np.float64) if share is None else share @ rows
    target_mean = targets.mean(axis=0) if share is None else share @ targets
    if not centre:
        mean, target_mean = xp.zeros_like(mean), xp.zeros_like(target_mean)
    # both are changed in place from here on: fresh memory takes as long as the work
    centred, deviation = rows - mean.astype(rows.dtype), targets - target_mean
    if weights is not None:
        root = xp.sqrt(weights)[:, None]
        centred *= root.astype(rows.dtype)
        deviation *= root
    product, cross = centred.T @ centred, centred.T @ deviation.astype(rows.dtype, copy=False)
    deviation *= deviation
    # products of single precision, sums of double: rounding never grows with the chunks
    sums = [one.astype(np.float64, copy=False) for one in (mean, target_mean, product, cross)]
    return total, sums[0], sums[1], sums[2], sums[3], deviation.sum(axis=0)


def _sparse_sums(rows: Any, targets: Array, weights: Array | None, centre: bool) -> Sums:
    """The same of sparse rows, which are never made dense."""
    targets = to_numpy(targets)
    weights = np.ones(len(targets)) if weights is None else to_numpy(weights)
    total, rows = weights.sum(), rows.tocsr().astype(np.float64)
    mean, target_mean = rows.T @ weights / total, weights @ targets / total
    if not centre:
        mean, target_mean = np.zeros_like(mean), np.zeros_like(target_mean)
    weighted, deviation = sp.diags(weights) @ rows, targets - target_mean
    product = (rows.T @ weighted).toarray() - total * np.outer(mean, mean)
    squares = (weights[:, None] * deviation**2).sum(axis=0)
    return total, mean, target_mean, product, weighted.T @ deviation, squares
