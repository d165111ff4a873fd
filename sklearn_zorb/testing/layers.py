"""The check that a layer keeps its contract."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import numpy as np

from ..layers import Layer, Solved
from ..layers.sequence import told
from ..linalg import get_backend
from ..memory import Memory
from .arguments import check_arguments, check_hyperparameters
from .case import (
    N_SAMPLES,
    Case,
    close,
    float32,
    frozen,
    is_array,
    mapped,
    require,
    same,
    values,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..typing import Int, Params

SEED = "Take all random numbers from the rng that is passed in."
INHERITED = (
    "The class does not override invert, and Layer.invert returns targets as they are: write "
    "invert(self, params, targets, inputs, context)."
)


def check_layer(
    layer: Layer, input_shape: Sequence[Int], *, exact_inverse: bool = True, random_state: int = 0
) -> None:
    """Check that a layer keeps the contract that estimators and trainers rely on.

    What is checked, in this order; the first line broken is reported.

    - Hyperparameters: the constructor stores its arguments and nothing else, `clone`,
      `get_params` and `set_params` work, the values satisfy the layer's own
      ``_parameter_constraints``, and the layer can be pickled.
    - Purity, in every call: arrays, params and the layer itself come out unchanged.
    - `init` returns a dict of arrays (dicts of arrays may stand in it), the same for the
      same seed.
    - `forward` returns finite outputs of shape (n, \\*output_shape), treats each row by
      itself, keeps float32, and is the same function after pickling. With an `rng`, as while
      training, the same seed gives the same outputs.
    - `forward` gives the same under ``jax.jit``, so that gradient rules can train through
      the layer. A layer that cannot be traced says so with ``Traits(jax=False)``.
    - `learn_inverse` returns params, and `invert` targets of the shape of the inputs, finite
      for any targets, those that the layer cannot reach too. From what the layer gave for
      other inputs, it finds inputs that give the same again. A layer of the trait
      ``reads_inputs=False`` does so without inputs; it learns the same of targets in pieces,
      and inverts row by row.
    - `solve`, where the layer ``learns``, returns `Solved` params that can be pickled, with
      which `forward` and `invert` work, the same for the same seed. It comes no farther from
      targets that the layer can reach, unless ``fits_targets=False``, and finds the same
      for any targets if ``reads_targets=False``. Where the layer ``streams``, it finds the same
      however rows are cut into chunks, and takes a weight of 2 for two rows.

    Parameters
    ----------
    layer : Layer
        It is not changed.
    input_shape : tuple of int
        Shape of one sample. Inputs are standard normal.
    exact_inverse : bool, default=True
        False for layers whose inverse is a rough one, as that of overlapping windows or
        trees: it need only bring the output closer to the target than present inputs are.
    random_state : int, default=0
        Seeds inputs, params and training.

    Raises
    ------
    AssertionError
        If the layer breaks the contract. The message names the layer and the line, what came and
        what to do.
    TypeError, ValueError
        If `layer` is no `Layer`, or `input_shape` no shape.

    Examples
    --------
    >>> from sklearn_zorb.layers import Conv2D, LeakyReLU
    >>> from sklearn_zorb.testing import check_layer
    >>> check_layer(LeakyReLU(slope=0.2), (3,))
    >>> check_layer(Conv2D(2, 2), (4, 5, 1), exact_inverse=False)
    """
    check_arguments(layer, input_shape)
    check_hyperparameters(layer)
    case = Case(layer, tuple(map(int, input_shape)), random_state)
    _check_init(case)
    _check_forward(case)
    _check_training(case)
    _check_jax(case)
    _check_invert(case, exact_inverse)
    if not layer.traits.reads_inputs:
        _check_invert_without_inputs(case)
    if layer.traits.learns:
        _check_solve(case)
        if layer.traits.streams:
            _check_streams(case)


def _check_arrays(case: Case, params: Any, method: str) -> None:
    with case.line(f"{method} returns params as a dict of arrays"):
        require(isinstance(params, dict), f"It returned {told(params)}.")
        if case.layer.traits.jax:
            others = [told(leaf) for leaf in values(params) if not is_array(leaf)]
            require(not others, f"It holds {others}, which takes Traits(jax=False).")


def _check_init(case: Case) -> None:
    _check_arrays(case, case.params, "init")
    with case.line("init gives the same params for the same seed", SEED):
        same(case.init(0), case.params)


def _check_forward(case: Case) -> None:
    forward = case.layer.forward
    found, expected = told(case.outputs), (N_SAMPLES, *case.output_shape)
    line = "forward returns outputs of shape (n, *output_shape)"
    with case.line(line, "Override output_shape, or mend forward."):
        shape = getattr(case.outputs, "shape", None)
        require(shape == expected, f"It returned {found}, and output_shape asks for {expected}.")
    _check_finite(case, "forward returns finite outputs", case.outputs)
    with case.line("forward draws no random numbers where rng is None", SEED):
        close(forward(case.params, case.inputs), case.outputs, 1e-7)
    advice = "What is taken over rows, such as a mean, is for init or solve to keep in params."
    with case.line("forward treats each row by itself", advice):
        for rows in ([0], [7, 3, 3]):
            close(forward(case.params, frozen(case.inputs[rows])), case.outputs[rows], 1e-7)
    with case.line("forward keeps float32"):
        _check_float32(forward(float32(case.params), float32(case.inputs)))
    with case.line("forward is the same after pickling"):
        layer, params = pickle.loads(pickle.dumps((case.layer, case.params)))
        close(layer.forward(params, case.inputs), case.outputs, 0)


def _check_training(case: Case) -> None:
    first = case.call("forward", case.params, case.inputs, rng=case.rng())
    second = case.call("forward", case.params, case.inputs, rng=case.rng())
    with case.line("forward with rng gives the same for the same seed", SEED):
        close(first, second, 0)
    with case.line("forward with rng returns outputs of shape (n, *output_shape)"):
        require(first.shape == case.outputs.shape, f"Their shape is {first.shape}.")


def _check_jax(case: Case) -> None:
    if not case.layer.traits.jax:
        return
    import jax

    advice = "Take functions from namespace(inputs), not from NumPy, or say Traits(jax=False)."
    with get_backend("jax").scope():
        with case.line("forward works under jax.jit", advice):
            params = mapped(jax.numpy.asarray, case.params)
            outputs = jax.jit(case.layer.forward)(params, jax.numpy.asarray(case.inputs))
        with case.line("forward gives the same for JAX arrays as for NumPy's"):
            close(outputs, case.outputs, 1e-5)
        with case.line("forward keeps float32 in JAX"):
            params = mapped(jax.numpy.asarray, float32(case.params))
            _check_float32(case.layer.forward(params, jax.numpy.asarray(float32(case.inputs))))


def _inverted(
    case: Case, targets: Any, inputs: Any, params: Params | None = None
) -> tuple[Any, Params]:
    params = case.params if params is None else params
    params = case.call("learn_inverse", params, [(targets, inputs)], case.context())
    with case.line("learn_inverse returns params"):
        require(isinstance(params, dict), f"It returned {told(params)}.")
    return case.call("invert", params, targets, inputs, case.context()), params


def _check_invert(case: Case, exact: bool) -> None:
    present = case.present if case.layer.traits.reads_inputs else None
    found, params = _inverted(case, case.outputs, present)
    inherited = INHERITED if type(case.layer).invert is Layer.invert else ""
    line = "invert returns targets of the shape of the inputs"
    with case.line(line, inherited or "Return one array, of the targets for the inputs."):
        shape = getattr(found, "shape", None)
        require(shape == case.inputs.shape, f"It returned {told(found)}, not {case.inputs.shape}.")
    _check_finite(case, "invert returns finite targets", found)
    again = case.layer.forward(params, found)
    if exact:
        line = "forward of what invert finds gives the outputs again"
        with case.line(line, inherited or "Mend invert, or pass exact_inverse=False."):
            close(again, case.outputs, 1e-3)
    else:
        with case.line("what invert finds gives outputs closer to the targets", inherited):
            there = np.linalg.norm(again - case.outputs)
            here = np.linalg.norm(case.layer.forward(params, case.present) - case.outputs)
            require(there <= here, f"Their distance is {there:.3g}; of present inputs, {here:.3g}.")
    # both signs, and larger than most of what comes out
    scale = 3 * max(1.0, np.abs(case.outputs).max())
    unreachable = frozen(scale * case.rng(101).normal(size=case.outputs.shape))
    line = "invert returns finite targets for outputs that the layer cannot reach"
    advice = "Draw targets into the range of forward first, as np.clip does."
    with case.line(line, advice):
        found, _ = _inverted(case, unreachable, present)
    _check_finite(case, line, found, advice)
    with case.line("invert keeps float32"):
        narrow = None if present is None else float32(present)
        found, _ = _inverted(case, float32(case.outputs), narrow, float32(case.params))
        _check_float32(found)


def _check_finite(case: Case, line: str, values: Any, advice: str = "") -> None:
    with case.line(line, advice):
        bad = N_SAMPLES - np.isfinite(values).reshape(N_SAMPLES, -1).all(axis=1).sum()
        require(not bad, f"There is NaN or infinity in {bad} of {N_SAMPLES} rows.")


def _check_float32(values: Any) -> None:
    advice = "make constants Python numbers, or arrays of inputs.dtype"
    require(values.dtype == np.float32, f"It returned {values.dtype}: {advice}.")


def _check_invert_without_inputs(case: Case) -> None:
    # the last row comes often, to show what depends on counts
    distinct, codes = case.outputs[:5], np.minimum(np.arange(N_SAMPLES), 4)
    line = "invert that reads no inputs inverts row by row: equal targets, equal results"
    once, params = _inverted(case, frozen(distinct), None)
    repeated, repeated_params = _inverted(case, frozen(distinct[codes]), None)
    with case.line(line):
        close(repeated, np.asarray(once)[codes], 1e-6)
        same(repeated_params, params, 1e-6)
    with case.line("learn_inverse finds the same in all targets as in pieces of them"):
        pieces = [(frozen(rows), None) for rows in (distinct[:2], distinct[2:])]
        same(case.call("learn_inverse", case.params, pieces, case.context()), params, 1e-6)


def _reachable(case: Case) -> tuple[Any, bool]:
    """Outputs for other params, and whether init draws any."""
    params = case.init(1)
    targets = frozen(case.call("forward", params, case.inputs))
    return targets, not np.array_equal(targets, case.outputs)


def _check_solve(case: Case) -> None:
    targets, drawn = _reachable(case)
    solved, again = case.solve(targets), case.solve(targets)
    with case.line("solve returns Solved"):
        require(isinstance(solved, Solved), f"It returned {told(solved)}; return Solved(params).")
    _check_arrays(case, solved.params, "solve")
    with case.line("forward works with solved params"):
        outputs = case.layer.forward(solved.params, case.inputs)
        require(outputs.shape == case.outputs.shape, f"Its shape is {outputs.shape}.")
    _check_finite(case, "forward works with solved params", outputs)
    with case.line("solve gives the same for the same seed", SEED.replace("rng", "context.rng")):
        close(case.layer.forward(again.params, case.inputs), outputs, 1e-7)
    with case.line("solved params can be pickled"):
        params = pickle.loads(pickle.dumps(solved.params))
        close(case.layer.forward(params, case.inputs), outputs, 0)
    with case.line("invert works with solved params"):
        present = case.inputs if case.layer.traits.reads_inputs else None
        found, _ = _inverted(case, targets, present, params)
        require(found.shape == case.inputs.shape, f"The shape of its targets is {found.shape}.")
    _check_finite(case, "invert works with solved params", found)
    if solved.outputs is not None:
        with case.line("training outputs are outputs of shape (n, *output_shape)"):
            shape = tuple(solved.outputs.shape)
            require(shape == case.outputs.shape, f"Their shape is {shape}.")
    if drawn and case.layer.traits.fits_targets:
        with case.line("solve comes no farther from targets that the layer can reach"):
            before = np.linalg.norm(case.outputs - targets)
            after = np.linalg.norm(outputs - targets)
            require(after <= before, f"Their distance is {after:.3g}; it was {before:.3g}.")
    if not case.layer.traits.reads_targets:
        with case.line("solve of a layer with reads_targets=False reads no targets"):
            other = case.solve(frozen(0 * targets)).params
            close(case.layer.forward(other, case.inputs), outputs, 1e-7)


def _check_streams(case: Case) -> None:
    targets, _ = _reachable(case)

    def outputs(**kwargs: Any) -> Any:
        return case.layer.forward(case.solve(targets, **kwargs).params, case.inputs)

    line = "solve of a layer that streams does not depend on how rows are chunked"
    with case.line(line, "Sum over chunks, or say Traits(streams=False)."):
        close(outputs(memory=Memory(1)), outputs(), 1e-5)
    with case.line("solve takes a weight of 2 for two rows", "See context.sample_weight."):
        counts = np.arange(N_SAMPLES) % 3 + 1
        repeated = np.repeat(np.arange(N_SAMPLES), counts)
        weights = frozen(counts.astype(float))
        close(outputs(sample_weight=weights), outputs(rows=repeated), 1e-5)
