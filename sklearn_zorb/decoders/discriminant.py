"""A linear discriminant of the outputs, for classes whose output is never the largest one."""

from __future__ import annotations

from copy import copy
from functools import partial
from typing import Any, Self

import numpy as np

from ..linalg import get_backend
from ..linalg.threads import for_each
from ..rows.remote import mapped, store_of, total

# penalties tried, in mean eigenvalues of the scatter within classes
SHRINKAGES = np.array([0.01, 0.1, 0.3])
# scatter of a row that is off by one
ONE_ROW = 1.0
# posterior probabilities that are computed at a time
AT_ONCE = 30_000
# rows that penalties are judged by, about: evenly spaced where there are more
JUDGED = 10_000


class LinearDiscriminant:
    r"""Posterior probabilities of normal classes that share one covariance.

    With shares :math:`\pi_k`, means :math:`\mu_k` and the scatter S within the classes of N
    rows in d dimensions,

    .. math:: p_k(t) \propto \pi_k \exp(-\tfrac12 (t - \mu_k)^\top \Sigma^{-1} (t - \mu_k)),
              \quad \Sigma = \frac{S + \rho I}{N},
              \quad \rho = 1 + \lambda \frac{\operatorname{tr} S}{d}.

    Least squares on indicators of the classes can *mask* one that lies between others: its
    output is the largest one nowhere. The discriminant of the outputs finds it all the
    same [1]_. Of a few :math:`\lambda` the one of least leave-one-out log-loss is taken, in
    closed form: without a copy of row i, S loses a multiple of the outer product of that
    row's deviation, and :math:`(S + \rho I)^{-1}` follows by the Sherman-Morrison formula;
    :math:`\rho` stays as it is. Its 1 is the scatter of one row that is wrong altogether: the
    output of a row left out is lower the more its own class lacks that row, by about 1 / N,
    and where there is nothing else to see, a discriminant would read the class from that.

    Attributes
    ----------
    shrinkage : float
    left_out : ndarray of shape (n, K)
        Each row's probabilities by the discriminant fitted to the others.

    References
    ----------
    .. [1] T. Hastie, R. Tibshirani, J. Friedman, "The Elements of Statistical Learning",
       section 4.2 (2009).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.decoders import LinearDiscriminant
    >>> outputs = np.array([[0.0], [0.2], [1.0], [1.1], [1.9], [2.1]])
    >>> discriminant = LinearDiscriminant().fit(outputs, np.array([0, 0, 1, 1, 2, 2]))
    >>> discriminant.probabilities(np.array([[1.0]])).argmax().item()
    1
    """

    def fit(self, outputs: Any, codes: Any, sample_weight: Any = None) -> Self:
        """Fit to outputs of left-out rows.

        Parameters
        ----------
        outputs : ndarray of shape (n, d)
        codes : ndarray of int of shape (n,)
            Every class from 0 to K - 1 is there.
        sample_weight : ndarray of shape (n,) or None
        """
        n_classes = int(total(np.max, max, codes)) + 1
        of_classes = partial(_class_sums, n_classes)
        self._sums, sums = total(of_classes, _joined, outputs, codes, sample_weight)
        self._means = sums / self._sums[:, None]
        scatter = total(self._scatter, np.add, outputs, codes, sample_weight)
        values, vectors = get_backend("numpy").eigh(scatter)
        penalties = ONE_ROW + SHRINKAGES[:, None, None] * (values.sum() / len(values))
        axes = vectors / np.sqrt(np.maximum(values, 0) + penalties)
        best, step = np.inf, max(1, len(codes) // JUDGED)
        tables = outputs, codes, sample_weight
        judged: list[Any] = [None if table is None else table[::step] for table in tables]
        weight = np.ones(len(judged[1])) if judged[2] is None else judged[2]
        rows = np.arange(len(judged[1]))
        few = len(axes) * len(rows) * len(self._sums) <= AT_ONCE
        for some in (slice(None),) if few else [slice(i, i + 1) for i in range(len(axes))]:
            left_out = self._left_out(axes[some], *judged)
            likelihoods = left_out[:, judged[1], rows]
            losses = -np.log(np.maximum(likelihoods, 1e-15)) @ weight
            i = int(losses.argmin())
            if losses[i] < best:
                best, self.left_out = losses[i], left_out[i].T
                self.shrinkage, self._axes = float(SHRINKAGES[some][i]), axes[some][i]
        if step > 1 or store_of(*tables) is not None:
            axes = self._axes[None]
            self.left_out = mapped(lambda *rows: self._left_out(axes, *rows)[0].T, *tables)
        return self

    def without_rows(self) -> Self:
        """A copy that keeps nothing of each row: it has no `left_out`."""
        lean = copy(self)
        del lean.left_out
        return lean

    @property
    def shares(self) -> np.ndarray:
        """Share of each class, of shape (K,)."""
        return self._sums / self._sums.sum()

    def _scatter(
        self, outputs: np.ndarray, codes: np.ndarray, sample_weight: np.ndarray | None
    ) -> np.ndarray:
        deviation = outputs - self._means[codes]
        weighed = deviation if sample_weight is None else deviation * sample_weight[:, None]
        return weighed.T @ deviation

    def probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """Posterior probabilities of shape (n, K)."""
        points, means = (outputs @ self._axes).T, self._means @ self._axes
        # less the squares of the points, which are the same for all classes and may overflow
        distances = (means**2).sum(axis=1)[:, None] - 2 * (means @ points)
        return _posterior(self._sums[:, None], distances * self._sums.sum()).T

    def linear(self) -> tuple[np.ndarray, np.ndarray]:
        """Weights (d, K) and intercepts (K,) of logits that a softmax makes probabilities of."""
        means, total = self._means @ self._axes, self._sums.sum()
        return self._axes @ means.T * total, np.log(self._sums) - total / 2 * (means**2).sum(axis=1)

    def _left_out(
        self,
        axes: np.ndarray,
        outputs: np.ndarray,
        codes: np.ndarray,
        sample_weight: np.ndarray | None,
    ) -> np.ndarray:
        """Posterior (s, K, n) of each row without one copy of it, for each of the axes (s, d, d).

        They give coordinates where S + rho I = I. Rows come last throughout: NumPy adds up a few
        long rows faster than many short ones.
        """
        weight = np.ones(len(codes)) if sample_weight is None else sample_weight
        left_out = np.empty((len(axes), len(self._sums), len(codes)))
        means, turned = self._means @ axes, axes.swapaxes(-1, -2)

        def fill(part: slice) -> None:
            deviation = outputs[part] - self._means[codes[part]]
            points, moved = turned @ outputs[part].T, turned @ deviation.T
            rows = codes[part], weight[part]
            left_out[..., part] = self._posterior_without(points, moved, means, *rows)

        step = max(1, AT_ONCE // len(self._sums))
        for_each(fill, [slice(start, start + step) for start in range(0, len(codes), step)])
        return left_out

    def _posterior_without(
        self,
        points: np.ndarray,
        deviation: np.ndarray,
        means: np.ndarray,
        codes: np.ndarray,
        weight: np.ndarray,
    ) -> np.ndarray:
        """The same for some of the rows, given by their points and deviations (s, d, n)."""
        rows = np.arange(len(codes))
        copy = np.minimum(weight, 1.0)
        sums = np.repeat(self._sums[:, None], len(codes), axis=1)
        sums[codes, rows] -= copy
        rest = np.maximum(sums[codes, rows], 1e-12)
        # how much the class mean moves away, and what the scatter loses
        moved = self._sums[codes] / rest
        gain = copy * moved
        along = (points * deviation).sum(axis=-2)[..., None, :] - means @ deviation
        distances = _squares(points, means)
        squares = (deviation**2).sum(axis=-2)
        along[..., codes, rows], distances[..., codes, rows] = moved * squares, moved**2 * squares
        spare = np.maximum(1 - gain * squares, 1e-12)
        distances += (gain / spare)[..., None, :] * along**2
        distances *= self._sums.sum() - copy
        return _posterior(sums, distances)


def _class_sums(
    n_classes: int, outputs: np.ndarray, codes: np.ndarray, sample_weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Weight of each class, and the weighted sums of its outputs."""
    weight = np.ones(len(codes)) if sample_weight is None else sample_weight
    members = (np.arange(n_classes)[:, None] == codes) * weight
    return np.bincount(codes, weight, minlength=n_classes), members @ outputs


def _joined(one: Any, other: Any) -> Any:
    return one[0] + other[0], one[1] + other[1]


def _squares(points: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Squared distances (..., K, n) of points (..., d, n) to means (..., K, d)."""
    squares = (points**2).sum(axis=-2)[..., None, :] - 2 * (means @ points)
    return np.maximum(squares + (means**2).sum(axis=-1)[..., None], 0.0)


def _posterior(sums: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """Probabilities (..., K, n) from sums of weights and scaled squared distances."""
    # a class that has lost all of its weight
    with np.errstate(divide="ignore"):
        logs = np.log(np.maximum(sums, 0.0)) - distances / 2
    logs -= logs.max(axis=-2, keepdims=True)
    shares = np.exp(logs)
    return shares / shares.sum(axis=-2, keepdims=True)
