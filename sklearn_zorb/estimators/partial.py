"""Learning batch by batch: fixed hidden layers, a read-out solved from running sums."""

import math

import numpy as np

from ..auto import is_auto
from ..layers import Dense, sequence
from ..layers.rows import side_by_side
from ..linalg import Gram
from ..memory import Memory
from .weights import mean_weight, weighs_classes, weight_of_one


def can_learn_in_batches(estimator):
    """True, or an AttributeError that says what must see all rows at once."""
    refuse_balanced_batches(estimator)
    if is_auto(estimator.layers):
        return True
    try:
        hidden, readout, tail = estimator._resolve(None)
    except (TypeError, ValueError):
        return True  # fit says more about a list that is no list of layers
    fixed = [pair for pair in [*hidden, readout] if not pair[1].streams]
    fixed += [readout] if type(readout[1]) is not Dense else []
    fixed += [pair for pair in tail if pair[1].needs_inputs]
    if fixed:
        raise AttributeError(
            f"partial_fit is not available: layer {fixed[0][0]!r} must see all rows at once. "
            "Use layers that stream, such as Dense and elementwise activations, or fit."
        )
    return True


def refuse_balanced_batches(estimator):
    """AttributeError where weights of classes are to be found from all rows."""
    if isinstance(getattr(estimator, "class_weight", None), str):
        raise AttributeError(
            "partial_fit is not available: class_weight='balanced' needs all rows at once; pass "
            "a dict of weights."
        )


class PartialFitMixin:
    """The steps of ``partial_fit``, to stand left of `BaseLayered`.

    The first batch fixes scaling and hidden layers. The read-out is a ridge regression on
    what they give, and such a regression needs sums over rows only: after each batch it is
    the one that a solve on all rows so far would give.
    """

    # during a first call: its classes, or () where there are none
    _first_classes = None

    def _learn_batch(self, X, y, sample_weight, classes=()):
        """One call of partial_fit."""
        if hasattr(self, "_sums"):
            X, y, weights, mean = self._batch(X, y, sample_weight)
            encoder = self._encode_more(y)
            # predictions made before a row is learned are as honest as left-out ones
            self._judge(self._outputs_of(X), encoder, weights)
        else:
            self._first_classes = classes
            try:
                self.fit(X, y, sample_weight=sample_weight)
            finally:
                del self._first_classes
            X, y, weights, mean = self._batch(X, y, sample_weight)
            encoder = self._encode_more(y)
            self._sums, self._heaviest = Gram(), 0.0
        self._add_to_sums(X, encoder.targets, weights)
        self._heaviest = max(self._heaviest, mean)
        self._solve_from_sums()
        return self

    def _batch(self, X, y, sample_weight):
        """Checked rows, weights in the unit of the first batch, and their mean for each row."""
        X, y, weights = self._prepare(X, y, sample_weight, reset=False)
        by_class = weighs_classes(self)
        if not hasattr(self, "_sums"):
            self._unit = weight_of_one(weights, by_class)
        mean = mean_weight(weights, by_class) / self._unit
        if weights is None and self._unit != 1:
            weights = np.ones(len(y))
        return X, y, None if weights is None else weights / self._unit, mean

    def _add_to_sums(self, X, targets, weights):
        """Add what the read-out sees of these rows, and its targets."""
        network, readout = self._network, self._network.readout
        if network.tail:
            values, _ = sequence.invert(
                network.tail, self.params_[readout + 1 :], targets.values, None
            )
            targets = targets.with_values(values)
        X = X.tocsr() if hasattr(X, "tocsr") else X
        width = sum(math.prod(shape) for shape in network.shapes())
        for part in Memory(self.memory_limit).chunks(X.shape[0], 16 * width):
            rows = X[part].astype(self._fit_dtype, copy=False)
            seen = side_by_side(network.tapped(self.params_, rows))
            self._sums.add(seen, targets[part], None if weights is None else weights[part])

    def _solve_from_sums(self):
        """The read-out of all rows so far."""
        index = self._network.readout
        layer = self._network.layers[index]
        # beside a batch of much heavier rows, those of others hardly count
        count = self._sums.weight / self._heaviest
        solution = layer.solver(self._solver()).solve_sums(self._sums, count)
        self.params_[index] = {
            "weights": solution.coef.astype(self._fit_dtype),
            "intercept": solution.intercept.astype(self._fit_dtype),
        }
        entry = {"layer": self._network.names[index], "index": index, "rows": self._sums.n_rows}
        self.history_.append({**entry, **solution.report()})
