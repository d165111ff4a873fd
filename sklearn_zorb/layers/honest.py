"""Keeping apart what a signed read-out must not see together."""

import warnings

import numpy as np

from ..linalg import namespace, to_numpy
from .base import Layer, Solved
from .dense import Dense
from .nested import layer_slots
from .stack import stack_weights

LEAK = (
    "{where} puts left-out predictions of {model} side by side with other features. They "
    "still depend a little on the y of their own row, which a read-out that may subtract can "
    "use: scores on training rows, loo_score_ among them, will be too good and predictions "
    "worse. Put the two into blocks of a Stack, whose weights are not negative."
)


def inner_layers(layer):
    """The layers that a composite layer is made of; none for others."""
    holder = getattr(layer, "block_parameter", None)
    if holder is None:
        return []
    slots = layer_slots(getattr(layer, holder), layer.many_blocks)
    return [slot.layer for slot in slots if isinstance(slot.layer, Layer)]


def find_layer(layer, wanted):
    """The first layer here or inside of which `wanted` is true, or None."""
    if wanted(layer):
        return layer
    return next(filter(None, (find_layer(inner, wanted) for inner in inner_layers(layer))), None)


def find_honest(layer):
    """The first layer here or inside that hands on left-out predictions, or None."""
    return find_layer(layer, lambda one: getattr(one, "honest", False))


def draws_rows(layers):
    """Whether a layer here or inside draws rows by their position."""
    return any(find_layer(layer, lambda one: one.draws_rows) is not None for layer in layers)


def fill_units(layers, n_outputs):
    """Give layers with ``units=None``, nested ones too, the number of outputs of the network.

    The layers are changed: they have to be the network's own copies.
    """
    for layer in layers:
        if getattr(layer, "width_from_targets", False) and layer.units is None:
            layer.set_params(units=n_outputs)
        fill_units(inner_layers(layer), n_outputs)


def warn_of_leaks(names, layers):
    """A warning for each composite layer that joins left-out predictions to other columns."""
    for name, layer in zip(names, layers, strict=True):
        found = find_honest(layer)
        if found is not None and found is not layer:
            text = LEAK.format(where=f"layer {name!r}", model=type(found).__name__)
            warnings.warn(text, UserWarning, stacklevel=2)


class SplitReadout(Dense):
    """A read-out whose ridge never sees plain and left-out columns together.

    One ridge of the first `split` columns and one of the others are combined by
    non-negative weights that sum to one, as the blocks of a `Stack`; the result is as linear
    in all columns as one ridge would be.

    Parameters
    ----------
    units : int or None, default=None
    split : int, default=0
        Number of columns that are not left-out predictions.
    shrinkage : float, default=5.0
        As in `Stack`.
    use_bias, initializer, alpha, relaxation, rcond
        As in `Dense`.
    """

    def __init__(
        self,
        units=None,
        *,
        split=0,
        shrinkage=5.0,
        use_bias=True,
        initializer="glorot_uniform",
        alpha=None,
        relaxation=None,
        rcond=None,
    ):
        super().__init__(
            units,
            use_bias=use_bias,
            initializer=initializer,
            alpha=alpha,
            relaxation=relaxation,
            rcond=rcond,
        )
        self.split = split
        self.shrinkage = shrinkage

    def solve(self, params, inputs, targets, context):
        parts = [(0, self.split), (self.split, inputs.shape[1])]
        context = context.replace(loo_outputs=True)
        solved = [
            super(SplitReadout, self).solve(params, _Slice(inputs, *part), targets, context)
            for part in parts
        ]
        left_out = [np.asarray(to_numpy(part.loo_outputs), dtype=np.float64) for part in solved]
        table = np.asarray(targets[:], dtype=np.float64)
        weights = stack_weights(left_out, table, context.sample_weight, self.shrinkage)
        plain, honest = (
            {name: weight * value for name, value in part.params.items()}
            for weight, part in zip(weights.astype(context.dtype), solved, strict=True)
        )
        combined = sum(weight * part for weight, part in zip(weights, left_out, strict=True))
        stacked = np.vstack([to_numpy(plain["weights"]), to_numpy(honest["weights"])])
        params = {
            "weights": self._as(plain["weights"], stacked),
            "intercept": plain["intercept"] + honest["intercept"],
        }
        squares = ((combined - table) ** 2).mean(axis=1)
        report = {
            "loo_error": float(np.average(squares, weights=context.sample_weight)),
            "block_weights": weights.tolist(),
            "blocks": [part.report for part in solved],
        }
        return Solved(params, report=report, loo_outputs=combined)

    def _as(self, example, array):
        """`array` as an array of the kind of `example`."""
        return namespace(example).asarray(array)


class _Slice:
    """Some columns of rows."""

    def __init__(self, rows, start, stop):
        self.rows, self.start, self.stop = rows, start, stop
        self.shape = (rows.shape[0], stop - start)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        return self.rows[rows][:, self.start : self.stop]
