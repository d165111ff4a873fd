"""Estimators whose rows lie on the workers of a Dask cluster."""

try:
    import distributed as _distributed  # noqa: F401
except ImportError as error:
    raise ImportError(
        "sklearn_zorb.dask needs dask and distributed: pip install 'sklearn-zorb[dask]'"
    ) from error

from .estimators import DaskZORBClassifier, DaskZORBRegressor

__all__ = ["DaskZORBClassifier", "DaskZORBRegressor"]
