"""Packages that only some functions need, imported when they do."""

from __future__ import annotations

from importlib import import_module
from typing import Any

EXTRAS = {
    "pandas": "table",
    "pyarrow": "parquet",
    "matplotlib": "demo",
    "optuna": "automl",
    "flaml": "automl",
    "tpot": "automl",
    "ConfigSpace": "automl",
    "autogluon": "autogluon",
}


def import_optional(name: str, purpose: str) -> Any:
    """Import a package, or say which extra of sklearn-zorb brings it.

    Parameters
    ----------
    name : str
        A key of ``EXTRAS``, or a module of such a package.

    purpose : str
        What needs it, to begin the error message: ``"Reading Parquet files"``.

    Returns
    -------
    module
    """
    try:
        return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise ImportError(
            f"{purpose} needs {package}, which is not installed: "
            f'pip install "sklearn-zorb[{EXTRAS[package]}]" brings it.'
        ) from error
