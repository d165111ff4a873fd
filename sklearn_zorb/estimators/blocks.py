"""Blocks of rows that lie elsewhere: each is checked by itself, and common facts are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import is_classifier

from ..rows.constant import ConstantColumns
from ..rows.remote import joined_means, kept, mapped, weighted_mean
from .data import Data, largest, read_data
from .schemas import joined, recoded
from .weights import (
    MANY_COPIES,
    are_counts,
    check_class_weight,
    copied,
    drop_weightless,
    total_weight,
)


@dataclass(frozen=True)
class RemoteData(Data):
    """Data of which rows, targets and weights lie elsewhere.

    Attributes
    ----------
    mean : ndarray of shape (n_features,) or None
        What `means` gives, known since rows were first read.
    """

    mean: Any = None

    def means(self) -> np.ndarray | None:
        return None if self.typed else self.mean

    def relative(self, by_class: bool) -> Data:
        # weights were made relative when blocks were read
        return self

    def merged(self, memory: Any) -> Data:
        # copies of a row may lie in several blocks
        return self


@dataclass(frozen=True)
class Facts:
    """What is known of one block, without its rows.

    Attributes
    ----------
    n_rows : int
    columns : dict
    schema : Schema or None
    constant : ConstantColumns or None
    dtypes : tuple of numpy.dtype
        Of X and y.
    labels : ndarray or None
        Of a classifier.
    sums : list of ndarray
        How much the labels weigh, for each column of y.
    counts : bool
        Whether weights are whole numbers.
    lightest, heaviest : float
    largest : float
        The number in X that is farthest from zero.
    mean : tuple of ndarray and float
        Mean row, and how much all rows weigh.
    first : tuple of ndarray or None
        First rows of X, y and the weights.
    """

    n_rows: int
    columns: dict[str, Any]
    schema: Any
    constant: Any
    dtypes: tuple[Any, Any]
    labels: Any
    sums: Any
    counts: bool
    lightest: float
    heaviest: float
    largest: float
    mean: tuple[Any, float]
    first: tuple[Any, ...]


@dataclass(frozen=True)
class Common:
    """What holds for all blocks.

    Attributes
    ----------
    schema : Schema or None
    dtype : numpy.dtype
        Of X.
    tables : dict, list of dict or None
        Weights of classes.
    classes : ndarray or None
    """

    schema: Any
    dtype: Any
    tables: Any
    classes: Any

    @classmethod
    def of(cls, estimator: Any, facts: Sequence[Facts]) -> Common:
        """Join the facts of all blocks.

        Raises
        ------
        ValueError
            Where there are no rows, or blocks differ in what cannot differ.
        """
        if not facts:
            raise ValueError("X has no rows of positive weight.")
        for one in facts[1:]:
            _check_names(list(_names(facts[0])), list(_names(one)))
            for name, place in (("X", 0), ("y", 1)):
                if one.first[place].shape[1:] != facts[0].first[place].shape[1:]:
                    raise ValueError(f"blocks of {name} differ in their number of columns.")
        classes = None
        if facts[0].labels is not None:
            classes = reduce(np.union1d, [one.labels for one in facts])
        weight = getattr(estimator, "class_weight", None)
        tables = None if weight is None else _tables(weight, facts, classes)
        dtype = np.result_type(*(one.dtypes[0] for one in facts))
        return cls(joined([one.schema for one in facts]), dtype, tables, classes)

    def changes(self, facts: Sequence[Facts]) -> bool:
        """Whether preparing a block for these changes it."""
        return (
            self.schema is not None or self.tables is not None
            or any(one.dtypes[0] != self.dtype for one in facts)
        )  # fmt: skip


def _names(facts: Facts) -> Any:
    return facts.columns.get("feature_names_in_", ())


def _check_names(first: list[str], names: list[str]) -> None:
    """ValueError where the columns of a block are not those of the first."""
    differing = sorted({*first} ^ {*names})
    if differing:
        raise ValueError(f"some blocks of X lack columns that others have: {', '.join(differing)}.")
    if names != first:
        raise ValueError(
            f"blocks of X differ in the order of their columns: {first} and {names}; bring all "
            "into one order."
        )


def read_block(estimator: Any, place: int, X: Any, y: Any, sample_weight: Any) -> Data | None:
    """The checked `Data` of one block; None for one without rows that weigh."""
    lengths = [len(table) for table in (X, y, sample_weight) if table is not None]
    if len(set(lengths)) > 1:
        raise ValueError(
            f"block {place} of X, y and sample_weight has {lengths} rows; divide them in the "
            "same way."
        )
    weightless = sample_weight is not None and not (np.asarray(sample_weight) != 0).any()
    if lengths[0] == 0 or weightless:
        return None
    data = read_data(estimator, X, y, sample_weight)
    if sp.issparse(data.X):
        raise TypeError("X holds sparse blocks: make them dense.")
    if getattr(estimator, "class_weight", None) is not None and data.weights is not None:
        data = replace(data, **dict(zip(("X", "y", "weights"), copied(data.X, data.y, data.weights),
                                        strict=True)))  # fmt: skip
    return data


def prepared(common: Common, data: Data) -> Data | None:
    """The data of a block with codes of the common schema, and weights times those of classes."""
    X = data.X if common.schema is None else recoded(data.X, data.schema, common.schema)
    weights = total_weight(common.tables, data.y, data.weights)
    if weights is not None and not (weights > 0).any():
        return None
    X, y, weights = drop_weightless(X.astype(common.dtype, copy=False), data.y, weights)
    return replace(
        data, X=X, y=y, weights=weights, schema=common.schema, constant=ConstantColumns.of(X)
    )


def facts_of(estimator: Any, data: Data | None) -> Facts | None:
    """The `Facts` of a block, None for one without rows."""
    if data is None:
        return None
    labels, sums, weights = None, None, data.weights
    if is_classifier(estimator):
        columns = data.y.reshape(len(data.y), -1).T
        found = [np.unique(column, return_inverse=True) for column in columns]
        labels = found[0][0] if data.y.ndim == 1 else None
        sums = [dict(zip(names.tolist(), np.bincount(codes, weights), strict=True))
                for names, codes in found]  # fmt: skip
    schema = None if data.schema is None else data.schema.counted(data.X, weights)
    first = tuple(None if one is None else one[:1].copy() for one in (data.X, data.y, weights))
    return Facts(
        len(data.y), data.columns, schema, data.constant, (data.X.dtype, data.y.dtype), labels,
        sums, weights is None or are_counts(weights), 1.0 if weights is None else weights.min(),
        1.0 if weights is None else weights.max(), largest(data.X),
        weighted_mean(data.X, weights), first,
    )  # fmt: skip


def _tables(class_weight: Any, facts: Sequence[Facts], classes: np.ndarray | None) -> Any:
    """Weights of classes that hold for all blocks, as dicts."""
    if isinstance(class_weight, dict | list):
        example = np.vstack([one.first[1] for one in facts]) if classes is None else classes
        check_class_weight(class_weight, example, classes)
        return class_weight
    tables = []
    for column in range(len(facts[0].sums)):
        sums: dict[Any, float] = {}
        for one in facts:
            for label, weight in one.sums[column].items():
                sums[label] = sums.get(label, 0.0) + weight
        whole = sum(sums.values()) / len(sums)
        tables.append({label: whole / weight for label, weight in sums.items()})
    return tables


def remote_data(estimator: Any, facts: Sequence[Facts], X: Any, y: Any, weights: Any) -> RemoteData:
    """The data of `Remote` tables, given the facts of all their blocks."""
    by_class = getattr(estimator, "class_weight", None) is not None
    counts = all(one.counts for one in facts) and not by_class
    if weights is not None and not (counts and min(one.lightest for one in facts) < MANY_COPIES):
        unit = max(one.heaviest for one in facts)
        weights = kept(mapped(lambda weights: weights / unit, weights))
    constant = reduce(_shared, [one.constant for one in facts])
    schema = facts[0].schema and joined([one.schema for one in facts])
    X.largest = max((one.largest for one in facts), key=abs)
    mean = reduce(joined_means, [one.mean for one in facts])[0]
    return RemoteData(X, y, weights, facts[0].columns, constant, schema, mean)


def _shared(one: ConstantColumns | None, other: ConstantColumns | None) -> ConstantColumns | None:
    return None if one is None else one.shared(other)
