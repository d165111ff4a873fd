"""Weights of rows: copies of a row, or how much it counts; and those of classes."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    # weights by label, of each column of y where there are several
    ClassWeight: TypeAlias = dict[Any, Any] | list[dict[Any, Any]] | Literal["balanced"]

# from here on the smallest weight says how much rows count, not how often they come
MANY_COPIES = 10


def are_counts(weights: np.ndarray) -> bool:
    """Whether all weights are whole numbers."""
    return np.array_equal(weights, np.rint(weights))


def copied(X: Any, y: np.ndarray, weights: np.ndarray) -> tuple[Any, np.ndarray, np.ndarray | None]:
    """Rows as often as they are counted, so that each copy can be given a weight of its own."""
    if not are_counts(weights) or not 0 < weights.sum() <= MANY_COPIES * len(weights):
        return X, y, weights
    copies = np.repeat(np.arange(len(weights)), weights.astype(int))
    return X[copies], y[copies], None


def per_row(weights: np.ndarray | None, by_class: bool) -> np.ndarray | None:
    """Weights as they are where they count copies of a row, else relative to the largest."""
    return None if weights is None else weights / weight_of_one(weights, by_class)


def weight_of_one(weights: np.ndarray | None, by_class: bool) -> float:
    """What one row weighs that is left out, or new: 1 where weights count copies.

    Of copies one is left out in turn. Weights that are no whole numbers, weights of classes
    and those that are all large say how much a row counts, at most as much as the largest does,
    and it is left out whole.
    """
    if weights is None or (are_counts(weights) and weights.min() < MANY_COPIES and not by_class):
        return 1.0
    return float(weights.max())


def mean_weight(weights: np.ndarray | None, by_class: bool) -> float:
    """What a row that can be left out weighs in the mean: 1 where weights count copies."""
    if weights is None:
        return 1.0
    rows = np.maximum(weights / weight_of_one(weights, by_class), 1.0).sum()
    return float(weights.sum() / rows)


def drop_weightless(
    X: Any, y: np.ndarray, weights: np.ndarray | None
) -> tuple[Any, np.ndarray, np.ndarray | None]:
    """Rows of positive weight only."""
    if weights is None:
        return X, y, None
    keep = weights > 0
    if not keep.any():
        raise ValueError(
            "every sample_weight, times class_weight, is zero; at least one row needs a positive "
            "weight."
        )
    return (X, y, weights) if keep.all() else (X[keep], y[keep], weights[keep])


def total_weight(
    class_weight: ClassWeight | None, y: np.ndarray, sample_weight: np.ndarray | None
) -> np.ndarray | None:
    """Weights of rows times those of their classes; None where nothing weighs."""
    if class_weight is None:
        return sample_weight
    if isinstance(class_weight, str):
        return balanced_weights(y, sample_weight)
    weights = weights_of_classes(class_weight, y)
    return weights if sample_weight is None else weights * sample_weight


def weights_of_classes(class_weight: Any, y: np.ndarray) -> np.ndarray:
    """The weight of each row's class, 1 where none is given; a product over columns of y."""
    columns = y.reshape(len(y), -1).T
    tables = class_weight if isinstance(class_weight, list) else [class_weight]
    if len(tables) != len(columns):
        wanted = "a dict" if len(columns) == 1 else f"a list of {len(columns)} dicts"
        raise ValueError(
            f"class_weight has {len(tables)} tables of weights for {len(columns)} columns of y; "
            f"pass {wanted}."
        )
    weights = np.ones(len(y))
    for table, column in zip(tables, columns, strict=True):
        for label, weight in table.items():
            if not (isinstance(weight, Real) and 0 <= float(weight) < np.inf):
                raise ValueError(f"class_weight[{label!r}]={weight!r}; pass a finite number >= 0.")
            weights[column == label] *= weight
    return weights


def check_class_weight(class_weight: Any, y: np.ndarray, classes: np.ndarray | None = None) -> None:
    """ValueError where a weight is for no label of y while one of them has none.

    That is a slip, such as "1" for 1. Weights for more labels than there are do no harm.
    `classes` are all of them, where some may be missing in y.
    """
    labels = np.arange(2) if y.ndim == 2 else np.unique(y) if classes is None else classes
    for table in class_weight if isinstance(class_weight, list) else [class_weight]:
        strange = [label for label in table if not np.any(labels == label)]
        there = sum(np.any(labels == label) for label in table)
        if strange and there < len(labels):
            raise ValueError(
                f"class_weight has a weight for {strange[0]!r}, which is not among the classes "
                f"{labels.tolist()}."
            )


def balanced_weights(y: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray:
    """Sample weights times those that give each class, in each column of y, the same sum."""
    base = np.ones(len(y)) if sample_weight is None else sample_weight
    weights = base
    for column in y.reshape(len(y), -1).T:
        codes = np.unique(column, return_inverse=True)[1]
        sums = np.bincount(codes, weights=base)
        there = sums > 0
        share = sums.sum() / max(1, there.sum())
        factors = np.divide(share, sums, out=np.zeros(len(sums)), where=there)
        weights = weights * factors[codes]
    return weights
