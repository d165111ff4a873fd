"""The one place for scikit-learn names that are private or newer than what we require."""

from functools import cache

from sklearn.base import BaseEstimator
from sklearn.base import _fit_context as fit_context
from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    Options,
    RealNotInt,
    StrOptions,
)
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

try:  # scikit-learn >= 1.9
    from sklearn.callback import CallbackSupportMixin

    HAS_CALLBACKS = True
except ImportError:  # pragma: no cover - exercised on older scikit-learn only

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands in where scikit-learn has no callbacks; fits run without them."""

    HAS_CALLBACKS = False


class WithParameters(BaseEstimator):
    """A `BaseEstimator` that reads the signature of its constructor once for each class.

    scikit-learn reads it whenever parameters are asked for, and every fit copies its layers.
    """

    @classmethod
    @cache
    def _get_param_names(cls):
        return super()._get_param_names()


__all__ = [
    "HAS_CALLBACKS",
    "CallbackSupportMixin",
    "Interval",
    "InvalidParameterError",
    "Options",
    "RealNotInt",
    "StrOptions",
    "WithParameters",
    "check_sample_weight",
    "fit_context",
]
