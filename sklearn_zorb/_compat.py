"""The one place for scikit-learn names that are private or newer than what we require."""

from functools import cache, lru_cache

from sklearn.base import BaseEstimator
from sklearn.base import _fit_context as fit_context
from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    Options,
    RealNotInt,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

try:  # scikit-learn >= 1.9
    from sklearn.callback import CallbackSupportMixin

    HAS_CALLBACKS = True
except ImportError:  # pragma: no cover - exercised on older scikit-learn only

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands in where scikit-learn has no callbacks; fits run without them."""

    HAS_CALLBACKS = False


def has_callbacks(estimator):
    """Whether anything is to be called in a fit of `estimator`."""
    return bool(getattr(estimator, "_skl_callbacks", ()))


# values that say all of a parameter by themselves
PLAIN = frozenset({bool, int, float, str, type(None)})


class WithParameters(BaseEstimator):
    """A `BaseEstimator` that reads its constructor, and checks equal parameters, only once.

    scikit-learn does both whenever parameters are asked for and in every fit, which also copies
    and checks all of its layers.
    """

    @classmethod
    @cache
    def _get_param_names(cls):
        return super()._get_param_names()

    def _validate_params(self):
        values = self._plain_values()
        if values is None:
            super()._validate_params()
        else:
            _check_parameters(type(self), *values)

    def _plain_values(self):
        """All parameters, in the order of their names; None where one is no plain value."""
        values = [getattr(self, name) for name in self._get_param_names()]
        return values if PLAIN.issuperset(map(type, values)) else None


@lru_cache(typed=True)
def _check_parameters(cls, *values):
    """InvalidParameterError unless values are among what the constraints of a class allow."""
    parameters = dict(zip(cls._get_param_names(), values, strict=True))
    validate_parameter_constraints(cls._parameter_constraints, parameters, cls.__name__)


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
    "has_callbacks",
]
