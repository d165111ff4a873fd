"""Forests and gradient boosting, fitted by scikit-learn, as one kind of small model."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._compat import boosted_trees
from .cross_fit import Probabilities
from .nodes import CATEGORIES, Nodes, numbered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..._compat import BoostedTrees
    from .foreign import Mean


class Ensemble:
    r"""Sums over groups of trees, turned into outputs.

    With :math:`s_g` the sum over the trees of group g, the outputs are
    :math:`\mathrm{link}(b + s) M`.

    Parameters
    ----------
    nodes : Nodes
    groups : ndarray of int of shape (n_trees,)
        The group of each tree.
    baseline : ndarray of shape (n_groups * width,)
        b, where `width` is that of the values of the leaves.
    mixing : ndarray of shape (n_groups * width, n_outputs)
        M.
    members : ndarray of int of shape (n_groups * width,) or None, default=None
        In ascending order: sums of one number become shares of one by a softmax. None is no link.
    importances : ndarray of shape (n_features,) or None, default=None
        By how much splits at each column lower the loss.
    """

    def __init__(
        self,
        nodes: Nodes,
        groups: np.ndarray,
        baseline: np.ndarray,
        mixing: np.ndarray,
        members: np.ndarray | None = None,
        importances: np.ndarray | None = None,
    ) -> None:
        self.nodes = nodes
        self.groups = groups
        self.baseline = baseline
        self.mixing = mixing
        self.members = members
        self.importances = importances

    def predict(self, rows: Any) -> np.ndarray:
        """Predictions of shape (n_samples, n_outputs)."""
        rows = rows.toarray() if hasattr(rows, "tocsr") else np.asarray(rows)
        width = self.nodes.values.shape[1]
        sums = self.nodes.sums(rows, self.groups, len(self.baseline) // width)
        sums = sums.transpose(1, 0, 2).reshape(len(rows), -1) + self.baseline
        if self.members is not None:
            sums = _softmax(sums, self.members)
        return sums @ self.mixing

    def then(self, matrix: np.ndarray) -> Ensemble:
        """A model whose outputs are these, times a matrix."""
        changed = copy(self)
        changed.mixing = self.mixing @ matrix
        return changed


def _softmax(sums: np.ndarray, members: np.ndarray) -> np.ndarray:
    starts = np.flatnonzero(np.diff(members, prepend=-1))
    sums = np.exp(sums - np.maximum.reduceat(sums, starts, axis=1)[:, members])
    return sums / np.add.reduceat(sums, starts, axis=1)[:, members]


def forest(trees: Sequence[Nodes], importances: np.ndarray | None = None) -> Ensemble:
    """The mean of trees, given as a list of `Nodes`."""
    nodes = Nodes.joined(trees)
    width, n_trees = nodes.values.shape[1], nodes.n_trees
    groups, mixing = np.zeros(n_trees, dtype=np.int64), np.eye(width) / n_trees
    return Ensemble(nodes, groups, np.zeros(width), mixing, importances=importances)


def boosting(mean: Mean) -> Any:
    """An `Ensemble` that predicts as a mean of models by histogram gradient boosting does.

    Parameters
    ----------
    mean : Mean
        Of `Probabilities` or `Columns`.

    Returns
    -------
    model : Ensemble or Mean
        `mean` itself where there are no trees, or categories other than 0, 1, ..., 255.
    """
    members = [member for model in mean.models for member in _members(model)]
    boosted = [member[0] and boosted_trees(member[0]) for member in members]
    if not any(boosted) or not all(_has_codes(one) for one in boosted if one):
        return mean
    trees: list[Nodes] = []
    groups: list[int] = []
    baseline: list[float] = []
    for one, (_, columns, constants) in zip(boosted, members, strict=True):
        if one is None:
            baseline += constants
            continue
        offsets = one.baseline.tolist()
        # of two classes the first has the score 0
        first = len(baseline) + len(columns) - len(offsets)
        baseline += [0.0] * (len(columns) - len(offsets)) + offsets
        trees += [_nodes(nodes, sets, one) for grown in one.rounds for nodes, sets in grown]
        groups += [*range(first, first + len(offsets))] * len(one.rounds)
    columns = np.concatenate([columns for _, columns, _ in members])
    kept, mixing = columns >= 0, np.zeros((len(columns), columns.max() + 1))
    mixing[kept, columns[kept]] = 1 / len(mean.models)
    shares = np.repeat(np.arange(len(members)), [len(columns) for _, columns, _ in members])
    links = isinstance(mean.models[0], Probabilities)
    return Ensemble(
        Nodes.joined(trees), np.array(groups), np.array(baseline), mixing, shares if links else None
    )


def _members(model: Any) -> list[tuple[Any, Any, list[float]]]:
    """(fitted or None, columns of the outputs or -1, scores where nothing is fitted)."""
    if not isinstance(model, Probabilities):
        return [(one, [j], [0.0]) for j, one in enumerate(model.models)]
    shares = np.array(model.constants)
    with np.errstate(divide="ignore"):
        scores, others = np.log(shares).tolist(), np.log(1 - shares).tolist()
    if len(model.models) == model.units:  # labels, or the second of two classes
        first = len(shares) - model.units
        return [
            (one, [-1, j], [others[first + j], scores[first + j]])
            for j, one in enumerate(model.models)
        ]
    one = model.models[0]
    columns = range(model.units) if one is None else one.classes_.astype(int)
    return [(one, list(columns), scores)]


def _has_codes(boosted: BoostedTrees) -> bool:
    """Whether all categories are small whole numbers, as far as they are not missing."""
    return all(
        np.isin(_without_nan(known), np.arange(CATEGORIES)).all()
        for known in boosted.categories.values()
    )


def _without_nan(known: np.ndarray) -> np.ndarray:
    return known[~np.isnan(known)]


def _nodes(records: np.ndarray, sets: np.ndarray, boosted: BoostedTrees) -> Nodes:
    """One tree of gradient boosting."""
    inner = records["is_leaf"] == 0
    splits, leaves = records[inner], records[~inner]
    parts = splits["is_categorical"] == 1
    # scikit-learn 1.6 gives NaN where all numbers go right
    threshold = np.where(np.isnan(splits["num_threshold"]), -np.inf, splits["num_threshold"])
    feature = boosted.columns[splits["feature_idx"]]
    return Nodes(
        counts=np.array([len(splits)]),
        feature=feature,
        threshold=np.where(parts, np.nan, threshold),
        children=numbered(records["left"], records["right"], inner),
        missing_left=splits["missing_go_to_left"] == 1,
        left_sets=_sets_of_codes(splits[parts], feature[parts], sets, boosted.categories),
        values=leaves["value"][:, None].copy(),
    )


def _sets_of_codes(
    nodes: np.ndarray, feature: np.ndarray, sets: np.ndarray, categories: dict[int, np.ndarray]
) -> np.ndarray:
    """Which codes go left: those whose position is in a node's set, and unknown as missing ones."""
    left = np.tile(nodes["missing_go_to_left"][:, None], CATEGORIES)
    for bits, node, column in zip(left, nodes, feature.tolist(), strict=True):
        known = _without_nan(categories[column]).astype(int)
        in_set = np.unpackbits(sets[node["bitset_idx"]].view(np.uint8), bitorder="little")
        bits[known] = in_set[: len(known)]
    return np.packbits(left, axis=1, bitorder="little")
