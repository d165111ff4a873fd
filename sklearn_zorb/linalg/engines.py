"""Decompositions that answer for any alpha: coefficients, degrees of freedom, leverages."""

import numpy as np
import scipy.sparse as sp

from .backends import get_backend, to_numpy
from .solution import Status

# columns beyond which degrees of freedom are estimated, and with how many random signs
PROBED = 2000
PROBES = 64


class SpectralEngine:
    """One eigendecomposition of the centred Gram matrix: every alpha costs O(d k).

    Parameters
    ----------
    values, vectors : arrays of shape (r,) and (n_features, r)
        Eigenvalues and eigenvectors.
    projected : array of shape (r, n_targets)
        ``vectors.T @ cross``.
    sums : object with mean, target_mean, target_squares, weight
    method : str
    rcond : float or None
        Cut-off on singular values, used at alpha = 0.
    """

    sweeps = True
    has_loo = False

    def __init__(self, values, vectors, projected, sums, method, ops, rcond=0.0):
        self.ops, self.xp = ops, ops.xp
        # what every alpha is judged by is small: no trip to an accelerator for each
        self.values = np.maximum(to_numpy(values), 0.0)
        self.vectors = vectors
        self.projected = to_numpy(projected)
        self._squares = (self.projected**2).sum(axis=1)
        self.mean, self.target_mean = sums.mean, sums.target_mean
        self.target_squares, self.weight = sums.target_squares, sums.weight
        self.centred = sums.centre
        self.method = method
        self.rcond = rcond
        self._total = float(np.asarray(to_numpy(self.target_squares)).sum())
        self.mean_eigenvalue = float(self.values.sum()) / len(self.mean)

    @classmethod
    def from_gram(cls, gram, rcond=0.0):
        ops = get_backend(gram.backend)
        values, vectors, projected = ops.call(_spectrum, gram.product, gram.cross)
        return cls(values, vectors, projected, gram, "primal-eigh", ops, rcond)

    def loo_flops(self, system, n_alphas):
        """Cost of one exact leave-one-out pass over all rows, for all alphas at once."""
        width = system.n_features
        return 2 * system.n_rows * width * (width + n_alphas * system.n_targets)

    def _inverse(self, alpha):
        """1 / (s + alpha), or its truncated form at alpha = 0."""
        if alpha > 0:
            return 1 / (self.values + alpha)
        keep = self.values > self.rcond**2 * self.values.max(initial=0.0)
        return np.where(keep, 1 / np.where(keep, self.values, 1.0), 0.0)

    def coef(self, alpha):
        right = self.projected * self._inverse(alpha)[:, None]
        return self.ops.matmul(self.vectors, right)

    def dof(self, alpha):
        return (self.values * self._inverse(alpha)).sum()

    def residual_squares(self, alpha):
        inverse = self._inverse(alpha)
        gain = self._squares * inverse * (2 - self.values * inverse)
        return max(self._total - float(gain.sum()), 0.0)

    def project(self, centred, alphas):
        """Leverages (n, alphas) and fitted deviations (n, targets, alphas)."""
        if alphas[0] > 0:
            inverses = 1 / (self.values[:, None] + np.asarray(alphas))
        else:
            inverses = self._inverse(0.0)[:, None]
        return self.ops.call(_project, centred, self.vectors, inverses, self.projected)

    def errors_without(self, centred, weights=None):
        """Errors (n, targets) at rows without which a column's direction would be lost.

        At alpha = 0 such a row is met exactly, and r / (1 - h) is 0 / 0. With g = G^+ x all
        other rows are orthogonal to g: they are met by w + t g for any t, the norm is least
        at t = -g'w / g'g, and there the row itself is missed by g'w / g'g, or that over its
        weight, as g'x is the reciprocal of it. (A row of several copies is never lost.)
        """
        rotated, squares = centred @ self.vectors, self._inverse(0.0) ** 2
        norms = self.xp.maximum(rotated**2 @ squares, np.finfo(np.float64).tiny)
        norms = norms if weights is None else norms * self.xp.minimum(weights, 1.0)
        return (rotated * squares) @ self.projected / norms[:, None]

    def variance(self, weights):
        """Summed variance of the columns of rows @ weights."""
        return float(self.ops.call(_variance, self.values, self.vectors, weights)) / self.weight

    def for_rows(self):
        """The engine that tells of single rows."""
        return self

    def status(self, alpha):
        deficient = alpha == 0 and round(float(self.dof(0))) < self.vectors.shape[0]
        return Status.RANK_DEFICIENT if deficient else Status.OK


def _spectrum(ops, product, cross):
    """Eigenvalues, eigenvectors and what of the targets lies along those.

    What is left of targets along directions that rounding alone made is rounding too, and a
    small alpha would blow it up.
    """
    values, vectors = ops.eigh(product)
    noise = np.finfo(np.float64).eps * len(values) * abs(values).max(initial=0.0)
    return values, vectors, ops.xp.where((values > noise)[:, None], vectors.T @ cross, 0.0)


def _project(ops, centred, vectors, inverses, projected):
    # NumPy's product, which lets other threads run meanwhile
    return along_axes(centred @ vectors, inverses, projected)


def along_axes(rows, inverses, projected):
    """Leverages and fitted deviations of rows told by their places along eigenvectors."""
    stacked = projected[:, :, None] * inverses[:, None, :]
    fitted = rows @ stacked.reshape(len(inverses), -1)
    return rows**2 @ inverses, fitted.reshape(len(rows), *stacked.shape[1:])


def _variance(ops, values, vectors, weights):
    return (values[:, None] * (vectors.T @ weights) ** 2).sum()


class CholeskyEngine:
    """One Cholesky factorisation for each alpha: cheaper than eigenvalues when wide."""

    method = "primal-cholesky"
    sweeps = False
    has_loo = False

    def __init__(self, gram):
        self.gram = gram
        self.ops = get_backend(gram.backend)
        self.mean, self.target_mean = gram.mean, gram.target_mean
        self.weight, self.target_squares = gram.weight, gram.target_squares
        self.centred = gram.centre
        self.mean_eigenvalue = gram.mean_eigenvalue
        self._total = float(np.sum(to_numpy(gram.target_squares)))
        # what every alpha tried left, and the factor of the last one, which is large
        self._known: dict = {}
        self._last: tuple = (None, None)
        self._fallback = None

    def loo_flops(self, system, n_alphas):
        """Cost of exact leave-one-out passes: one for each alpha that a search tries."""
        width = system.n_features
        return min(n_alphas, 8) * system.n_rows * width * (width + 2 * system.n_targets)

    def _factor(self, alpha):
        if self._last[0] != alpha:
            self._solve(alpha)
        return self._last[1]

    def _at(self, alpha):
        """What is known at alpha: coefficients and, once asked for, degrees of freedom."""
        if alpha not in self._known:
            self._solve(alpha)
        return self._known[alpha]

    def _solve(self, alpha):
        found, entry = self.ops.ridge(self.gram.product, self.gram.cross, alpha), None
        if found is not None:
            entry = {"coef": found[1], "gain": float(found[2])}
        self._known.setdefault(alpha, entry)
        self._last = alpha, None if found is None else found[0]

    def _engine(self):
        """Eigenvalues, where a factorisation failed."""
        if self._fallback is None:
            self._fallback = SpectralEngine.from_gram(self.gram)
        return self._fallback

    def coef(self, alpha):
        entry = self._at(alpha)
        return self._engine().coef(alpha) if entry is None else entry["coef"]

    def dof(self, alpha):
        entry = self._at(alpha)
        if entry is None:
            return self._engine().dof(alpha)
        if "dof" not in entry:
            entry["dof"] = len(self.mean) - alpha * self._inverse_trace(alpha)
        return entry["dof"]

    def _inverse_trace(self, alpha):
        """Trace of the inverse, beyond `PROBED` columns the mean of z' A^-1 z over signs z.

        The inverse of the factor would cost as much as the factor. (Hutchinson, 1990.)
        """
        factor, width = self._factor(alpha), len(self.mean)
        if width <= PROBED:
            return self.ops.inverse_trace(factor)
        signs = np.random.default_rng(0).choice((-1.0, 1.0), size=(PROBES, width))
        return float(self.ops.leverages(factor, self.ops.asarray(signs)).mean())

    def residual_squares(self, alpha):
        entry = self._at(alpha)
        if entry is None:
            return self._engine().residual_squares(alpha)
        # r'r = t't - w'c - alpha w'w, from (G + alpha) w = c
        return max(self._total - entry["gain"], 0.0)

    def project(self, centred, alphas):
        (alpha,) = alphas
        entry = self._at(alpha)
        if entry is None:
            return self._engine().project(centred, alphas)
        leverages = self.ops.leverages(self._factor(alpha), centred)
        return leverages[:, None], (centred @ entry["coef"])[:, :, None]

    def variance(self, weights):
        return float(self.ops.quadratic(self.gram.product, weights)) / self.weight

    def for_rows(self):
        """The engine that tells of single rows."""
        return self

    def status(self, alpha):
        return Status.FALLBACK if self._at(alpha) is None else Status.OK


class DualEngine:
    """Fewer rows than columns: eigenvalues of the (n_rows, n_rows) inner products."""

    method = "dual-eigh"
    sweeps = True
    has_loo = True

    def __init__(self, system):
        ops, xp = system.ops, system.ops.xp
        rows, targets, weights = system.gather()
        n_rows = len(targets)
        weights = xp.ones(n_rows) if weights is None else weights
        self.rows, self.targets, self.weights = rows, targets, weights
        self.ops, self.xp = ops, xp
        self.weight = float(weights.sum())
        self.centred = system.fit_intercept
        self.mean = _weighted_mean(rows, weights, self.weight) * self.centred
        self.target_mean = weights @ targets / self.weight * self.centred
        self.root = xp.sqrt(weights)
        self.deviation = (targets - self.target_mean) * self.root[:, None]
        self.target_squares = (self.deviation**2).sum(axis=0)
        self.values, self.vectors = ops.eigh(self._inner_products())
        # copies of rows and centring leave eigenvalues of zero: what rounding makes of them
        # would count beside a small alpha
        noise = np.finfo(np.float64).eps * len(self.values) * self.values.max(initial=0.0)
        self.values = xp.where(self.values > noise, self.values, 0.0)
        self.projected = self.vectors.T @ self.deviation
        self.mean_eigenvalue = float(self.values.sum()) / system.n_features

    def _inner_products(self):
        if sp.issparse(self.rows):
            product = np.asarray((self.rows @ self.rows.T).todense(), dtype=np.float64)
            cross = np.asarray(self.rows @ self.mean).ravel()
            product = product - cross[:, None] - cross[None] + self.mean @ self.mean
        else:
            centred = self.rows.astype(np.float64) - self.mean
            product = self.ops.inner_products(centred)
        return product * self.root[:, None] * self.root[None]

    def _dual(self, alpha):
        return self.vectors @ (self.projected / (self.values + alpha)[:, None])

    def coef(self, alpha):
        dual = self._dual(alpha) * self.root[:, None]
        if sp.issparse(self.rows):
            return np.asarray(self.rows.T @ dual) - np.outer(self.mean, dual.sum(axis=0))
        return (self.rows - self.mean).T @ dual

    def dof(self, alpha):
        return (self.values / (self.values + alpha)).sum()

    def _positive(self, values):
        """One in place of zero, for rows that weigh nothing."""
        return self.xp.where(values > 0, values, 1.0)

    def loo(self, alphas):
        """Errors and outputs of every alpha, from the residuals alpha (K + alpha)^-1 t."""
        xp, errors, outputs = self.xp, [], []
        share = xp.minimum(self.weights, 1.0) / self._positive(self.weights)
        for alpha in alphas:
            spare = alpha * (self.vectors**2 @ (1 / (self.values + alpha)))
            # 1 - min(w, 1) (leverage of one copy + 1 / sum of weights)
            spare = 1 - share * (1 - spare) - share * self.weights * self.centred / self.weight
            residuals = alpha * self._dual(alpha) / self._positive(self.root)[:, None]
            residuals = residuals / xp.maximum(spare, 1e-10)[:, None]
            errors.append((self.weights @ residuals**2).sum())
            outputs.append(self.targets - residuals)
        scale = self.weight * self.targets.shape[1]
        return np.array([float(e) for e in errors]) / scale, outputs

    def for_rows(self):
        """The engine that tells of single rows."""
        return self

    def variance(self, weights):
        deviation = (self.rows @ weights - self.mean @ weights) * self.root[:, None]
        return float((deviation**2).sum()) / self.weight

    def status(self, alpha):
        return Status.OK


class _Sums:
    """The sums that a `SpectralEngine` reads, where no Gram matrix was formed."""

    def __init__(self, mean, target_mean, weight, centre):
        self.mean, self.target_mean = mean * centre, target_mean * centre
        self.target_squares, self.weight, self.centre = 0.0, weight, centre


def qr_engine(system, rcond):
    """Singular values by a streamed QR of the centred rows and the SVD of R.

    Keeps singular values down to machine precision, which squaring them would lose.
    """
    ops, xp = system.ops, system.ops.xp
    total, mean, target_mean = 0.0, 0.0, 0.0
    for rows, targets, weights in system.chunks():
        weights = xp.ones(len(targets)) if weights is None else weights
        total += float(weights.sum())
        mean = mean + _weighted_mean(rows, weights, 1.0)
        target_mean = target_mean + weights @ targets
    sums = _Sums(mean / total, target_mean / total, total, system.fit_intercept)
    triangle, n_features = None, system.n_features
    for rows, targets, weights in system.chunks():
        rows = rows.toarray() if sp.issparse(rows) else rows
        block = xp.concatenate([rows - sums.mean, targets - sums.target_mean], axis=1)
        if weights is not None:
            block = block * xp.sqrt(weights)[:, None]
        sums.target_squares = sums.target_squares + (block[:, n_features:] ** 2).sum(axis=0)
        stacked = block if triangle is None else xp.concatenate([triangle, block])
        triangle = ops.triangle(stacked)
    left, singular, right = ops.svd(triangle[:, :n_features])
    projected = singular[:, None] * (left.T @ triangle[:, n_features:])
    return SpectralEngine(singular**2, right.T, projected, sums, "qr-svd", ops, rcond)


def _weighted_mean(rows, weights, total):
    if sp.issparse(rows):
        return np.asarray(rows.T @ to_numpy(weights)).ravel() / total
    return weights @ rows.astype(weights.dtype) / total
