"""Predictions of collections, computed when they are asked for."""

from __future__ import annotations

from typing import Any

import dask
import dask.array as da
import numpy as np

from .reading import delayed_blocks


def lazily(estimator: Any, method: str, X: Any, example: np.ndarray) -> da.Array:
    """Results of a method of a fitted estimator for a collection, computed when asked for.

    Parameters
    ----------
    estimator : object
        Sent to each worker once.
    method : str
    X : array or data frame of Dask
    example : ndarray
        Of the same type and shape but for the number of rows.

    Returns
    -------
    dask.array.Array
    """
    blocks, model = delayed_blocks(X, "X"), dask.delayed(estimator, traverse=False)
    lengths = X.chunks[0] if isinstance(X, da.Array) else [np.nan] * len(blocks)
    parts = [
        da.from_delayed(
            dask.delayed(_predicted)(model, method, block, example[:0]),
            shape=(length, *example.shape[1:]), meta=example[:0],
        )
        for block, length in zip(blocks, lengths, strict=True)
    ]  # fmt: skip
    return da.concatenate(parts, allow_unknown_chunksizes=True)


def _predicted(estimator: Any, method: str, X: Any, nothing: np.ndarray) -> np.ndarray:
    """Predictions of one block, which may have no rows."""
    return getattr(estimator, method)(X) if len(X) else nothing
