"""Many binary trees as a few plain arrays, and the sums of what their leaves hold."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..._compat import node_records, tree_predictor
from ...memory import CACHE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# rows up to which all trees are asked in one call: one for each tree takes some microseconds
FEW_ROWS = 32
# what the compiled predictor has room for
MOST_COLUMNS = 2**31
# codes that a node can part
CATEGORIES = 256


@dataclass(frozen=True, eq=False)
class Nodes:
    """Binary trees side by side.

    A tree of n inner nodes has n + 1 leaves. Both are numbered within the tree from 0 on, inner
    nodes such that the root comes first and each child behind its parent.

    Parameters
    ----------
    counts : ndarray of int of shape (n_trees,)
        Inner nodes of each tree, of which there are n_inner in all.
    feature : ndarray of int of shape (n_inner,)
        The column that a node looks at.
    threshold : ndarray of float of shape (n_inner,)
        Values up to it go left, compared in this precision. NaN stands at nodes that part
        categories.
    children : ndarray of int of shape (n_inner, 2)
        The left and the right child: the number of an inner node, or -1 less that of a leaf.
    missing_left : ndarray of bool of shape (n_inner,)
        Where NaN goes, and what is no category.
    left_sets : ndarray of uint8 of shape (n_sets, 32)
        For each node that parts categories, in their order: 256 bits, the lowest of a byte first,
        that tell which codes go left.
    values : ndarray of float of shape (n_inner + n_trees, width)
        What the leaves hold, those of the first tree first.

    Raises
    ------
    ValueError
        If the arrays are not those of proper trees.
    """

    counts: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    children: np.ndarray
    missing_left: np.ndarray
    left_sets: np.ndarray
    values: np.ndarray

    def __post_init__(self) -> None:
        for field in fields(self):
            kinds, ndim = KINDS[field.name]
            array = getattr(self, field.name)
            if not (isinstance(array, np.ndarray) and array.ndim == ndim):
                raise _improper(f"{field.name} is no array of {ndim} axes")
            if array.dtype.kind not in kinds:
                raise _improper(f"{field.name} is of {array.dtype}")
        n_trees, n_inner = len(self.counts), len(self.feature)
        if not n_trees or self.counts.min() < 0 or self.counts.sum(dtype=float) != n_inner:
            raise _improper(f"counts do not sum to {n_inner} inner nodes")
        n_sets = np.isnan(self.threshold).sum()
        shapes = {
            "threshold": (n_inner,), "children": (n_inner, 2), "missing_left": (n_inner,),
            "left_sets": (n_sets, CATEGORIES // 8),
            "values": (n_inner + n_trees, self.values.shape[1]),
        }  # fmt: skip
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise _improper(f"{name} has shape {getattr(self, name).shape}, not {shape}")
        if n_inner and not (self.feature.min() >= 0 and self.feature.max() < MOST_COLUMNS):
            raise _improper(f"a column is negative, or {MOST_COLUMNS} or more")
        last, number = self.counts[self._tree][:, None].astype(np.int64), self._inner[:, None]
        children = self.children.astype(np.int64)
        if not np.where(children < 0, children >= -1 - last, children < last).all():
            raise _improper("a child is not in its tree")
        if not ((children < 0) | (children > number)).all():
            raise _improper("a child comes before its parent")

    @classmethod
    def joined(cls, trees: Sequence[Self]) -> Self:
        """The nodes of all trees of a list; those of small numbers are kept in small integers."""
        names = [field.name for field in fields(cls)]
        whole = {name: np.concatenate([getattr(one, name) for one in trees]) for name in names}
        return cls(**{**whole, **{name: _small(whole[name]) for name in ("feature", "children")}})

    @classmethod
    def of_tree(cls, tree: Any) -> Self:
        """Those of a regression tree of scikit-learn, whose rows are of single precision."""
        left, right, inner = tree.children_left, tree.children_right, tree.children_left >= 0
        # scikit-learn 1.6 parts gaps from all others by NaN, which means a set of categories here
        threshold = np.where(np.isnan(tree.threshold), -np.inf, tree.threshold)[inner]
        return cls(
            counts=np.array([inner.sum()]),
            feature=tree.feature[inner],
            threshold=_rounded_down(threshold),
            children=numbered(left, right, inner),
            missing_left=np.asarray(tree.missing_go_to_left)[inner].astype(bool),
            left_sets=np.zeros((0, CATEGORIES // 8), dtype=np.uint8),
            values=tree.value[~inner, :, 0].astype(np.float32),
        )

    @property
    def n_trees(self) -> int:
        return len(self.counts)

    def sums(self, rows: np.ndarray, groups: np.ndarray, n_groups: int) -> np.ndarray:
        """Sums over the trees of each group, of shape (n_groups, n_rows, width).

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_features)
        groups : ndarray of int of shape (n_trees,)
            The group of each tree.
        n_groups : int
        """
        needed = 1 + self.feature.max(initial=-1).astype(int)
        if rows.shape[1] < needed:
            raise ValueError(f"rows have {rows.shape[1]} columns; the trees look at {needed}.")
        rows, total = self._readable(rows), np.zeros((n_groups, len(rows), self.values.shape[1]))
        lanes = len(rows) * self.n_trees
        if len(rows) <= FEW_ROWS and 8 * lanes * (rows.shape[1] + 1) <= CACHE_BYTES:
            np.add.at(total, groups, self.values[self._leaves_of_few(rows)])
            return total
        for predict, group in zip(self._one_by_one, groups, strict=True):
            total[group] += self.values[predict(rows).astype(np.intp)]
        return total

    def _readable(self, rows: np.ndarray) -> np.ndarray:
        """Rows in the precision of the thresholds, NaN for what is no category."""
        with np.errstate(over="ignore"):  # infinity falls on the same side as what overflows
            rows = rows.astype(self.threshold.dtype, copy=False)
        rows = rows.astype(np.float64, order="C", copy=len(self.left_sets) > 0)
        for column in np.unique(self.feature[np.isnan(self.threshold)]):
            codes = rows[:, column]
            known = (codes >= 0) & (codes < CATEGORIES) & (codes == np.floor(codes))
            codes[~known] = np.nan
        return rows

    def _leaves_of_few(self, rows: np.ndarray) -> np.ndarray:
        """Leaf of each row in each tree, of shape (n_trees, n_rows)."""
        numbers = np.arange(float(self.n_trees))
        lanes = np.empty((self.n_trees, len(rows), rows.shape[1] + 1))
        lanes[..., :-1], lanes[..., -1] = rows, numbers[:, None]
        found = self._all_at_once(lanes.reshape(-1, lanes.shape[2]))
        return found.astype(np.intp).reshape(self.n_trees, len(rows))

    @cached_property
    def _one_by_one(self) -> list[Callable[[np.ndarray], np.ndarray]]:
        """For each tree, a function that gives the leaf of each row."""
        records, starts = self._records(), self._starts
        pieces = np.split(records, starts[1:])
        return [tree_predictor(piece, self._bits) for piece in pieces]

    @cached_property
    def _all_at_once(self) -> Callable[[np.ndarray], np.ndarray]:
        """A function that gives the leaf of each row in the tree that its last column names.

        In front of the trees stands one that parts their numbers in halves.
        """
        front = np.zeros(self.n_trees - 1, dtype=node_records())
        records, roots = self._records(len(front)), len(front) + self._starts

        def part(first: int, stop: int, place: int) -> None:
            middle = (first + stop) // 2
            front["num_threshold"][place] = middle - 0.5
            parts = [(first, middle, place + 1), (middle, stop, place + middle - first)]
            for side, (first, stop, below) in zip(("left", "right"), parts, strict=True):
                alone = stop - first == 1
                front[side][place] = roots[first] if alone else below
                if not alone:
                    part(first, stop, below)

        if len(front):
            part(0, self.n_trees, 0)
        records = np.concatenate([front, records])
        n_front = len(front)

        def predict(lanes: np.ndarray) -> np.ndarray:
            records["feature_idx"][:n_front] = lanes.shape[1] - 1
            return tree_predictor(records, self._bits)(lanes)

        return predict

    def _records(self, shift: int | None = None) -> np.ndarray:
        """Nodes as scikit-learn's boosting reads them, inner ones of a tree before its leaves.

        Numbers of children count from the first node of a tree, or, where all trees stand in one
        array, from its start, `shift` nodes before the first of them.
        """
        tree, starts = self._tree, self._starts
        counts = self.counts.astype(np.int64)
        records = np.zeros(len(self.feature) + len(self.values), dtype=node_records())
        inner = starts[tree] + self._inner
        children = self.children.astype(np.int64)
        children = np.where(children < 0, counts[tree][:, None] - 1 - children, children)
        if shift is not None:
            children += (shift + starts[tree])[:, None]
        parts = np.isnan(self.threshold)
        for name, values in {
            "feature_idx": self.feature,
            "num_threshold": self.threshold,
            "missing_go_to_left": self.missing_left,
            "left": children[:, 0],
            "right": children[:, 1],
            "is_categorical": parts,
            "bitset_idx": np.maximum(np.cumsum(parts) - 1, 0),
        }.items():
            records[name][inner] = values
        leaves = np.ones(len(records), dtype=bool)
        leaves[inner] = False
        records["is_leaf"] = leaves
        records["value"][leaves] = np.arange(len(self.values))
        return records

    @property
    def _tree(self) -> np.ndarray:
        """The tree of each inner node."""
        return np.repeat(np.arange(self.n_trees), self.counts)

    @property
    def _inner(self) -> np.ndarray:
        """The number of each inner node within its tree."""
        firsts = np.cumsum(self.counts) - self.counts
        return np.arange(len(self.feature)) - firsts[self._tree]

    @property
    def _starts(self) -> np.ndarray:
        """Where the nodes of each tree begin, leaves counted."""
        sizes = 2 * self.counts.astype(np.int64) + 1
        return np.cumsum(sizes) - sizes

    @property
    def _bits(self) -> np.ndarray:
        return np.ascontiguousarray(self.left_sets).view(np.uint32)

    def __getstate__(self) -> dict[str, np.ndarray]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __setstate__(self, state: dict[str, np.ndarray]) -> None:
        # whatever wrote it, compiled code follows these numbers without a check
        vars(self).update(vars(Nodes(**state)))


# kinds of numbers that each array may hold, and its number of axes
KINDS = {
    "counts": ("iu", 1), "feature": ("iu", 1), "threshold": ("f", 1), "children": ("i", 2),
    "missing_left": ("b", 1), "left_sets": ("u", 2), "values": ("f", 2),
}  # fmt: skip


def numbered(left: np.ndarray, right: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """Children of inner nodes, from arrays that number inner nodes and leaves together."""
    number = np.where(inner, np.cumsum(inner) - 1, -np.cumsum(~inner))
    return number[np.stack([left[inner], right[inner]], axis=1).astype(np.intp)]


def _improper(reason: str) -> ValueError:
    return ValueError(f"these are no proper trees: {reason}.")


def _rounded_down(threshold: np.ndarray) -> np.ndarray:
    """Thresholds that part numbers of single precision as the given ones do."""
    rounded = threshold.astype(np.float32)
    return np.where(rounded > threshold, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def _small(array: np.ndarray) -> np.ndarray:
    """Integers in the smallest type that holds them and zero."""
    least, most = array.min(initial=0), array.max(initial=0)
    signed = np.result_type(np.min_scalar_type(least), np.min_scalar_type(-1 - most))
    return array.astype(signed)
