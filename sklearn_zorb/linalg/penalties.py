"""Penalties: the grid, the search over it, and which of the best to take."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..typing import Float

    # errors of penalties
    Score: TypeAlias = Callable[[np.ndarray], np.ndarray]

# mean eigenvalue times 10^-6 .. 10^3 in half decades
RELATIVE_ALPHAS = 10.0 ** np.arange(-6, 3.25, 0.5)
# where a search begins: 10^-2
START = 8
# mean eigenvalue below which the least penalty underflows; what is as small counts as nothing
SMALLEST_MEAN = np.finfo(np.float64).tiny / RELATIVE_ALPHAS[0]
# relative difference of leave-one-out errors that is no difference
TOLERANCE = 1e-4
# and one that only rounding makes
ROUNDING = 1e-8


def check_alpha(alpha: Any) -> None:
    """Raise ValueError unless alpha is "loo" or a finite number >= 0."""
    if isinstance(alpha, str) and alpha == "loo":
        return
    number = isinstance(alpha, Real) and not isinstance(alpha, bool)
    if number and 0 <= alpha < np.inf:
        return
    raise ValueError(f"alpha={alpha!r}; pass 'loo' or a finite number >= 0.")


def penalties(alpha: Float | str, mean_eigenvalue: float) -> np.ndarray:
    """Penalties to try: the grid for "loo", or the one that is given."""
    if alpha == "loo":
        return RELATIVE_ALPHAS * (mean_eigenvalue if mean_eigenvalue > SMALLEST_MEAN else 1.0)
    return np.array([float(alpha)])


def least(errors: np.ndarray) -> int:
    """Place of the largest penalty that is as good as the best one.

    Where rows are interpolated the error does not depend on the penalty, and rounding would
    choose; more penalty is the better conditioned choice.
    """
    best = errors.min()
    if np.isnan(best):
        raise np.linalg.LinAlgError("errors of rows left out are not finite.")
    return int((errors <= best + TOLERANCE * abs(best)).nonzero()[0][-1])


def search(
    score: Callable[[int], float],
    n_places: int,
    start: int,
    steps: Sequence[int] = (1,),
    tolerance: float = 0.0,
) -> tuple[int, np.ndarray]:
    """Walk downhill over a grid on which errors have one valley, with shorter and shorter steps.

    Parameters
    ----------
    score : callable
        Error at a place, asked for once at each.
    n_places, start : int
        Size of the grid, and where to begin.
    steps : sequence of int, default=(1,)
        Distances to the places beside the present one, in the order of their use.
    tolerance : float, default=0.0
        Relative difference of errors that is no difference: as far as that the walk goes on to
        larger penalties.

    Returns
    -------
    place : int
    errors : ndarray of shape (n_places,)
        Infinite where nothing was asked for.
    """
    errors, visited = np.full(n_places, np.inf), set()

    def visit(place: int) -> float:
        if not 0 <= place < n_places:
            return np.nan
        if place not in visited:
            visited.add(place)
            errors[place] = score(place)
        return errors[place]

    place = start
    visit(place)
    for step in steps:
        for move in (-step, step):
            before = place
            while visit(place + move) < errors[place] * (1 - ROUNDING):
                place += move
            if place != before:
                # one valley: what lies on the other side is higher
                break
    most = errors[place] * (1 + max(tolerance, ROUNDING))
    while visit(place + steps[-1]) <= most:
        place += steps[-1]
    return place, errors
