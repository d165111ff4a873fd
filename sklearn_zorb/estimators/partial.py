"""Learning batch by batch: fixed hidden layers, a read-out solved from running sums.

The first batch fixes scaling and hidden layers. The read-out is a ridge regression on what
they give, and such a regression needs sums over rows only: after each batch it is the one that
a solve on all rows so far would give.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..auto import is_auto
from ..layers import Context, Dense, sequence
from ..layers.linear import own_solver
from ..linalg import Gram, LeastSquares
from ..memory import Memory
from .layered import model_attributes
from .plans import read_layers
from .weights import mean_weight, weight_of_one

if TYPE_CHECKING:
    from ..typing import Float
    from .data import Data
    from .fitting import Call
    from .model import FittedModel


@dataclass(frozen=True)
class Sums:
    """What later batches have to know of those before.

    Attributes
    ----------
    gram : Gram
        Of what the read-out sees, and its targets.
    unit : float
        Weight of one row of the first batch.
    heaviest : float
        Largest mean weight of the rows of a batch, in that unit.
    """

    gram: Gram
    unit: float
    heaviest: float = 0.0


def can_learn_in_batches(estimator: Any) -> bool:
    """True, or an AttributeError that says what must see all rows at once."""
    refuse_balanced_batches(estimator)
    if is_auto(estimator.layers):
        return True
    try:
        hidden, readout, tail = read_layers(estimator.layers)
    except (TypeError, ValueError):
        return True  # fit says more about a list that is no list of layers
    fixed = [pair for pair in [*hidden, readout] if not pair[1].traits.streams]
    fixed += [readout] if type(readout[1]) is not Dense else []
    fixed += [pair for pair in tail if pair[1].traits.reads_inputs]
    if fixed:
        raise AttributeError(
            f"partial_fit is not available: layer {fixed[0][0]!r} must see all rows at once. "
            "Use layers that stream, such as Dense and elementwise activations, or fit."
        )
    return True


def refuse_balanced_batches(estimator: Any) -> None:
    """AttributeError where weights of classes are to be found from all rows."""
    if isinstance(estimator.class_weight, str):
        raise AttributeError(
            "partial_fit is not available: class_weight='balanced' needs all rows at once; pass "
            "a dict of weights."
        )


def after_batch(estimator: Any, data: Data, call: Call) -> dict[str, Any]:
    """Attributes after a batch of checked data, the first one or a further one."""
    if hasattr(estimator, "sums_"):
        return learn_batch(estimator, data)
    return first_batch(estimator, data, estimator._learned(data, call))


def first_batch(estimator: Any, data: Data, attributes: dict[str, Any]) -> dict[str, Any]:
    """Attributes after a first batch: those of a fit to it, and the sums of its rows."""
    by_class = estimator.class_weight is not None
    unit = weight_of_one(data.weights, by_class)
    sums = _added(Sums(Gram(), unit), attributes["model_"], data, by_class, estimator.memory_limit)
    *history, last = attributes["history_"]
    history = [*history, {**last, "rows": sums.gram.n_rows}]
    return {**attributes, "history_": history, "sums_": sums}


def learn_batch(estimator: Any, data: Data) -> dict[str, Any]:
    """Attributes after a further batch, of checked data."""
    model, by_class = estimator.model_, estimator.class_weight is not None
    model.decoder.check(data.y)
    if model.constant is not None:
        model = model.replace(constant=model.constant.within(data.X))
    # predictions made before a row is learned are as honest as left-out ones
    outputs = model.outputs(data.X, estimator.memory_limit)
    weights = _in_unit(data, estimator.sums_.unit)
    unit = weight_of_one(weights, by_class=False)
    model = model.replace(decoder=model.decoder.update(outputs, data.y, weights, unit))
    sums = _added(estimator.sums_, model, data, by_class, estimator.memory_limit)
    solver = LeastSquares(estimator.alpha, estimator.rcond)
    model, entry = _solved(model, sums, solver)
    history = [*estimator.history_, entry]
    return {**data.columns, **model_attributes(model), "history_": history, "sums_": sums}


def _in_unit(data: Data, unit: float) -> np.ndarray | None:
    """Weights of rows in the unit of the first batch; None where all are one."""
    if data.weights is None:
        return None if unit == 1 else np.full(len(data.y), 1 / unit)
    return data.weights / unit


def _added(
    sums: Sums, model: FittedModel, data: Data, by_class: bool, memory_limit: Float | str | None
) -> Sums:
    """Sums with those of what the read-out sees of a batch, and of its targets."""
    network, dtype, weights = model.network, model.dtype, _in_unit(data, sums.unit)
    targets = model.decoder.targets(data.y)
    if network.tail:
        above = model.params[network.readout + 1 :]
        targets, _ = sequence.carry_down(network.tail, above, targets, None, Context())
    X, gram = model.restored(data.X), Gram()
    X = X.tocsr() if hasattr(X, "tocsr") else X
    for part in Memory(memory_limit).chunks(X.shape[0], model.row_bytes):
        seen = network.tapped(model.params, X[part].astype(dtype, copy=False))
        gram.add(seen, targets[part], None if weights is None else weights[part])
    heaviest = max(sums.heaviest, mean_weight(data.weights, by_class) / sums.unit)
    return replace(sums, gram=gram.merge(sums.gram), heaviest=heaviest)


def _solved(
    model: FittedModel, sums: Sums, solver: LeastSquares
) -> tuple[FittedModel, dict[str, Any]]:
    """The model with the read-out of all rows so far, and an entry for the history."""
    network = model.network
    layer, index = network.layers[network.readout], network.readout
    # beside a batch of much heavier rows, those of others hardly count
    count = sums.gram.weight / sums.heaviest
    solution = own_solver(layer, solver).solve_sums(sums.gram, count)
    readout_params = layer.with_solution(model.params[index], solution)
    params = [
        *model.params[:index],
        sequence.cast(readout_params, model.dtype),
        *model.params[index + 1 :],
    ]
    entry = {"layer": network.names[index], "index": index, "rows": sums.gram.n_rows}
    return model.replace(params=params), {**entry, **solution.report()}
