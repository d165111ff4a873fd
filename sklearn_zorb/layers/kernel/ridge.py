"""Kernel ridge regression with leave-one-out, and the kernels' gradients."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import blas, lapack
from scipy.spatial.distance import cdist, pdist

from ...linalg import get_backend
from ...linalg.threads import for_each
from ...memory import CACHE_BYTES, Memory

# penalties tried, relative to the mean eigenvalue of the centred kernel matrix
DECADES = 10.0 ** np.arange(-6, 3.5, 1.0)
# columns beyond which products are so much cheaper than sums of squared differences
# that the digits they cost at tiny distances are worth it
WIDE = 32
# columns of a triangle multiplied at a time
BLOCK = 256
# rows up to which a triangle is inverted by LAPACK
SMALL = 100


def distances(kind, left, right):
    """Manhattan distances for "laplace_l1", Euclidean ones for the other kinds."""
    common = _common_row(kind, right)
    return _distances(kind, left - common, right - common)


def _common_row(kind, rows):
    """What rows are taken less before products: far from zero, those would cost digits."""
    by_products = kind != "laplace_l1" and rows.shape[1] > WIDE
    return rows[:64].mean(axis=0) if by_products else 0.0


def _distances(kind, left, right):
    if kind == "laplace_l1":
        return cdist(left, right, "cityblock")
    if left.shape[1] <= WIDE:
        return cdist(left, right)
    squares = left @ right.T
    squares *= -2
    squares += np.einsum("ij,ij->i", left, left)[:, None]
    squares += np.einsum("ij,ij->i", right, right)[None]
    return np.sqrt(np.maximum(squares, 0.0, out=squares), out=squares)


def pair_distances(kind, rows):
    """The same between all pairs of rows, each pair once."""
    if kind == "laplace_l1" or rows.shape[1] <= WIDE:
        return pdist(rows, "cityblock" if kind == "laplace_l1" else "euclidean")
    return distances(kind, rows, rows)[np.triu_indices(len(rows), 1)]


def kernel_values(kind, distance):
    """exp(-d), or exp(-d² / 2) for "gaussian"; `distance` is overwritten."""
    if kind == "gaussian":
        np.multiply(distance, distance, out=distance)
        distance *= 0.5
    return np.exp(np.negative(distance, out=distance), out=distance)


def kernel_matrix(kind, left, right):
    """Kernel of all pairs of rows of two arrays; many pairs are shared out to threads."""
    common = _common_row(kind, right)
    right = right - common

    def values(part):
        return kernel_values(kind, _distances(kind, left[part] - common, right))

    parts = list(Memory().chunks(len(left), 8 * len(right), CACHE_BYTES))
    if len(parts) <= 1:
        return values(slice(None))
    kernel = np.empty((len(left), len(right)))

    def fill(part):
        kernel[part] = values(part)

    for_each(fill, parts)
    return kernel


def centre(kernel, weight):
    """Kernel between features from which their weighted mean is taken away.

    Returns the centred matrix and the weighted mean of the rows of `kernel`.
    """
    share = weight / weight.sum()
    mean = share @ kernel
    centred = kernel - mean
    centred -= mean[:, None] - mean @ share
    return centred, mean


def whitening(kernel):
    """R^-1 with R.T @ R = K: the square root is as good in any rotation, and this is fast."""
    jitter = np.finfo(np.float64).eps * len(kernel) * kernel.trace()
    factor = get_backend("numpy").cholesky(kernel, jitter)
    if factor is None:
        raise np.linalg.LinAlgError("the kernel of the landmarks is not positive definite.")
    return lapack.dtrtri(factor, lower=0, overwrite_c=1)[0]


def project(kernel, projection):
    """`kernel @ projection`: of a triangular one at half the flops, in place of the kernel.

    Block after block of columns from the last one on, each made of those up to itself.
    """
    n_landmarks, n_columns = projection.shape
    # a square one is a whitening: the other kind has a column less
    if n_columns != n_landmarks or projection[-1, :-1].any():
        return kernel @ projection
    for start in reversed(range(0, n_columns, BLOCK)):
        stop = start + BLOCK
        kernel[:, start:stop] = kernel[:, :stop] @ projection[:stop, start:stop]
    return kernel


@dataclass
class Fit:
    """Kernel ridge regression at one penalty.

    Attributes
    ----------
    decade : int
        Index of the penalty.
    error : float
        Leave-one-out mean squared error.
    dual : ndarray of shape (n_groups, n_targets)
    losses : ndarray of shape (n_groups,)
        What each group adds to the sum of squared errors.
    """

    decade: int
    error: float
    dual: np.ndarray
    losses: np.ndarray


def fit_ridge(kernel, groups, start, search=True):
    """The penalty of least leave-one-out error, searched from `start` over `DECADES`.

    Without `search` it is the one at `start`.

    With C = D K D + a, K centred and D the square roots of the weights, the residuals are
    a C^-1 D y and the leverages 1 - a diag(C^-1): a Cholesky factorisation and the inverse
    of its factor for each penalty tried, about a tenth of what eigenvalues take.
    """
    root, total = np.sqrt(groups.weight), groups.weight.sum()
    deviation = groups.mean - groups.weight @ groups.mean / total
    # what rounding leaves of equal targets is not to be fitted: derivatives have no scale
    deviation[np.abs(deviation) <= 1e-13 * np.abs(groups.mean).max(initial=0.0)] = 0.0
    deviation *= root[:, None]
    centred, _ = centre(kernel, groups.weight)
    weighted = bool((root != 1).any())
    if weighted:
        centred *= root
        centred *= root[:, None]
    level = centred.trace() / len(root)
    if not level > 0:
        return Fit(start, np.inf, np.zeros_like(deviation), groups.scatter)
    # centring leaves an eigenvalue of zero; lifted to the mean it costs no digits
    centred += level / total * (np.outer(root, root) if weighted else 1.0)

    # the same for all penalties: to be handed fresh memory takes a third as long as a factor
    work = np.empty(centred.shape)

    def attempt(decade):
        if not 0 <= decade < len(DECADES):
            return Fit(decade, np.inf, None, None)
        own = deviation, groups, level, DECADES[decade]
        dual, losses = _at_penalty(centred, work, *own)
        error = losses.sum() / groups.weight.sum() / deviation.shape[1]
        return Fit(decade, error, dual, losses)

    best = first = attempt(start)
    for step in (-1, 1) if search else ():
        while (beside := attempt(best.decade + step)).error < best.error:
            best = beside
        if best is not first:
            # one valley: what lies on the other side of the start is higher
            break
    best.dual = best.dual * root[:, None]
    return best


def _at_penalty(centred, work, deviation, groups, level, penalty):
    """C^-1 deviation and the losses of groups when left out; `work` is written to."""
    alpha = penalty * level
    work[:] = centred
    work.flat[:: len(work) + 1] += alpha
    # symmetric: its transpose lies in memory as LAPACK wants it
    factor, info = lapack.dpotrf(work.T, lower=0, overwrite_a=1, clean=1)
    if info != 0:
        return np.zeros_like(deviation), np.full(len(deviation), np.inf)
    dual = lapack.dpotrs(factor, deviation, lower=0)[0]
    invert_triangle(factor)
    diagonal = np.einsum("ij,ij->i", factor, factor)
    lifted = groups.weight / groups.weight.sum() / (alpha + level)
    spare = 1 - groups.share * (1 - alpha * (diagonal - lifted))
    # a copy left out misses its own target by what its group's mean is missed, and more
    squares = ((alpha * dual) ** 2).sum(axis=1) + groups.scatter
    return dual, squares / np.maximum(spare, 1e-10) ** 2


def invert_triangle(factor):
    """Invert an upper triangle in place, by the inverses of its halves.

    With one thread LAPACK's own, which works by columns, takes twice as long. All by SciPy's
    BLAS: threads of NumPy's would wait for work in between.
    """
    if len(factor) <= SMALL:
        factor[:] = lapack.dtrtri(factor, lower=0)[0]
        return
    half = len(factor) // 2
    first, beside, last = factor[:half, :half], factor[:half, half:], factor[half:, half:]
    invert_triangle(first)
    invert_triangle(last)
    beside[:] = blas.dtrmm(-1.0, first, blas.dtrmm(1.0, last, beside, side=1))


def gradient_products(kind, points, halves, weight):
    """Mean products of the partial derivatives of two functions fitted to different rows.

    What noise adds to one is independent of what it adds to the other, so that a product is
    on average the square of the derivative that both share: the diagonal of the AGOP.

    Parameters
    ----------
    kind : str
    points : ndarray of shape (n_points, n_features)
        Where derivatives are taken.
    halves : two tuples (landmarks, dual)
        Arrays of shape (n_landmarks, n_features) and (n_landmarks, n_targets) each.
    weight : ndarray of shape (n_points,)

    Returns
    -------
    products : ndarray of shape (n_features,)
    """
    slopes = _by_feature if kind == "laplace_l1" else _by_target
    pairs = zip(*(slopes(kind, points, *half) for half in halves), strict=True)
    products = [weight @ (one * other) for one, other in pairs]
    if kind == "laplace_l1":
        return np.array([product.sum() for product in products]) / weight.sum()
    return sum(products) / weight.sum()


def _by_target(kind, points, landmarks, dual):
    """Derivatives (n_points, n_features) of each target in turn.

    That in feature j is -sum_i c_i g(x, x_i) (x_j - x_ij), g the kernel over the distance.
    """
    distance = distances(kind, points, landmarks)
    gain = kernel_values(kind, distance.copy())
    if kind == "laplace":
        gain = np.divide(gain, distance, out=np.zeros_like(gain), where=distance > 1e-12)
    for coefficients in dual.T[:, :, None]:
        yield gain @ (coefficients * landmarks) - (gain @ coefficients) * points


def _by_feature(kind, points, landmarks, dual):
    """Derivatives (n_points, n_targets) in each feature in turn, of Manhattan distances.

    The derivative of such a distance is the sign of a difference.
    """
    kernel = kernel_matrix(kind, points, landmarks)
    for j in range(points.shape[1]):
        signs = np.sign(points[:, j, None] - landmarks[None, :, j])
        signs *= kernel
        yield signs @ -dual
