"""Collections of Dask as rows on workers: checked where they lie, and what all share learned."""

from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Any

import dask.array as da
import numpy as np
import scipy.sparse as sp
from dask import is_dask_collection
from sklearn.base import is_classifier

from ..estimators.data import Data, read_data
from ..estimators.weights import (
    MANY_COPIES,
    are_counts,
    check_class_weight,
    copied,
    drop_weightless,
    total_weight,
)
from ..rows.constant import ConstantColumns
from ..rows.remote import kept, mapped, mean
from .schemas import joined, recoded
from .workers import Workers


@dataclass(frozen=True)
class DistributedData(Data):
    """Data of which rows, targets and weights lie on workers."""

    def means(self):
        return None if self.typed else mean(_same, self.weights, self.X)

    def relative(self, by_class):
        # they were made so when they were read
        return self

    def merged(self, memory):
        # copies of a row may lie on several workers
        return self


def _same(rows):
    return rows


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
    first : tuple of ndarray or None
        First rows of X, y and the weights.
    """

    n_rows: int
    columns: dict
    schema: Any
    constant: Any
    dtypes: tuple
    labels: Any
    sums: Any
    counts: bool
    lightest: float
    heaviest: float
    first: tuple


def read_collections(client, estimator, X, y, sample_weight):
    """Rows of collections on the workers of a client, and the classes among them.

    Parameters
    ----------
    client : distributed.Client
    estimator : ZORBClassifier or ZORBRegressor
        Not fitted; it says how rows are to be read.
    X, y, sample_weight : collections of Dask, the last one or None

    Returns
    -------
    data : DistributedData
    classes : ndarray or None
    """
    read = partial(client.submit, pure=False)
    blocks = [
        read(_read, estimator, i, *raw)
        for i, raw in enumerate(_blocks(client, X, y, sample_weight))
    ]
    blocks, facts = _with_rows(read, estimator, blocks)
    classes = None
    if facts[0].labels is not None:
        classes = reduce(np.union1d, [one.labels for one in facts])
    schema = joined([one.schema for one in facts])
    tables = _tables(estimator.class_weight, facts, classes) if is_classifier(estimator) else None
    dtype = np.result_type(*(one.dtypes[0] for one in facts))
    blocks = [read(_prepared, block, schema, dtype, tables) for block in blocks]
    blocks, facts = _with_rows(read, estimator, blocks)
    return _distributed(client, read, estimator, blocks, facts), classes


def _blocks(client, X, y, sample_weight):
    """For each block of rows its parts of X, y and the weights, as futures or None."""
    parts = [_delayed(X, "X"), _delayed(_like(y, X), "y")]
    if sample_weight is not None:
        parts.append(_delayed(_like(sample_weight, X), "sample_weight"))
    for name, own in zip(("y", "sample_weight"), parts[1:], strict=False):
        if len(own) != len(parts[0]):
            raise ValueError(
                f"{name} has {len(own)} partitions and X has {len(parts[0])}, of unknown length: "
                "divide both in the same way, or call compute_chunk_sizes() on both."
            )
    # together, as they may come from one source
    futures = client.compute([one for own in parts for one in own])
    count = len(parts[0])
    found = [futures[i : i + count] for i in range(0, len(futures), count)]
    found += [[None] * count] * (3 - len(found))
    return zip(*found, strict=True)


def _delayed(table, name):
    """The blocks of a collection."""
    if not is_dask_collection(table) or not hasattr(table, "to_delayed"):
        raise TypeError(
            f"{name} is of type {type(table).__name__}; pass an array or a data frame of Dask, as "
            "by dask.array.from_array(...), or take the estimator without Dask in its name."
        )
    if isinstance(table, da.Array):
        whole = dict.fromkeys(range(1, table.ndim), -1)
        return list((table.rechunk(whole) if whole else table).to_delayed().ravel())
    return list(table.to_delayed())


def _like(table, X):
    """An array divided as X is, where both know their lengths."""
    arrays = isinstance(table, da.Array) and isinstance(X, da.Array)
    if arrays and not np.isnan([*table.chunks[0], *X.chunks[0]]).any():
        if table.shape[0] != X.shape[0]:
            raise ValueError(f"X has {X.shape[0]} rows, and one of the others {table.shape[0]}.")
        return table.rechunk({0: X.chunks[0]})
    return table


def _read(estimator, place, X, y, sample_weight):
    """The checked `Data` of one block; None for one without rows that weigh."""
    lengths = [len(table) for table in (X, y, sample_weight) if table is not None]
    if len(set(lengths)) > 1:
        raise ValueError(
            f"partition {place} of X, y and sample_weight has {lengths} rows; divide them in the "
            "same way."
        )
    weightless = sample_weight is not None and not (np.asarray(sample_weight) != 0).any()
    if lengths[0] == 0 or weightless:
        return None
    data = read_data(estimator, X, y, sample_weight)
    if sp.issparse(data.X):
        raise TypeError("X holds sparse blocks, which rows on workers may not be: make them dense.")
    if getattr(estimator, "class_weight", None) is not None and data.weights is not None:
        data = replace(data, **dict(zip(("X", "y", "weights"), copied(data.X, data.y, data.weights),
                                        strict=True)))  # fmt: skip
    return data


def _prepared(data, schema, dtype, tables):
    """The data of a block with codes of the common schema, and weights times those of classes."""
    X = data.X if schema is None else recoded(data.X, data.schema, schema)
    weights = total_weight(tables, data.y, data.weights)
    if weights is not None and not (weights > 0).any():
        return None
    X, y, weights = drop_weightless(X.astype(dtype, copy=False), data.y, weights)
    return replace(data, X=X, y=y, weights=weights, schema=schema, constant=ConstantColumns.of(X))


def _facts(estimator, data):
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
    first = tuple(None if one is None else one[:1] for one in (data.X, data.y, weights))
    return Facts(
        len(data.y), data.columns, schema, data.constant, (data.X.dtype, data.y.dtype), labels,
        sums, weights is None or are_counts(weights), 1.0 if weights is None else weights.min(),
        1.0 if weights is None else weights.max(), first,
    )  # fmt: skip


def _with_rows(read, estimator, blocks):
    """Blocks that have rows, and what is known of each."""
    facts = [read(_facts, estimator, block) for block in blocks]
    known = [one.result() for one in facts]
    found = [pair for pair in zip(blocks, known, strict=True) if pair[1] is not None]
    if not found:
        raise ValueError("X has no rows of positive weight.")
    blocks, known = map(list, zip(*found, strict=True))
    for one in known[1:]:
        if one.columns["n_features_in_"] != known[0].columns["n_features_in_"]:
            raise ValueError("partitions of X differ in their number of columns.")
        if one.first[1].shape[1:] != known[0].first[1].shape[1:]:
            raise ValueError("partitions of y differ in their number of columns.")
    return blocks, known


def _tables(class_weight, facts, classes):
    """Weights of classes that hold for all blocks, as dicts."""
    if class_weight is None or isinstance(class_weight, dict | list):
        if class_weight is not None:
            example = np.vstack([one.first[1] for one in facts]) if classes is None else classes
            check_class_weight(class_weight, example, classes)
        return class_weight
    tables = []
    for column in range(len(facts[0].sums)):
        sums: dict = {}
        for one in facts:
            for label, weight in one.sums[column].items():
                sums[label] = sums.get(label, 0.0) + weight
        whole = sum(sums.values()) / len(sums)
        tables.append({label: whole / weight for label, weight in sums.items()})
    return tables


def _distributed(client, read, estimator, blocks, facts):
    workers = Workers(client, [one.n_rows for one in facts], estimator.memory_limit)
    tables = []
    for name, first in zip(("X", "y", "weights"), facts[0].first, strict=True):
        parts = [read(getattr, block, name) for block in blocks]
        tables.append(None if first is None else workers.table(parts, first))
    X, y, weights = tables
    by_class = getattr(estimator, "class_weight", None) is not None
    counts = all(one.counts for one in facts) and not by_class
    if weights is not None and not (counts and min(one.lightest for one in facts) < MANY_COPIES):
        unit = max(one.heaviest for one in facts)
        weights = kept(mapped(lambda weights: weights / unit, weights))
    constant = reduce(_shared, [one.constant for one in facts])
    schema = facts[0].schema and joined([one.schema for one in facts])
    return DistributedData(X, y, weights, facts[0].columns, constant, schema)


def _shared(one, other):
    return None if one is None else one.shared(other)
