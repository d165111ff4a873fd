"""Tables read from CSV files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import Bunch

from .optional import import_optional
from .sources import DATA_VARIABLE, data_directory, fetch, find_file

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

    from numpy.typing import ArrayLike

BOSTON_FILES = ("tabular/boston.csv", "boston.csv")
_MAX_CLASSES = 20  # whole numbers of more distinct values are quantities


def infer_task(target: ArrayLike) -> str:
    """Whether a column of targets holds classes or quantities.

    Parameters
    ----------
    target : array-like of shape (n_samples,)
        No value is missing.

    Returns
    -------
    str
        "classification" for text, booleans, and whole numbers of at most 20 distinct
        values that each occur twice on average; else "regression".

    Examples
    --------
    >>> from sklearn_zorb.datasets.tables import infer_task
    >>> infer_task(["yes", "no"]), infer_task([0, 1, 1, 0]), infer_task([0.5, 1.5])
    ('classification', 'classification', 'regression')
    """
    values = np.asarray(target)
    if values.dtype.kind not in "iuf":
        return "classification"
    distinct = np.unique(values)
    whole = np.array_equal(distinct, np.round(distinct))
    few = len(distinct) <= min(_MAX_CLASSES, len(values) / 2)
    return "classification" if whole and few else "regression"


def table_names(data_home: str | PathLike[str] | None = None) -> list[str]:
    """Names that `load_table` knows.

    Parameters
    ----------
    data_home : str or path-like, default=None
        As in `load_table`.

    Returns
    -------
    list of str
        Empty where no directory was named.
    """
    directory = data_directory(data_home)
    return [] if directory is None else sorted(p.stem for p in directory.glob("tabular/*.csv"))


def load_table(
    name: str, *, data_home: str | PathLike[str] | None = None, return_X_y: bool = False
) -> Any:
    """Load a table of the data directory, ``tabular/<name>.csv``.

    The file has a header; its last column, ``target``, is the target. An empty cell is a
    missing value and text columns are categories. The task is what ``tabular/index.json``
    says (``{"<name>": {"task": "regression"}}``), where there is such a file, else it is
    told from the target.

    Parameters
    ----------
    name : str
        Name of the file without its ending.

    data_home : str or path-like, default=None
        The data directory; None takes the one that the environment variable
        ``SKLEARN_ZORB_DATA`` names.

    return_X_y : bool, default=False
        Whether to return ``(data, target)`` in place of the Bunch.

    Returns
    -------
    table : sklearn.utils.Bunch
        With the attributes

        data : DataFrame of shape (n_samples, n_features)
            Text columns have the dtype "category".
        target : ndarray of shape (n_samples,)
            Classes or quantities.
        feature_names : list of str
            The names of the columns.
        task : str
            "classification" or "regression".

    Examples
    --------
    >>> from sklearn_zorb.datasets import load_table
    >>> load_table("penguins").data.shape  # doctest: +SKIP
    (344, 6)
    """
    names = table_names(data_home)
    if name not in names:
        known = f"it holds {', '.join(names)}" if names else "no table was found"
        raise FileNotFoundError(
            f"There is no table {name!r}: set the environment variable {DATA_VARIABLE}, or "
            f"data_home, to a directory that holds tabular/{name}.csv ({known})."
        )
    pandas = import_optional("pandas", "Reading tables")
    folder: Any = data_directory(data_home)  # there, as the table is
    frame = pandas.read_csv(folder / "tabular" / f"{name}.csv")
    text = [column for column in frame if not pandas.api.types.is_numeric_dtype(frame[column])]
    data, target = frame.iloc[:, :-1], frame.iloc[:, -1].to_numpy()
    data = data.astype({column: "category" for column in text if column in data})
    if return_X_y:
        return data, target
    task = _indexed_task(folder / "tabular" / "index.json", name) or infer_task(target)
    return Bunch(data=data, target=target, feature_names=list(data.columns), task=task)


def _indexed_task(path: Path, name: str) -> str | None:
    """The task that the index names for a table, or None."""
    if not path.is_file():
        return None
    return json.loads(path.read_text(encoding="utf-8")).get(name, {}).get("task")


def load_boston(
    *,
    data_home: str | PathLike[str] | None = None,
    return_X_y: bool = False,
    download_if_missing: bool = True,
) -> Any:
    """Load the Boston housing data: 506 districts, 13 features, median price in 1000 $.

    It is kept because ZORB was published on it. One of its features encodes a harmful
    assumption about race, for which scikit-learn withdrew the set: use it to reproduce
    published numbers only.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The directory of ``tabular/boston.csv`` or ``boston.csv``; None takes the one that
        the environment variable ``SKLEARN_ZORB_DATA`` names. Where there is no file, the
        set is fetched from OpenML.

    return_X_y : bool, default=False
        Whether to return ``(data, target)`` in place of the Bunch.

    download_if_missing : bool, default=True
        Whether to ask OpenML where there is no file, or raise `FileNotFoundError` at once.

    Returns
    -------
    boston : sklearn.utils.Bunch
        ``data``, float64 of shape (506, 13); ``target``, float64 of shape (506,);
        ``feature_names``; ``task``, "regression".

    Examples
    --------
    >>> from sklearn_zorb.datasets import load_boston
    >>> load_boston().data.shape  # doctest: +SKIP
    (506, 13)
    """
    path = find_file(BOSTON_FILES, data_home)
    if path is None:
        openml = fetch("boston", "boston", BOSTON_FILES[0], download=download_if_missing)
        names = list(openml.data.columns)
        data, target = openml.data.to_numpy(np.float64), openml.target.to_numpy(np.float64)
    else:
        with open(path, encoding="utf-8") as file:
            *names, _ = file.readline().strip().split(",")
            rows = np.loadtxt(file, delimiter=",", ndmin=2)
        data, target = rows[:, :-1], rows[:, -1]
    if return_X_y:
        return data, target
    return Bunch(data=data, target=target, feature_names=names, task="regression")
