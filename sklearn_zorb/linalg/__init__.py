"""Least squares: accumulators over rows, and solvers on them."""

from .backends import (
    choose_backend,
    get_backend,
    in_precision_of,
    is_jax,
    is_traced,
    namespace,
    to_numpy,
)
from .gram import Gram
from .least_squares import LeastSquares
from .penalties import check_alpha
from .solution import Solution, Status
from .system import System

__all__ = [
    "Gram",
    "LeastSquares",
    "Solution",
    "Status",
    "System",
    "check_alpha",
    "choose_backend",
    "get_backend",
    "in_precision_of",
    "is_jax",
    "is_traced",
    "namespace",
    "to_numpy",
]
