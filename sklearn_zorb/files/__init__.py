"""Models in files: plain data that run no code when they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _version
from ..writing import write_beside
from .container import read_container, write_container
from .pack import pack
from .registry import TRUSTED_TYPES
from .unpack import unpack

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike


def save(model: Any, path: str | PathLike[str]) -> None:
    """Save a model in a file that holds data only, no code.

    The file is written beside the old one and moved into its place.

    Parameters
    ----------
    model : estimator, Pipeline or dict
        One of this package, fitted or not, a pipeline around it, or a dict of plain values and
        such estimators. Models of other packages, as an `EstimatorLayer` or a pipeline holds
        them, are saved with skops.
    path : str or path-like

    Raises
    ------
    TypeError
        If the model is none of these.
    ValueError
        If it holds a function, or anything else that a file without code cannot hold; it is
        named.
    ImportError
        If it holds models of other packages, and skops is not installed.
    OSError
        If the file cannot be written; what had been there is unchanged.

    See Also
    --------
    load : Read it again.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_zorb import ZORBClassifier, load, save
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ZORBClassifier("Dense[16] Tanh", random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, Path(folder, "iris.zorb"))
    ...     again = load(Path(folder, "iris.zorb"))
    >>> again
    ZORBClassifier(layers='Dense[16] Tanh', random_state=0)
    >>> again.predict(X[::50]).tolist()
    [0, 1, 2]
    """
    if not isinstance(model, dict) and (
        isinstance(model, type) or not hasattr(model, "get_params")
    ):
        raise TypeError(f"save takes an estimator, a Pipeline or a dict of such; got {model!r}.")
    parts = write_container(*pack(model), _version.__version__)
    with write_beside(path) as file:
        for part in parts:
            file.write(part)


def load(path: str | PathLike[str], trusted: Sequence[str] = ()) -> Any:
    """Load a model that `save` wrote.

    A SHA-256 digest of the whole file is compared first, then sizes, and only classes of a fixed
    list are made. No code of the file runs: there is none in it.

    Parameters
    ----------
    path : str or path-like
    trusted : list or tuple of str, default=()
        Full names of types of other packages that the file may hold, such as
        ``"sklearn.tree._tree.Tree"``. An error names those that it asks for. Such types may run
        code: name them for files only whose origin you trust.

    Returns
    -------
    model : estimator, Pipeline or dict
        It predicts what the saved one predicts.

    Raises
    ------
    ValueError
        If the file is damaged, is none of `save`, is of a later format, or holds types that are
        not trusted.
    ImportError
        If it holds models of other packages, and skops is not installed.
    OSError
        If the file cannot be read.

    See Also
    --------
    save : Write such a file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_zorb import load
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "notes.txt")
    ...     _ = path.write_text("not a model")
    ...     load(path)
    Traceback (most recent call last):
    ...
    ValueError: ...notes.txt' is no model file of sklearn-zorb.
    """
    if not isinstance(trusted, list | tuple) or not all(isinstance(one, str) for one in trusted):
        raise TypeError(f"trusted={trusted!r}; pass a list of full names of types.")
    return unpack(*read_container(path), path, trusted)


__all__ = ["TRUSTED_TYPES", "load", "save"]
