"""Where data sets are found: a directory the user names, else OpenML."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.datasets import fetch_openml
from sklearn.utils import Bunch

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

DATA_VARIABLE = "SKLEARN_ZORB_DATA"


def data_directory(data_home: str | PathLike[str] | None = None) -> Path | None:
    """The directory that holds data files.

    Parameters
    ----------
    data_home : str or path-like or None, default=None
        The directory; None takes the one that the environment variable
        ``SKLEARN_ZORB_DATA`` names.

    Returns
    -------
    pathlib.Path or None
        None where no directory was named.
    """
    home = data_home or os.environ.get(DATA_VARIABLE)
    if not home:
        return None
    directory = Path(home).expanduser()
    if not directory.is_dir():
        origin = "data_home" if data_home else DATA_VARIABLE
        raise FileNotFoundError(f"{origin} names {str(directory)!r}, which is not a directory.")
    return directory


def find_file(patterns: Iterable[str], data_home: str | PathLike[str] | None = None) -> Path | None:
    """The first file of the data directory that matches a pattern, or None.

    Parameters
    ----------
    patterns : sequence of str
        Glob patterns relative to the directory, best first.

    data_home : str or path-like or None, default=None
        As in `data_directory`.

    Returns
    -------
    pathlib.Path or None
    """
    directory = data_directory(data_home)
    if directory is None:
        return None
    matches = (path for pattern in patterns for path in sorted(directory.glob(pattern)))
    return next(matches, None)


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of an NPZ file.

    Parameters
    ----------
    path : str or pathlib.Path

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no NPZ file, or holds anything that only pickle can read.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except FileNotFoundError as error:
        raise FileNotFoundError(f"there is no file {str(path)!r}") from error
    except Exception as error:  # a damaged file can raise anything
        reason = str(error) or type(error).__name__
        raise ValueError(
            f"{str(path)!r} is not a readable NPZ file of plain arrays: {reason}"
        ) from error


def as_bunch(arrays: Iterable[Any], **more: Any) -> Any:
    """A Bunch of data and target, and of those of a test part where there are four arrays."""
    names = ("data", "target", "data_test", "target_test")
    return Bunch(**dict(zip(names, arrays, strict=False)), **more)


def fetch(name: str, openml_name: str, filename: str, *, download: bool = True) -> Any:
    """Fetch a data set from OpenML, or say where its file is expected.

    Parameters
    ----------
    name : str
        What the data set is called here.

    openml_name : str
        What it is called there; version 1 is taken.

    filename : str
        The file that would have been read from the data directory.

    download : bool, default=True
        Whether OpenML may be asked.

    Returns
    -------
    sklearn.utils.Bunch
        As `sklearn.datasets.fetch_openml` returns it, with data frames.
    """
    advice = (
        f"Set the environment variable {DATA_VARIABLE}, or data_home, to a directory "
        f"that holds {filename}."
    )
    if not download:
        raise FileNotFoundError(f"The data set {name!r} is not on this machine. {advice}")
    try:
        return fetch_openml(openml_name, version=1, as_frame=True)
    except ImportError as error:
        raise ImportError(
            f'Reading {name!r} from OpenML needs pandas: pip install "sklearn-zorb[table]" '
            f"brings it. {advice}"
        ) from error
    except (OSError, ValueError) as error:  # no network, or OpenML refused
        raise FileNotFoundError(
            f"The data set {name!r} is not on this machine and could not be fetched from "
            f"OpenML ({error}). {advice}"
        ) from error
