"""Trees grown on bootstrap samples of weighted rows, and their outputs for rows out of the bag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_array

from ...linalg.threads import in_order
from .ensembles import forest
from .foreign import seed
from .nodes import Nodes

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...typing import Int
    from .ensembles import Ensemble


def grow_forest(
    make_tree: Callable[..., Any],
    n_trees: int,
    rows: Any,
    targets: np.ndarray,
    sample_weight: np.ndarray | None,
    rng: np.random.Generator,
    n_jobs: Int | None = None,
    max_samples: Int | None = None,
) -> tuple[Ensemble, np.ndarray]:
    r"""A forest and its out-of-bag outputs.

    Bootstrap samples are drawn from the copies that weights stand for: as many draws as the
    weights sum to, but no fewer than there are rows and no more than `max_samples`, each row with
    a probability in proportion to its weight w. Where a tree's sample holds a row c times, a given
    one of its copies is not among them with probability :math:`(1 - 1/w)^c`, 0 or 1 for w = 1.
    That is what the tree counts for in the out-of-bag output of the row. Where `max_samples` bounds
    the samples, a tree predicts no more rows than an unbounded sample would have left out.

    Parameters
    ----------
    make_tree : callable
        ``make_tree(random_state=...)`` returns a regression tree of scikit-learn.
    n_trees : int
    rows : ndarray or CSR matrix of shape (n_samples, n_features)
    targets : ndarray of shape (n_samples, n_outputs)
    sample_weight : ndarray of shape (n_samples,) or None
    rng : numpy.random.Generator
    n_jobs : int or None
        Number of threads; the result does not depend on it. None takes as many as chunks of rows
        have.
    max_samples : int or None

    Returns
    -------
    forest : Ensemble
    outputs : ndarray of shape (n_samples, n_outputs)
        The mean target for a row that every tree has seen.
    """
    weight = np.ones(len(targets)) if sample_weight is None else sample_weight
    rows = check_array(rows, accept_sparse="csr", dtype=np.float32, ensure_all_finite="allow-nan")
    bag = _Bag(
        make_tree, rows, np.ascontiguousarray(targets, dtype=np.float64), weight, max_samples
    )
    # they come in the order of the streams, so that sums are the same for any n_jobs
    trees, total, count = [], np.zeros(targets.shape), np.zeros((len(targets), 1))
    importances = np.zeros(rows.shape[1])
    grown = in_order(bag.grow, rng.spawn(n_trees), n_jobs)
    for (tree, gains), index, chance, predicted in grown:
        trees.append(tree)
        importances += gains
        total[index] += chance * predicted
        count[index] += chance
    mean = np.average(targets, axis=0, weights=weight)
    outputs = np.divide(total, count, out=np.tile(mean, (len(targets), 1)), where=count > 0)
    return forest(trees, importances), outputs


class _Bag:
    """Rows to draw bootstrap samples from."""

    def __init__(
        self,
        make_tree: Callable[..., Any],
        rows: Any,
        targets: np.ndarray,
        weight: np.ndarray,
        max_samples: Int | None,
    ) -> None:
        self.make_tree, self.rows, self.targets = make_tree, rows, targets
        self.n_draws = max(len(weight), round(weight.sum()))
        self.bounded = max_samples is not None and max_samples < self.n_draws
        if self.bounded:
            self.n_draws = max_samples
        self.probability = weight / weight.sum()
        self.up_to = np.cumsum(self.probability)
        self.others = 1 - np.minimum(1 / weight, 1.0)
        self.gaps = not hasattr(rows, "tocsr") and bool(np.isnan(rows).any())

    def _draw(self, rng: np.random.Generator) -> np.ndarray:
        """How often each row is drawn."""
        if not self.bounded:
            return rng.multinomial(self.n_draws, self.probability)
        # in a time that depends little on the number of rows
        drawn = np.searchsorted(self.up_to, np.sort(rng.random(self.n_draws)), side="right")
        return np.bincount(np.minimum(drawn, len(self.up_to) - 1), minlength=len(self.up_to))

    def grow(
        self, rng: np.random.Generator
    ) -> tuple[tuple[Nodes, np.ndarray], np.ndarray, np.ndarray, np.ndarray]:
        """A tree and its gains; rows out of its bag, the chance of each, and outputs for them."""
        counts = self._draw(rng)
        drawn = np.flatnonzero(counts)
        tree = self.make_tree(random_state=seed(rng))
        rows, weight = self.rows[drawn], counts[drawn].astype(np.float64)
        rows = rows.tocsc() if hasattr(rows, "tocsc") else rows
        # a tree looks for gaps only where it checks its input
        tree.fit(rows, self.targets[drawn], sample_weight=weight, check_input=self.gaps)
        chance = self.others**counts
        index = np.flatnonzero(chance)
        if self.bounded:
            step = max(1, round(np.e * len(index) / len(chance)))
            index = index[rng.integers(step) :: step]
        predicted = np.zeros((len(index), self.targets.shape[1]))
        if len(index):
            found = tree.predict(self.rows[index], check_input=False)
            predicted[:] = found.reshape(predicted.shape)
        gains = tree.tree_.compute_feature_importances(normalize=False)
        return (Nodes.of_tree(tree.tree_), gains), index, chance[index, None], predicted
