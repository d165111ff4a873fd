"""Least squares of rows that lie elsewhere: their sums are all that comes here."""

from functools import partial

from ..linalg import Gram, System
from .remote import View, kept, total
from .rows import Rows
from .targets import Targets


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
        self, make, inputs, targets, weights, n_rows, n_features, n_targets, fit_intercept
    ):
        super().__init__(None, (), n_rows, n_features, n_targets, "numpy", fit_intercept)
        self._make, self._tables = make, (inputs, targets, weights)

    def total(self, function, add):
        return total(partial(_of_system, self._make, function), add, *self._tables)

    def table(self, function):
        return kept(View(partial(_of_system, self._make, function), *self._tables))

    def gram(self):
        return self.total(System.gram, Gram.merge)

    def sample(self, n_rows):
        return self._at_hand(slice(None, None, max(1, self.n_rows // n_rows)))

    def chunks(self):
        return self._at_hand(slice(None)).chunks()

    def gather(self):
        return self._at_hand(slice(None)).gather()

    def _at_hand(self, part):
        """Some of the rows, brought here."""
        inputs, targets, weights = self._tables
        own = None if weights is None else weights[part]
        return self._make(Rows(inputs[part]), Targets(targets[part]), own)


def _of_system(make, function, inputs, targets, weights):
    # a first row, which tells shapes, comes as an array
    targets = targets if isinstance(targets, Targets) else Targets(targets)
    return function(make(Rows.of(inputs), targets, weights))
