"""Nodes of an ONNX graph, written as arithmetic on arrays that are not there yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, DTypeLike

# operators of a domain of their own, and their versions that skl2onnx lets pass
ML_DOMAIN = "ai.onnx.ml"
ML = {"LabelEncoder": 2, "TreeEnsembleRegressor": 3}
INT, BOOL = np.dtype(np.int64), np.dtype(np.bool_)


class Graph:
    """A graph that grows by calls: ``graph("Relu", x)`` adds a node and is its output.

    Parameters
    ----------
    scope, container : objects of skl2onnx
    dtype : numpy.dtype
        Precision of numbers.
    """

    def __init__(self, scope: Any, container: Any, dtype: DTypeLike) -> None:
        self.scope, self.container, self.dtype = scope, container, np.dtype(dtype)

    def __call__(self, op: str, *inputs: Any, **attributes: Any) -> Tensor:
        output = self.new_name(op)
        self.container.add_node(
            op, [self.name_of(one) for one in inputs], [output], ML_DOMAIN if op in ML else "",
            ML.get(op), name=self.scope.get_unique_operator_name(op), **attributes,
        )  # fmt: skip
        return Tensor(self, output)

    def new_name(self, text: str) -> str:
        return self.scope.get_unique_variable_name(text)

    def of(self, dtype: DTypeLike) -> Graph:
        """The same graph, its numbers in another precision."""
        return Graph(self.scope, self.container, dtype)

    def name_of(self, value: Any) -> str:
        """The name of a tensor, or of a constant that is added here."""
        if isinstance(value, Tensor):
            return value.name
        array, name = np.asarray(value), self.new_name("constant")
        if array.dtype.kind in "UO":
            texts = array.ravel().tolist()
            self.container.add_initializer(name, TensorProto.STRING, array.shape, texts)
            return name
        dtype = {"f": self.dtype, "i": INT, "u": INT, "b": BOOL}[array.dtype.kind]
        # which also gives a scalar an axis
        array = np.ascontiguousarray(array, dtype=dtype).reshape(array.shape)
        content = numpy_helper.from_array(array)
        self.container.add_initializer(name, content.data_type, array.shape, content)
        return name

    def cast(self, tensor: Tensor, dtype: DTypeLike | None = None) -> Tensor:
        """A tensor in this graph's precision, or in another type."""
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(self.dtype if dtype is None else dtype))
        return self("Cast", tensor, to=kind)

    def concat(self, tensors: Sequence[Tensor], axis: int) -> Tensor:
        return tensors[0] if len(tensors) == 1 else self("Concat", *tensors, axis=axis)


class Tensor:
    """A node's output, with the arithmetic of a NumPy array.

    It has no numbers: what asks for them, such as ``if (x > 0).all()``, raises TypeError.

    Attributes
    ----------
    shape : tuple of int or None
        Of what comes into a layer, 0 standing for the rows, as where ONNX reshapes; not known of
        other tensors.
    """

    # arrays of NumPy on the left leave the arithmetic to this class
    __array_ufunc__ = None

    def __init__(self, graph: Graph, name: str, shape: tuple[int, ...] | None = None) -> None:
        self.graph, self.name = graph, name
        self.shape: Any = shape

    def __array_namespace__(self, api_version: object = None) -> Namespace:
        return Namespace(self.graph)

    @property
    def dtype(self) -> np.dtype:
        return self.graph.dtype

    def astype(self, dtype: DTypeLike, copy: bool = True) -> Tensor:
        return self.graph.cast(self, dtype)

    def reshape(self, *shape: Any) -> Tensor:
        shape = shape[0] if isinstance(shape[0], tuple) else shape
        reshaped = self.graph("Reshape", self, np.array(shape))
        reshaped.shape = tuple(shape)
        return reshaped

    def sum(self, axis: int, keepdims: bool = False) -> Tensor:
        return self.graph("ReduceSum", self, np.array([axis]), keepdims=int(keepdims))

    def mean(self, axis: int, keepdims: bool = False) -> Tensor:
        return self.graph("ReduceMean", self, np.array([axis]), keepdims=int(keepdims))

    def max(self, axis: int, keepdims: bool = False) -> Tensor:
        return self.graph("ReduceMax", self, np.array([axis]), keepdims=int(keepdims))

    def __getitem__(self, index: Any) -> Tensor:
        index = index if isinstance(index, tuple) else (index,)
        new = [axis for axis, one in enumerate(index) if one is None]
        chosen = [pair for pair in enumerate(index) if not isinstance(pair[1], slice | None)]
        cuts = [pair for pair in enumerate(index) if isinstance(pair[1], slice)]
        cuts = [(axis, one) for axis, one in cuts if one != slice(None)]
        if bool(new) + len(chosen) + bool(cuts) > 1:
            raise TypeError(
                f"index {index} of an array cannot be exported: take one step at a time"
            )
        if chosen:
            # a single place takes its axis away, as in NumPy
            return self.graph("Gather", self, np.asarray(chosen[0][1]), axis=chosen[0][0])
        if new:
            return self.graph("Unsqueeze", self, np.array(new))
        return self._cut(cuts) if cuts else self

    def _cut(self, cuts: Sequence[tuple[int, slice]]) -> Tensor:
        """Slices of some axes, given with their axis."""
        axes = [axis for axis, _ in cuts]
        steps = [one.step or 1 for _, one in cuts]
        ends = [_ends(one, step < 0) for (_, one), step in zip(cuts, steps, strict=True)]
        starts, stops = [start for start, _ in ends], [stop for _, stop in ends]
        return self.graph("Slice", self, *map(np.array, (starts, stops, axes, steps)))

    def __bool__(self) -> NoReturn:
        raise TypeError("an exported graph cannot branch on the values of an array")

    def __array__(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("an exported graph has no values to turn into a NumPy array")

    def __len__(self) -> NoReturn:
        raise TypeError("an exported graph takes any number of rows: use shape[0] in reshape")

    def __invert__(self) -> Tensor:
        return self.graph("Not", self)

    def __neg__(self) -> Tensor:
        return self.graph("Neg", self)

    if TYPE_CHECKING:  # the loops below give it these

        def _of_two(self, other: Any) -> Tensor: ...

        __add__ = __sub__ = __mul__ = __truediv__ = __pow__ = __matmul__ = _of_two
        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rmatmul__ = _of_two
        __and__ = __or__ = __lt__ = __le__ = __gt__ = __ge__ = _of_two
        __eq__ = _of_two  # type: ignore[assignment]  # of elements, as in NumPy

    def __mod__(self, divisor: Any) -> Tensor:
        return self - divisor * self.graph("Floor", self / divisor)


def _ends(part: slice, backwards: bool) -> tuple[int, int]:
    """Where a slice begins and where it stops, as ONNX has it."""
    first, last = (-1, np.iinfo(INT).min) if backwards else (0, np.iinfo(INT).max)
    return (
        first if part.start is None else part.start,
        last if part.stop is None else part.stop,
    )


def _operator(op: str, swapped: bool = False) -> Callable[[Tensor, Any], Tensor]:
    def operate(self: Tensor, other: Any) -> Tensor:
        if not isinstance(other, Tensor) and np.asarray(other).dtype != bool:
            other = np.asarray(other, dtype=self.graph.dtype)
        pair = (other, self) if swapped else (self, other)
        return self.graph(op, *pair)

    return operate


for _name, _op in {
    "add": "Add", "sub": "Sub", "mul": "Mul", "truediv": "Div", "pow": "Pow", "matmul": "MatMul",
    "and": "And", "or": "Or",
}.items():  # fmt: skip
    setattr(Tensor, f"__{_name}__", _operator(_op))
    setattr(Tensor, f"__r{_name}__", _operator(_op, swapped=True))
for _name, _op in {
    "lt": "Less", "le": "LessOrEqual", "gt": "Greater", "ge": "GreaterOrEqual", "eq": "Equal",
}.items():  # fmt: skip
    setattr(Tensor, f"__{_name}__", _operator(_op))


class Namespace:
    """Functions of NumPy that layers use, for tensors; those of arrays alone are NumPy's own."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in _FUNCTIONS:
            raise TypeError(f"{name} of an array cannot be exported")

        def function(*inputs: Any) -> Any:
            if not any(isinstance(one, Tensor) for one in inputs):
                return getattr(np, name)(*inputs)
            return self.graph(_FUNCTIONS[name], *map(self._number, inputs))

        return function

    def asarray(self, array: Any, dtype: DTypeLike | None = None) -> Any:
        return array if isinstance(array, Tensor) else np.asarray(array, dtype=dtype)

    def where(self, condition: Any, chosen: Any, other: Any) -> Any:
        if not any(isinstance(one, Tensor) for one in (condition, chosen, other)):
            return np.where(condition, chosen, other)
        return self.graph("Where", condition, *map(self._number, (chosen, other)))

    def cos(self, values: Any) -> Any:
        # runtimes have had the sine of double precision for longer
        return self.sin(values + np.pi / 2)

    def clip(self, values: Any, low: Any, high: Any) -> Any:
        return self.minimum(self.maximum(values, low), high)

    def vecdot(self, rows: Any, others: Any) -> Any:
        return (rows * others).sum(-1)

    def concatenate(self, tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
        return self.graph.concat(tensors, axis)

    def stack(self, tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
        places = np.array([axis])
        return self.graph.concat([self.graph("Unsqueeze", one, places) for one in tensors], axis)

    def pad(self, tensor: Tensor, widths: ArrayLike, mode: str = "constant") -> Tensor:
        before, after = np.transpose(widths)
        return self.graph("Pad", tensor, np.concatenate([before, after]), mode=mode)

    def _number(self, value: Any) -> Any:
        return value if isinstance(value, Tensor) else np.asarray(value, dtype=self.graph.dtype)


_FUNCTIONS = {
    "abs": "Abs", "exp": "Exp", "floor": "Floor", "isnan": "IsNaN", "log": "Log",
    "maximum": "Max", "minimum": "Min", "sign": "Sign", "sin": "Sin", "sqrt": "Sqrt",
    "tanh": "Tanh",
}  # fmt: skip
