"""How much each block of a stack counts, from what it says of rows left out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.optimize
import scipy.special

from ..rows.remote import mean, total, weight_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..typing import Float

# rows whose likelihood is asked for, evenly spaced where there are more
JUDGED = 20_000
# rows that the pull to equal weights counts for where a likelihood is maximised
SHRINKAGE = 20.0
# no output counts as less than such a share of 1 / K; the likeliest is taken
FLOORS = (0.01, 0.05, 0.2)
# powers of outputs
POWERS = (0.7, 3.0)


def stack_weights(
    outputs: Sequence[np.ndarray], targets: Any, sample_weight: Any = None, shrinkage: Float = 5.0
) -> np.ndarray:
    """Find weights on the simplex that combine `outputs` to approximate `targets`.

    Parameters
    ----------
    outputs : list of ndarray of shape (n_samples, n_targets)
        Each block's predictions of rows it was not fitted to.
    targets : ndarray or Targets of shape (n_samples, n_targets)
    sample_weight : ndarray of shape (n_samples,) or None
    shrinkage : float
        Number of rows that the pull to equal weights counts for.

    Returns
    -------
    weights : ndarray of shape (n_blocks,)

    Notes
    -----
    As the weights w sum to one, the error is the quadratic form w.T M w of the residuals'
    inner products M. Without that condition, the v >= 0 of least v.T M v + (1 - sum(v))^2
    is a multiple of the same w: a small non-negative least-squares problem.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.layers.block_weights import stack_weights
    >>> y = np.arange(20.0)[:, None]
    >>> stack_weights([y + 1, y - 1, 0 * y], y, shrinkage=0.0).round(3).tolist()
    [0.5, 0.5, 0.0]
    """
    centre = mean(all_of, sample_weight, targets)
    form, square = total(partial(_products, centre), _both, sample_weight, targets, *outputs)
    square = square / len(outputs) / weight_of(targets, sample_weight)
    form = form + shrinkage * square * np.eye(len(form))
    scale = form.trace() / len(form)
    if not scale > 0:
        return np.full(len(form), 1 / len(form))
    values, vectors = np.linalg.eigh(form / scale)
    factor = np.sqrt(np.maximum(values, 1e-15))[:, None] * vectors.T
    system = np.vstack([factor, np.ones(len(form))])
    found, _ = scipy.optimize.nnls(system, np.append(np.zeros(len(form)), 1.0))
    return found / found.sum()


def likelihood_weights(
    outputs: Sequence[np.ndarray], codes: Any, sample_weight: Any = None
) -> np.ndarray:
    r"""Find weights on the simplex that make classes most likely.

    Where some blocks say probabilities and others scores of least squares, squared errors do not
    compare them: scores name the right class as surely, and lie further from 0 and 1. With
    :math:`t = \sum_b w_b L_b` and shares :math:`p_k \propto \max(t_k, \epsilon)^\beta`, which
    calibrates the sum whatever its parts are, the w, :math:`\beta` and :math:`\epsilon` found
    minimise the log-loss and :math:`\lambda H \sum_b (w_b - 1/B)^2`, H the entropy of the shares of
    the classes.

    Parameters
    ----------
    outputs : list of ndarray of shape (n_samples, n_classes)
        Each block's predictions of rows it was not fitted to.
    codes : ndarray of int of shape (n_samples,)
        The class of each row.
    sample_weight : ndarray of shape (n_samples,) or None

    Returns
    -------
    weights : ndarray of shape (n_blocks,)

    Examples
    --------
    Scores that name each class, but softly, and probabilities that are sure and wrong at times:

    >>> import numpy as np
    >>> from sklearn_zorb.layers.block_weights import likelihood_weights, stack_weights
    >>> codes = np.arange(300) % 3
    >>> soft, sure = 0.2 + 0.4 * np.eye(3)[codes], np.eye(3)[codes - (np.arange(300) % 20 == 0)]
    >>> stack_weights([soft, sure], np.eye(3)[codes]).round(2).tolist()
    [0.26, 0.74]
    >>> likelihood_weights([soft, sure], codes).round(2).tolist()
    [0.76, 0.24]
    """
    step = max(1, len(codes) // JUDGED)
    codes = codes[::step]
    weight = np.ones(len(codes)) if sample_weight is None else sample_weight[::step]
    # rows last: NumPy adds up a few long rows faster than many short ones
    parts, rows = np.stack([part[::step].T for part in outputs]), np.arange(len(codes))
    n_blocks, n_classes, _ = parts.shape
    shares = np.bincount(codes, weight, n_classes) / weight.sum()
    pull = -SHRINKAGE * scipy.special.xlogy(shares, shares).sum()

    def loss(values: np.ndarray, floor: float) -> tuple[Any, np.ndarray]:
        """The loss and its derivatives by weights up to a factor, and by the power."""
        total, power = values[:-1].sum(), values[-1]
        weights = values[:-1] / total
        mix = np.tensordot(weights, parts, 1)
        inside, mix = mix > floor / n_classes, np.maximum(mix, floor / n_classes)
        logs = np.log(mix)
        found = scipy.special.log_softmax(power * logs, axis=0)
        away = weights - 1 / n_blocks
        value = pull * away @ away - found[codes, rows] @ weight
        excess = np.exp(found)
        excess[codes, rows] -= 1
        excess *= weight
        slopes = np.tensordot(parts, excess * inside * power / mix, ([1, 2], [0, 1]))
        slopes += 2 * pull * away
        slopes = (slopes - weights @ slopes) / total
        return value, np.append(slopes, (excess * logs).sum())

    start = np.append(np.full(n_blocks, 1 / n_blocks), 1.0)
    bounds = [(0, None)] * n_blocks + [POWERS]
    options = {"jac": True, "method": "L-BFGS-B", "bounds": bounds}
    found = [scipy.optimize.minimize(loss, start, (floor,), **options) for floor in FLOORS]
    best = min(found, key=lambda one: one.fun).x[:-1]
    return best / best.sum()


def _products(centre: Any, sample_weight: Any, targets: Any, *outputs: Any) -> tuple[Any, Any]:
    """Inner products of the residuals, and the sum of squares of all outputs about the centre."""
    weight = 1.0 if sample_weight is None else sample_weight[:, None]
    root, targets = np.sqrt(weight), all_of(targets)
    residuals = np.stack([((part - targets) * root).ravel() for part in outputs])
    square = sum((((part - centre) * root) ** 2).sum() for part in outputs)
    return residuals @ residuals.T, square


def _both(one: Any, other: Any) -> tuple[Any, Any]:
    return one[0] + other[0], one[1] + other[1]


def all_of(targets: Any) -> np.ndarray:
    """All rows of targets, in double precision."""
    return np.asarray(targets[:], dtype=np.float64)
