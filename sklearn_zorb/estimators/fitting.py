"""The shared fit: from checked data to a fitted model, without touching the estimator."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_random_state

from .._compat import unlogged
from ..layers import Context, Reshape, Standardize, sequence
from ..linalg import choose_backend, get_backend, is_jax
from ..network import Network, fill_widths, fits
from ..rows import Rows, Targets
from ..rows.device import padded_weights, repeat_first, runs_on_device, upload, with_weights_there
from ..rows.remote import mapped, store_of, total
from .data import check_size
from .encoding import encoded
from .model import FittedModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..decoders import Decoder
    from ..linalg.backends import Backend
    from ..network import Pair
    from ..typing import RandomState
    from .data import Data
    from .plans import Plan


@dataclass(frozen=True)
class Call:
    """What a call of `fit` or `partial_fit` knows beside its data.

    Attributes
    ----------
    classes : ndarray or None
        All classes, where some may be missing in y.
    batch : bool
        Whether more rows are to come.
    """

    classes: np.ndarray | None = None
    batch: bool = False


@dataclass(frozen=True)
class Fit:
    """What training gave: the model, and what the rule tells of it."""

    model: FittedModel
    history: list[dict[str, Any]]
    status: str
    left_out: np.ndarray | None


def train(
    plan: Plan,
    data: Data,
    decoder: Decoder,
    report_to: Callable[[int, FittedModel], Any],
    before: Any = None,
) -> Fit:
    """Train the network of a plan.

    Parameters
    ----------
    plan : Plan
    data : Data
        Prepared.
    decoder : Classes, Labels or Numbers
    report_to : callable
        ``report_to(n_steps, model)`` gives a `Progress`; `model` has the initial params.
    before : FittedModel or None
        What training goes on from, where its params fit the network.

    Returns
    -------
    Fit
    """
    targets, y = decoder.targets(data.y), mapped(decoder.codes, data.y)
    check_size(targets.values, "y", plan.dtype, squared=True)
    rows = _in_precision(data.X, plan)
    backend = get_backend(_backend_name(plan, rows))
    fill_widths(plan.hidden, plan.readout, decoder.n_outputs)
    front, plan = encoded(plan, data)
    with backend.scope(), unlogged():
        context = Context(
            sample_weight=data.weights, rng=_generator(plan.random_state), y=y, y_targets=targets,
            task=decoder.task, backend=backend.name, dtype=plan.dtype, memory=plan.memory,
            **plan.settings,
        )  # fmt: skip
        inputs, context = _feed(rows, plan, backend, context)
        network = Network.build(
            [*front, *_front(plan, inputs)], plan.hidden, plan.readout, plan.tail,
            inputs.shape[1:], plan.taps,
        )  # fmt: skip
        network.refuse_size(len(inputs), plan.memory)
        streams = context.rng.spawn(3)
        fresh = network.init(streams[0], (inputs, context.y, context.sample_weight))
        going_on = before is not None and fits(before.params, fresh)
        params = sequence.cast(before.params if going_on else fresh, plan.dtype)
        constant = data.constant
        if going_on:
            constant = before.constant and before.constant.shared(data.constant)
        if is_jax(inputs.source):
            params = with_weights_there(params, backend)
        model = FittedModel(
            network, params, decoder, plan.dtype, backend.name, constant, data.schema,
            data.means(), 16 * network.working_width,
        )  # fmt: skip
        takes_state = plan.rule.incremental or plan.rule.resumes
        options = {"state": before.state} if going_on and takes_state else {}
        steps = plan.rule.n_steps(network)
        with report_to(steps, model) as progress, refused_overflow(data, plan) as found:
            context = context.replace(rng=streams[1], on_block=getattr(progress, "on_block", None))
            result = plan.rule.fit(
                network, params, inputs, context.y_targets, context, on_step=progress, **options
            )
            found.append(result.params)
            if result.left_out is not None:
                # decoders square them
                found.append(total(_squares, np.add, result.left_out))
        model, left_out = model.replace(params=result.params, state=result.state), result.left_out
        if left_out is not None:
            outputs = left_out if store_of(left_out) is not None else left_out[: len(targets)]
            left_out = mapped(partial(network.finish, model.params), outputs)
    return Fit(model, result.history, result.status, left_out)


@contextmanager
def refused_overflow(data: Data, plan: Plan) -> Iterator[list[Any]]:
    """Within this context floating-point errors are silent.

    At its end, NaN or infinity in the arrays that were appended to the list that it gives is a
    ValueError.
    """
    found: list[Any] = []
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            yield found
        overflown = not _is_finite(found)
        cause = None
    except np.linalg.LinAlgError as error:
        overflown, cause = True, error
    if overflown:
        raise ValueError(
            f"numbers overflow in {plan.dtype} while layers are solved: X holds up to "
            f"{_largest(data.X):.2g}, y up to {_largest(data.y):.2g}; scale them, as "
            "standardize=True does, pass dtype='float64', or a larger alpha."
        ) from cause


def _squares(table: Any) -> Any:
    return (table.astype(np.float64) ** 2).sum()


def _is_finite(values: Any) -> bool:
    """Whether all numbers of nested arrays are."""
    if isinstance(values, dict | list | tuple):
        return all(map(_is_finite, values.values() if isinstance(values, dict) else values))
    return getattr(values, "dtype", np.dtype(int)).kind != "f" or bool(np.isfinite(values).all())


def _largest(table: Any) -> float:
    def largest(values: Any) -> Any:
        return np.fmax.reduce(np.abs(values), axis=None, initial=0)

    values = table.data if sp.issparse(table) else table
    return total(largest, np.fmax, values) if values.dtype.kind in "iuf" else np.nan


def _generator(random_state: RandomState) -> np.random.Generator:
    """The generator that all random streams of a fit grow from."""
    entropy = check_random_state(random_state).randint(2**31 - 1, size=4)
    return np.random.default_rng(entropy.astype(np.uint32))


def _in_precision(X: Any, plan: Plan) -> Rows:
    """Rows in the precision of the plan: converted at once, or as they are read."""
    X = X.tocsr() if sp.issparse(X) else X
    if sp.issparse(X) or X.dtype == plan.dtype:
        return Rows(X)
    at_once = X.dtype != np.uint8 and store_of(X) is None
    if at_once and plan.memory.keep(X.size * plan.dtype.itemsize):
        return Rows(X.astype(plan.dtype, copy=False))
    return Rows(X, dtype=plan.dtype)


def _backend_name(plan: Plan, rows: Rows) -> str:
    """Where matrices are multiplied: "auto" counts the flops of the layers."""
    if rows.store is not None:
        return "numpy"
    units = [getattr(layer, "units", None) or 0 for _, layer in plan.hidden]
    flops = rows.shape[0] * sum(n**2 for n in [rows.shape[1], *units])
    return choose_backend(plan.backend, flops)


def _feed(rows: Rows, plan: Plan, backend: Backend, context: Any) -> tuple[Rows, Context]:
    """The rows as arrays of the backend, and the context that goes with them.

    Compiled programs serve numbers of rows that are rounded up: copies of the first row, which
    weigh nothing, stand at the end. Where a layer is not for JAX, or rows are sparse, they stay
    as they are, and only least squares is solved by JAX.
    """
    layers = [layer for _, layer in [*plan.hidden, plan.readout]]
    if backend.name == "numpy" or not runs_on_device(rows.source, layers):
        return rows, context
    index, targets = repeat_first(len(rows)), context.y_targets
    if targets.codes is None:
        targets = Targets(targets.values[index])
    else:
        targets = Targets(targets.values, targets.codes[index])
    weights = padded_weights(context.sample_weight, len(rows))
    context = context.replace(y=context.y[index], y_targets=targets, sample_weight=weights)
    return Rows(upload(rows[:], backend)), context


def _front(plan: Plan, inputs: Rows) -> list[Pair]:
    """What prepares the rows: scaling, then the shape of an image."""
    front = [("standardize", Standardize())] if plan.standardize else []
    if plan.input_shape is not None:
        shape, width = tuple(plan.input_shape), inputs.shape[1]
        if not all(isinstance(n, Integral) for n in shape) or math.prod(shape) != width:
            raise ValueError(
                f"input_shape={plan.input_shape!r} does not fit X, which has {width} columns; "
                "pass a shape whose product is that number."
            )
        front.append(("reshape", Reshape(shape)))
    return front
