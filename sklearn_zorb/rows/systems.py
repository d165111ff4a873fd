"""Least squares of rows that lie elsewhere: their sums are all that comes here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ..linalg import Gram, System
from .remote import View, kept, total
from .rows import Rows
from .targets import Targets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..linalg.system import Chunk


class RemoteSystem(System):
    """Rows, targets and weights in a store; each block of them is a `System` where it lies.

    Parameters
    ----------
    make : callable
        ``make(inputs, targets, weights)`` of rows that are at hand gives their `System`.
    inputs : Rows
    targets : Targets
    weights : Remote, View or None
    n_rows, n_features, n_targets, fit_intercept
        As of `System`.
    """

    here = False

    def __init__(
        self,
        make: Callable[..., System],
        inputs: Rows,
        targets: Targets,
        weights: Any,
        n_rows: int,
        n_features: int,
        n_targets: int,
        fit_intercept: bool,
    ) -> None:
        nothing: Any = None  # parts are read where they lie
        super().__init__(nothing, (), n_rows, n_features, n_targets, "numpy", fit_intercept)
        self._make, self._tables = make, (inputs, targets, weights)

    def total(self, function: Callable[..., Any], add: Callable[[Any, Any], Any]) -> Any:
        return total(partial(_of_system, self._make, function), add, *self._tables)

    def table(self, function: Callable[..., Any]) -> Any:
        return kept(View(partial(_of_system, self._make, function), *self._tables))

    def gram(self) -> Gram:
        return self.total(System.gram, Gram.merge)

    def sample(self, n_rows: int) -> System:
        return self._at_hand(slice(None, None, max(1, self.n_rows // n_rows)))

    def chunks(self) -> Iterator[Chunk]:
        return self._at_hand(slice(None)).chunks()

    def gather(self) -> Chunk:
        return self._at_hand(slice(None)).gather()

    def _at_hand(self, part: slice) -> System:
        """Some of the rows, brought here."""
        inputs, targets, weights = self._tables
        part_weights = None if weights is None else weights[part]
        return self._make(Rows(inputs[part]), Targets(targets[part]), part_weights)


def _of_system(
    make: Callable[..., System],
    function: Callable[..., Any],
    inputs: Any,
    targets: Any,
    weights: Any,
) -> Any:
    # a first row, which tells shapes, comes as an array
    targets = targets if isinstance(targets, Targets) else Targets(targets)
    return function(make(Rows.of(inputs), targets, weights))
