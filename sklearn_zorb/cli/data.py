"""Reading what the command line calls DATA."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.model_selection import train_test_split

from ..datasets import load_dataset
from ..datasets.sources import read_arrays
from ..datasets.tables import infer_task
from .frames import TABLE_SUFFIXES, read_table, select_columns, split_table
from .notes import note

if TYPE_CHECKING:
    from .models import Model


@dataclass(frozen=True)
class Data:
    """Rows to learn from or to predict for.

    Attributes
    ----------
    X : ndarray or DataFrame of shape (n_samples, n_features)
    y : ndarray or None
        None where the rows come without targets.
    X_test, y_test : like X and y, or None
        The test part, where the data come with one.
    task : {"classification", "regression"} or None
        None where the data do not say.
    target : str or None
        The name of the target column of a table; None for arrays.
    image_shape : tuple of int or None
        (height, width, channels) where the rows are images.
    """

    X: Any
    y: Any = None
    X_test: Any = None
    y_test: Any = None
    task: str | None = None
    target: str | None = None
    image_shape: tuple[int, ...] | None = None


def read_data(
    source: str,
    *,
    target: str | None = None,
    seed: int = 0,
    task: str = "auto",
    model: Model | None = None,
) -> Data:
    """Read a file or a data set known by name.

    Parameters
    ----------
    source : str
        Path of a CSV, Parquet or NPZ file, or a name.

    target : str or None, default=None
        The target column of a table; None takes "target", else the last column.

    seed : int, default=0
        Seeds the data sets that are drawn.

    task : {"auto", "classification", "regression"}, default="auto"
        What targets are read for.

    model : Model or None, default=None
        A saved model, whose columns a table must have; the target may then be missing.

    Returns
    -------
    Data
    """
    path = Path(source)
    is_table = source.lower().endswith(TABLE_SUFFIXES)
    is_file = is_table or path.suffix.lower() == ".npz"
    if path.is_file() != is_file:
        if not is_file:
            known = ", ".join(TABLE_SUFFIXES)
            raise ValueError(f"cannot read {source!r}: give a file {known} or .npz")
        raise ValueError(f"there is no file {source!r}")
    if is_table:
        name, columns = (target, ()) if model is None else (target or model.target, model.columns)
        return _table(read_table(path, name, columns), target, task, model)
    data = _from_npz(path) if is_file else _named(source, seed)
    if hasattr(data.X, "columns"):
        table = _table(data.X.assign(target=data.y), target, task, model)
        return replace(table, task=data.task if target in (None, "target") else None)
    if target is not None:
        raise ValueError("--target is for tables; this DATA brings its own target")
    if model is not None and model.columns:
        raise ValueError("the model was fitted on a table: give a table with its columns")
    return data


def _table(frame: Any, target: str | None, task: str, model: Model | None) -> Data:
    if model is None:
        X, y, target = split_table(frame, target, task)
        return Data(X, y, target=target)
    if not model.columns:
        raise ValueError("the model was fitted on arrays: give an NPZ file or a set of arrays")
    return Data(*select_columns(frame, model, target), target=target or model.target)


def _named(name: str, seed: int) -> Data:
    bunch = load_dataset(name, random_state=seed)
    return Data(
        bunch.data,
        bunch.target,
        X_test=bunch.get("data_test"),
        y_test=bunch.get("target_test"),
        task=bunch.task,
        image_shape=bunch.get("image_shape"),
    )


def _from_npz(path: Path) -> Data:
    """Arrays X, y or x_train, y_train, with x_test, y_test where they are there."""
    held = read_arrays(path)
    arrays = {name.lower(): array for name, array in held.items()}
    if len(arrays) < len(held):
        raise ValueError(f"{str(path)!r} has arrays whose names differ in case only")
    _check_arrays(path, arrays)
    x_name, y_name = ("x", "y") if "x" in arrays else ("x_train", "y_train")
    if x_name not in arrays:
        raise ValueError(f"{str(path)!r} must hold the arrays X, y or x_train, y_train")
    X, image_shape = _flatten(arrays[x_name])
    X_test = _flatten(arrays["x_test"])[0] if "x_test" in arrays else None
    y, y_test = (_targets(arrays.get(name)) for name in (y_name, "y_test"))
    for rows, targets in ((X, y), (X_test, y_test)):
        if rows is not None and targets is not None and len(rows) != len(targets):
            raise ValueError(f"{str(path)!r} has {len(rows)} rows but {len(targets)} targets")
    return Data(X, y, X_test=X_test, y_test=y_test, image_shape=image_shape)


def _check_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Refuse arrays without rows, of what is neither number nor text, or without features."""
    for name in sorted({"x", "y", "x_train", "y_train", "x_test", "y_test"} & arrays.keys()):
        array = arrays[name]
        if array.ndim == 0:
            raise ValueError(f"{str(path)!r}: {name} must hold rows, got a single value")
        if array.dtype.kind not in "biufU":
            raise ValueError(f"{str(path)!r}: {name} must hold numbers or text, got {array.dtype}")
    if "y_test" in arrays and "x_test" not in arrays:
        raise ValueError(f"{str(path)!r} has y_test without x_test")


def _targets(array: np.ndarray | None) -> np.ndarray | None:
    """One column is a vector."""
    return array.ravel() if array is not None and array.shape[1:] == (1,) else array


def _flatten(array: np.ndarray) -> tuple[np.ndarray, tuple[int, ...] | None]:
    """Rows of features, and the shape of an image where there was one."""
    if array.ndim < 2:
        return array.reshape(-1, 1), None
    if array.ndim == 2:
        return array, None
    shape = array.shape[1:] if array.ndim > 3 else (*array.shape[1:], 1)
    return array.reshape(len(array), math.prod(shape)), shape


def labelled(data: Data, task: str = "auto") -> Data:
    """The data with a task, once they are known to have usable targets.

    Parameters
    ----------
    data : Data
    task : {"auto", "classification", "regression"}, default="auto"

    Returns
    -------
    Data
    """
    if data.y is None:
        raise ValueError("the data have no targets")
    if len(data.y) == 0:
        raise ValueError("the data have no rows")
    n_missing = np.count_nonzero(data.y != data.y)  # NaN, alone, differs from itself
    if n_missing:
        words = "; empty cells and words such as NA, nan or None count as missing"
        hint = words if data.target is not None else ""
        raise ValueError(f"{n_missing} targets are missing: remove those rows{hint}")
    if task == "regression" and data.y.dtype.kind not in "iufb":
        first = data.y[:1].tolist()[0]
        raise ValueError(f"regression needs numbers, but the targets are text: {first!r}, ...")
    if task == "auto":
        _check_labels(data.y)
        task = data.task or _guess_task(data.y)
    return replace(data, task=task)


def _check_labels(y: np.ndarray) -> None:
    """Refuse text of which no two rows have the same: it is hardly meant as classes."""
    if y.dtype.kind not in "OU" or y.ndim > 1 or len(y) < 3:
        return
    n_classes = len(set(y.tolist()))
    if n_classes == len(y):
        raise ValueError(
            f"each of the {len(y)} rows has a class of its own, such as {y[0]!r}: write numbers as "
            "1234.5, or name another column with --target"
        )
    if n_classes > len(y) / 2:
        note(f"the targets are text: {n_classes} classes in {len(y)} rows, such as {y[0]!r}")


def _guess_task(y: np.ndarray) -> str:
    if y.ndim > 1 and y.shape[1] > 1:  # several outputs: labels where all are 0 or 1
        return "classification" if np.isin(y, (0, 1)).all() else "regression"
    return infer_task(y)


def subsample(data: Data, n_samples: int | None, seed: int) -> Data:
    """At most `n_samples` random rows of the training part; None keeps all.

    Parameters
    ----------
    data : Data
    n_samples : int or None
    seed : int

    Returns
    -------
    Data
    """
    if n_samples is None or n_samples >= len(data.X):
        return data
    rows = np.random.default_rng(seed).choice(len(data.X), n_samples, replace=False)
    return replace(data, X=take(data.X, rows), y=None if data.y is None else data.y[rows])


def take(X: Any, rows: np.ndarray) -> Any:
    """Rows of a DataFrame or an array."""
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def hold_out(data: Data, test_size: float, seed: int) -> Data:
    """Give the data a test part, unless they have one or `test_size` is 0.

    Classes keep their shares where each has two rows at least.

    Parameters
    ----------
    data : Data
    test_size : float
    seed : int

    Returns
    -------
    Data
    """
    if data.y_test is not None or not test_size:
        return data
    stratify = None
    if data.task == "classification" and data.y.ndim == 1:
        counts = np.unique(data.y, return_counts=True)[1]
        n_test = int(np.ceil(test_size * len(data.y)))
        if counts.min() >= 2 and len(counts) <= min(n_test, len(data.y) - n_test):
            stratify = data.y
    X, X_test, y, y_test = train_test_split(
        data.X, data.y, test_size=test_size, random_state=seed, stratify=stratify
    )
    return replace(data, X=X, y=y, X_test=X_test, y_test=y_test)
