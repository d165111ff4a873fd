"""Arguments that have new names: the old ones work for a while, with a warning.

Functions, classes and attributes keep old names by ``sklearn.utils.deprecated``.
"""

from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from .typing import Method


def renamed(removed_in: str, **names: str) -> Callable[[Method], Method]:
    """Let a function take arguments by the names that they had before, too.

    Parameters
    ----------
    removed_in : str
        The version without the old names.
    **names : str
        The new name of each old one.

    Returns
    -------
    decorate : callable

    Warns
    -----
    FutureWarning
        In a call by an old name.

    Raises
    ------
    TypeError
        In a call by both.

    Examples
    --------
    >>> from sklearn_zorb.deprecation import renamed
    >>> @renamed("0.4", width="units")
    ... def layer(units):
    ...     return f"{units} units"
    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     layer(width=8)
    '8 units'
    >>> print(caught[0].message)
    layer: width is called units now; the old name will be removed in version 0.4.
    """

    def decorate(function: Method) -> Method:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            for old in names.keys() & kwargs.keys():
                new = names[old]
                if new in kwargs:
                    raise TypeError(f"{function.__qualname__}: {old} is the old name of {new}.")
                warnings.warn(
                    f"{function.__qualname__}: {old} is called {new} now; the old name will be "
                    f"removed in version {removed_in}.",
                    FutureWarning,
                    stacklevel=2,
                )
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return call  # type: ignore[return-value]

    return decorate
