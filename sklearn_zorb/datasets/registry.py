"""All data sets by name."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

from sklearn import datasets as sklearn_datasets
from sklearn.utils import check_random_state

from .flats import make_flats
from .generated import make_sinc, make_two_spirals, make_xor
from .images import IMAGE_SETS
from .sources import as_bunch, find_file
from .tables import BOSTON_FILES, load_boston, load_table, table_names

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

    import numpy as np

    from ..typing import RandomState

_GENERATED = {
    "flats": "regression",
    "sinc": "regression",
    "two_spirals": "classification",
    "xor": "classification",
}
_BUNDLED = {
    "breast_cancer": "classification",
    "diabetes": "regression",
    "digits": "classification",
    "iris": "classification",
    "wine": "classification",
}


class DatasetInfo(NamedTuple):
    """Describe one data set: an entry of `list_datasets`.

    Parameters
    ----------
    name : str
        What `load_dataset` calls it.

    task : str
        "classification" or "regression", or "" where it is known only once read.

    source : str
        Where it comes from.

    available : bool
        Whether it can be had without a download.
    """

    name: str
    task: str
    source: str
    available: bool


def list_datasets(*, data_home: str | PathLike[str] | None = None) -> list[DatasetInfo]:
    """List the data sets that `load_dataset` knows.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The data directory; None takes the one that the environment variable
        ``SKLEARN_ZORB_DATA`` names.

    Returns
    -------
    list of DatasetInfo
        Named tuples ``(name, task, source, available)``.

    Examples
    --------
    >>> from sklearn_zorb.datasets import list_datasets
    >>> list_datasets()[0]
    DatasetInfo(name='flats', task='regression', source='formula', available=True)
    """
    generated = [DatasetInfo(name, task, "formula", True) for name, task in _GENERATED.items()]
    bundled = [DatasetInfo(name, task, "scikit-learn", True) for name, task in _BUNDLED.items()]
    images = [
        _downloadable(name, "classification", image_set.locate(data_home))
        for name, image_set in IMAGE_SETS.items()
    ]
    boston = _downloadable("boston", "regression", find_file(BOSTON_FILES, data_home))
    known = [*generated, *bundled, *images, boston]
    names = {info.name for info in [*images, boston]}
    tables = [
        DatasetInfo(name, "", f"tabular/{name}.csv", True)
        for name in table_names(data_home)
        if name not in names
    ]
    return known + tables


def _downloadable(name: str, task: str, path: Path | None) -> DatasetInfo:
    return DatasetInfo(name, task, "OpenML" if path is None else str(path), path is not None)


def load_dataset(
    name: str,
    *,
    data_home: str | PathLike[str] | None = None,
    random_state: RandomState = None,
    download_if_missing: bool = True,
) -> Any:
    """Load a data set by its name.

    Parameters
    ----------
    name : str
        "flats", "xor", "two_spirals" or "sinc" (drawn); "breast_cancer", "diabetes", "digits",
        "iris" or "wine" (of scikit-learn); "boston", "mnist", "fashion_mnist", "kmnist",
        "cifar10" or "cifar100" (files, or OpenML); or a table of the data directory.

    data_home : str or path-like, default=None
        The data directory; None takes the one that the environment variable
        ``SKLEARN_ZORB_DATA`` names.

    random_state : int, RandomState instance or None, default=None
        Seeds the sets that are drawn.

    download_if_missing : bool, default=True
        Whether OpenML may be asked for a set that is not on this machine.

    Returns
    -------
    dataset : sklearn.utils.Bunch
        ``data``, ``target`` and ``task``, and what else the loader gives. Where there is a
        test part of its own (xor, sinc and the image sets), ``data_test`` and
        ``target_test``.

    Examples
    --------
    >>> from sklearn_zorb.datasets import load_dataset
    >>> xor = load_dataset("xor", random_state=0)
    >>> xor.task, xor.data.shape, xor.data_test.shape
    ('classification', (1000, 2), (1000, 2))
    """
    if not isinstance(name, str):
        raise TypeError(
            f"name={name!r} is no text; pass a name of list_datasets(), such as 'iris'. Tables of "
            "your own are read from the data directory, by their name."
        )
    if name in _GENERATED:
        return _generated(name, check_random_state(random_state))
    if name in _BUNDLED:
        bunch = getattr(sklearn_datasets, f"load_{name}")()
        bunch.task = _BUNDLED[name]
        return bunch
    if name in IMAGE_SETS:
        return IMAGE_SETS[name].load(data_home, download_if_missing=download_if_missing)
    if name == "boston":
        return load_boston(data_home=data_home, download_if_missing=download_if_missing)
    if name in table_names(data_home):
        return load_table(name, data_home=data_home)
    raise ValueError(_unknown(name, data_home))


def _unknown(name: str, data_home: str | PathLike[str] | None) -> str:
    """The message for a name that no data set has."""
    names = [info.name for info in list_datasets(data_home=data_home)]
    close = get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"Unknown data set {name!r}: {hint}The names are {', '.join(names)}."


def _generated(name: str, rng: np.random.RandomState) -> Any:
    """A set drawn from its formula, with the test part it was published with."""
    if name == "sinc":
        arrays: tuple[Any, ...] = *make_sinc(), *make_sinc(6001, low=-30, high=30)
    elif name == "flats":
        arrays = make_flats(600, random_state=rng)
    elif name == "xor":
        arrays = *make_xor(random_state=rng), *make_xor(random_state=rng)
    else:
        arrays = make_two_spirals(random_state=rng)
    return as_bunch(arrays, task=_GENERATED[name])
