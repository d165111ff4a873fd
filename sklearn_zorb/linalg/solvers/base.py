"""The interface of solvers: a system is prepared once, and then solved for any penalty."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..left_out import left_out, over_rows
from ..penalties import START, TOLERANCE, least, search
from ..solution import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import SimpleNamespace

    from ...typing import Array, Result
    from ..backends import Backend
    from ..gram import Gram
    from ..penalties import Score
    from ..system import Chunk, System

# rows of a matrix beyond which whole decades of penalties are fine enough: the valley is flat, and
# each try costs two thirds of d^3 flops
FLAT = 3000
# and up to which all of the penalties are tried
SMALL = 300


class Factors(ABC):
    """What a solver made of a system, with centred rows X, targets T and weights w.

    Made by `prepare`, and not kept in what is fitted.

    Parameters
    ----------
    ops : NumpyBackend or JaxBackend
    sums : Gram, or an object with these attributes of it
        ``weight``, ``mean``, ``target_mean``, ``target_squares`` and ``centre``.

    Attributes
    ----------
    method : str
        The name of the solver.
    mean_eigenvalue : float
        Of the centred Gram matrix, set by each solver from what it has at hand.
    """

    method = ""
    mean_eigenvalue: float

    def __init__(self, ops: Backend, sums: Gram | SimpleNamespace) -> None:
        self.ops = ops
        self.weight, self.centred = sums.weight, sums.centre
        self.mean, self.target_mean = sums.mean, sums.target_mean
        self.target_squares = sums.target_squares

    @classmethod
    def prepare(cls, system: Any) -> Self:
        """The factors of a `Gram`, or of a `System` where rows themselves are decomposed."""
        return cls(system)  # type: ignore[call-arg]  # of those that leave this method as it is

    @abstractmethod
    def solve(self, alpha: float) -> Array:
        """Coefficients of shape (n_features, n_targets)."""

    @abstractmethod
    def dof(self, alpha: float) -> float:
        """Effective degrees of freedom, the intercept not counted."""

    @abstractmethod
    def residual_squares(self, alpha: float) -> float:
        """Weighted sum of squared residuals over rows and targets."""

    @abstractmethod
    def variance(self, weights: Array) -> float:
        """Variance of rows @ weights, summed over the columns of `weights`."""

    @abstractmethod
    def project(self, centred: Array, alphas: np.ndarray) -> tuple[Array, Array]:
        """Leverages (n, n_alphas) of centred rows and what is fitted (n, n_targets, n_alphas)."""

    @staticmethod
    @abstractmethod
    def loo_flops(system: System, n_alphas: int) -> float:
        """Cost of leaving out every row in turn; 0 where that comes with the solution."""

    @property
    def order(self) -> int:
        """Rows of the matrix that is factorised."""
        return len(self.mean)

    def status(self, alpha: float) -> Status:
        """How the solve at this penalty went."""
        return Status.OK

    def left_out(self, chunk: Chunk, alphas: np.ndarray) -> tuple[Array, Array]:
        """What `left_out.left_out` returns of rows, targets and weights, and a penalty each."""
        return left_out(self, chunk, alphas)

    def each_left_out(
        self, system: System, alphas: Sequence[float] | np.ndarray, take: Callable[..., Result]
    ) -> Iterator[Result]:
        """``take(ops, targets, weights, residuals, spare)`` for all rows, piece by piece."""
        return over_rows(self, system, alphas, take)

    def best(self, score: Score, alphas: np.ndarray) -> tuple[int, np.ndarray]:
        """Place of the best of several penalties, and the errors of those that were tried.

        Here a walk, as each penalty takes a factorisation, but for small ones. `score` takes
        penalties and returns errors.
        """

        def at(place: int) -> float:
            return score(alphas[place : place + 1])[0]

        if self.order <= SMALL or len(alphas) == 1:
            # there may be a second valley where rows come in copies
            errors = np.array([at(place) for place in range(len(alphas))])
            return least(errors), errors
        steps = (2, 1) if self.order <= FLAT else (2,)
        return search(at, len(alphas), START, steps, TOLERANCE)
