"""A layer under test: its inputs, params and outputs, and calls that watch over them."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from operator import is_
from typing import TYPE_CHECKING, Any

import numpy as np

from ..layers import Context
from ..linalg import to_numpy
from ..rows import Rows, Targets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from ..layers.base import Layer, Solved
    from ..typing import Params, Shape

# where a method fails of itself
ADVICE = {
    "solve": "Its inputs and targets are sliced by rows: inputs[:] is one array of all.",
    "invert": "Its arguments are params, targets, inputs and context, in this order.",
}
N_SAMPLES = 150  # enough for three chunks of the 64 rows that are the least one is cut to


class Case:
    """A layer with inputs, params and outputs, none of which it may write to."""

    def __init__(self, layer: Layer, input_shape: Shape, seed: int) -> None:
        self.layer, self.input_shape, self.seed = layer, input_shape, seed
        rng = self.rng(100)
        self.inputs = frozen(rng.normal(size=(N_SAMPLES, *input_shape)))
        self.present = frozen(rng.normal(size=(N_SAMPLES, *input_shape)))
        self.y = frozen(rng.normal(size=N_SAMPLES))
        with self.line("output_shape accepts the input_shape that is checked"):
            shape = layer.output_shape(input_shape)
            require(isinstance(shape, tuple), f"It returned {shape!r}; return a tuple of int.")
        self.output_shape = shape
        self.params = self.init(0)

    @cached_property
    def outputs(self) -> Any:
        return frozen(self.call("forward", self.params, self.inputs))

    def rng(self, stream: int = 0) -> np.random.Generator:
        return np.random.default_rng([self.seed, stream])

    def line(self, text: str, advice: str = "") -> AbstractContextManager[None]:
        return line_of(self.layer, text, advice)

    def init(self, stream: int) -> Params:
        data = (Rows(self.inputs), self.y, None)
        return frozen(self.call("init", self.rng(stream), self.input_shape, data))

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """The result of a method, which must leave the layer and its arguments alone."""
        attributes, held = dict(vars(self.layer)), [values(arg) for arg in args]
        with self.line(f"{name} runs", ADVICE.get(name, "")):
            result = getattr(self.layer, name)(*args, **kwargs)
        with self.line(f"{name} leaves params as they are and returns changed ones"):
            still = all(
                len(values(arg)) == len(old) and all(map(is_, values(arg), old))
                for arg, old in zip(args, held, strict=True)
            )
            require(still, "It changed the dict that was passed in; return a copy of it.")
        with self.line(f"{name} keeps what it learns in params, not in the layer"):
            after, absent = vars(self.layer), object()
            names = sorted(attributes.keys() | after.keys())
            changed = [n for n in names if attributes.get(n, absent) is not after.get(n, absent)]
            require(not changed, f"It set {', '.join(changed)}; return it as one of the params.")
        return result

    def context(self) -> Context:
        """What inverses are given."""
        return Context(rng=self.rng())

    def solve(self, targets: Any, rows: Any = slice(None), **changes: Any) -> Solved:
        """`solve` for some of the rows, with a fresh context."""
        context = Context(rng=self.rng(), y=self.y[rows], y_targets=Targets(self.y[rows, None]))
        return self.call(
            "solve",
            self.params,
            Rows(frozen(self.inputs[rows])),
            Targets(frozen(targets[rows])),
            context.replace(**changes),
        )


@contextmanager
def line_of(layer: Layer, text: str, advice: str = "") -> Iterator[None]:
    """Report whatever fails inside as a breach of this line of the contract, and what to do."""
    start = f"{type(layer).__name__} breaks the contract of layers: "
    try:
        yield
    except Exception as error:
        found = str(error).strip()
        if found.startswith(start):  # of a line within this one
            raise AssertionError(f"{start}{text}: {found.removeprefix(start)}") from error
        if "read-only" in found:
            text = f"{text}, and arrays passed in are only read"
            advice = "Work on copies of them."
        # errors of the layer itself are chained in full
        found = found.split("\n")[0].rstrip(".")
        if not isinstance(error, AssertionError) or not found:
            found = f"{type(error).__name__}: {found}"
        raise AssertionError(f"{start}{text}. {found}. {advice}".strip()) from error


def require(condition: object, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def is_array(value: object) -> bool:
    return hasattr(value, "dtype") and hasattr(value, "shape")


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """`function` of every array of nested dicts."""
    if isinstance(tree, dict):
        return {name: mapped(function, value) for name, value in tree.items()}
    return function(tree) if is_array(tree) else tree


def values(tree: Any) -> list[Any]:
    """Everything in nested dicts, as a list."""
    if not isinstance(tree, dict):
        return [tree]
    return [leaf for value in tree.values() for leaf in values(value)]


def frozen(tree: Any) -> Any:
    """Read-only copies of all arrays."""

    def freeze(array: Any) -> np.ndarray:
        array = np.array(to_numpy(array))
        array.setflags(write=False)
        return array

    return mapped(freeze, tree)


def float32(tree: Any) -> Any:
    return frozen(mapped(lambda a: a.astype(np.float32) if a.dtype.kind == "f" else a, tree))


def close(actual: Any, expected: Any, tolerance: float) -> None:
    """Equal up to a share of the largest expected entry."""
    actual, expected = np.asarray(to_numpy(actual)), np.asarray(expected)
    require(
        actual.shape == expected.shape,
        f"An array has shape {actual.shape}, and {expected.shape} is expected.",
    )
    scale = max(np.abs(expected).max(initial=0.0), np.finfo(np.float32).tiny)
    wrong = ~np.isclose(actual, expected, rtol=0, atol=tolerance * scale, equal_nan=True)
    if not wrong.any():
        return
    difference = np.abs(np.subtract(actual, expected, dtype=float))
    worst = np.unravel_index(np.argmax(np.where(wrong, difference, -1)), wrong.shape)
    raise AssertionError(
        f"{wrong.sum()} of {wrong.size} entries differ: the one at {[int(i) for i in worst]} is "
        f"{actual[worst]:.4g} in place of {expected[worst]:.4g}."
    )


def same(actual: Any, expected: Any, tolerance: float = 0.0) -> None:
    """The same nested dicts of the same arrays."""
    require(isinstance(actual, dict) == isinstance(expected, dict), "Only one of them is a dict.")
    if isinstance(actual, dict):
        require(list(actual) == list(expected), f"Keys are {list(actual)} and {list(expected)}.")
        for name, value in actual.items():
            same(value, expected[name], tolerance)
    elif is_array(actual) and actual.dtype.kind in "fiub":
        close(actual, expected, tolerance)
