"""Collections of Dask as rows on workers, checked where they lie."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import dask
import dask.array as da
import numpy as np
from dask import is_dask_collection

from ..estimators.blocks import Common, facts_of, prepared, read_block, remote_data
from .workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from distributed import Client, Future

    from ..estimators.blocks import Facts, RemoteData
    from ..estimators.data import Data


def read_collections(
    client: Client, estimator: Any, X: Any, y: Any, sample_weight: Any
) -> tuple[RemoteData, np.ndarray | None]:
    """Rows of collections on the workers of a client, and the classes among them.

    Parameters
    ----------
    client : distributed.Client
    estimator : ZORBClassifier or ZORBRegressor
        Not fitted; it says how rows are to be read.
    X, y, sample_weight : collections of Dask, the last one or None

    Returns
    -------
    data : RemoteData
    classes : ndarray or None
    """
    run = partial(client.submit, pure=False)
    raw = enumerate(_blocks(client, X, y, sample_weight))
    blocks = [run(_read, estimator, place, tables) for place, tables in raw]
    blocks, facts = _with_rows(run, estimator, blocks)
    common = Common.of(estimator, facts)
    if common.changes(facts):
        blocks = [run(prepared, common, block) for block in blocks]
        blocks, facts = _with_rows(run, estimator, blocks)
    workers, tables = Workers(client, [one.n_rows for one in facts], estimator.memory_limit), []
    for name, first in zip(("X", "y", "weights"), facts[0].first, strict=True):
        parts = [run(getattr, block, name) for block in blocks]
        tables.append(None if first is None else workers.table(parts, first))
    return remote_data(estimator, facts, *tables), common.classes


def _blocks(client: Client, X: Any, y: Any, sample_weight: Any) -> list[Future[Any]]:
    """For each block of rows a future of its parts of X, y and, where given, the weights."""
    tables = {"X": X, "y": _like(y, X)}
    if sample_weight is not None:
        tables["sample_weight"] = _like(sample_weight, X)
    frames = all(hasattr(one, "divisions") for one in tables.values())
    parts: dict[str, Sequence[Any]] = {
        name: range(one.npartitions) if frames else delayed_blocks(one, name)
        for name, one in tables.items()
    }
    for name, blocks in parts.items():
        if len(blocks) != len(parts["X"]):
            raise ValueError(
                f"{name} has {len(blocks)} partitions and X has {len(parts['X'])}, of unknown "
                "length: divide both in the same way, or call compute_chunk_sizes() on both."
            )
    if frames:
        # together: files with few of the columns asked for are read in fewer partitions
        first, *others = tables.values()
        options = {"enforce_metadata": False, "align_dataframes": False, "meta": (None, "object")}
        rows = first.map_partitions(_side_by_side, *others, **options).to_delayed()
    else:
        rows = [dask.delayed(_side_by_side)(*one) for one in zip(*parts.values(), strict=True)]
    return client.compute(rows)


def _side_by_side(X: Any, y: Any, sample_weight: Any = None) -> tuple[Any, Any, Any]:
    return X, y, sample_weight


def _read(estimator: Any, place: int, tables: tuple[Any, Any, Any]) -> Data | None:
    return read_block(estimator, place, *tables)


def delayed_blocks(table: Any, name: str) -> list[Any]:
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


def _like(table: Any, X: Any) -> Any:
    """An array divided as X is, where both know their lengths."""
    arrays = isinstance(table, da.Array) and isinstance(X, da.Array)
    if arrays and not np.isnan([*table.chunks[0], *X.chunks[0]]).any():
        if table.shape[0] != X.shape[0]:
            raise ValueError(f"X has {X.shape[0]} rows, and one of the others {table.shape[0]}.")
        return table.rechunk({0: X.chunks[0]})
    return table


def _with_rows(
    run: Callable[..., Future[Any]], estimator: Any, blocks: list[Future[Any]]
) -> tuple[list[Future[Any]], list[Facts]]:
    """Blocks that have rows, and what is known of each."""
    facts = [one.result() for one in [run(facts_of, estimator, block) for block in blocks]]
    found = [pair for pair in zip(blocks, facts, strict=True) if pair[1] is not None]
    return [block for block, _ in found], [one for _, one in found]
