"""Models to ONNX, and tables to inputs of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import skl2onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType

from ..rows.frames import Table, as_frame, shown
from ..rows.values import level_name
from .inputs import GAP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onnx import ModelProto
    from onnxruntime import InferenceSession

    from ..rows.values import Values
    from ..typing import TableLike

TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(string)": object}


def to_onnx(
    estimator: Any,
    X: TableLike,
    *,
    target_opset: int | None = None,
    options: dict[str, Any] | None = None,
) -> ModelProto:
    """Convert a fitted estimator, or a pipeline around one, to an ONNX model.

    An array becomes one input, ``"X"``, in its own precision. Of a data frame each column is an
    input of shape (n_rows, 1): text for categories, single precision for columns in it, and double
    precision for all others. `onnx_inputs` makes these of a table.

    Parameters
    ----------
    estimator : object
        Fitted.
    X : data frame or array-like of shape (n_samples, n_features)
        Some rows like those to predict, which say the types of columns.
    target_opset : int or None, default=None
        Version of ONNX's operators, from 18 on; None is the latest that skl2onnx knows.
    options : dict or None, default=None
        Options of skl2onnx. None is ``{"zipmap": False}``: probabilities are an array.

    Returns
    -------
    model : onnx.ModelProto
        Its outputs are labels and probabilities, or numbers of shape (n_samples, n_outputs).

    Raises
    ------
    NotImplementedError
        If ONNX cannot express a layer. The error names it.

    See Also
    --------
    onnx_inputs : Makes the inputs of a session.
    converts : Gives a layer of your own a converter.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_zorb import ZORBRegressor
    >>> from sklearn_zorb.onnx import to_onnx
    >>> table = pd.DataFrame({"rooms": [2, None, 4, 3], "city": ["Bonn", "Rome"] * 2})
    >>> model = ZORBRegressor("Dense[8] Tanh", random_state=0).fit(table, [1.0, 2.0, 3.0, 4.0])
    >>> [one.name for one in to_onnx(model, table).graph.input]
    ['rooms', 'city']
    """
    if options is None and hasattr(estimator, "classes_"):
        options = {"zipmap": False}
    types = _types(X)
    model = skl2onnx.to_onnx(
        estimator, initial_types=types, target_opset=target_opset, options=options
    )
    return _renamed(model, [name for name, _ in types])


def _renamed(model: ModelProto, names: Sequence[str]) -> ModelProto:
    """The model with inputs of these names, of which skl2onnx keeps letters and digits only."""
    name_of = {one.name: name for one, name in zip(model.graph.input, names, strict=True)}
    for one in model.graph.input:
        one.name = name_of[one.name]
    for node in model.graph.node:
        node.input[:] = [name_of.get(name, name) for name in node.input]
    return model


def _types(X: Any) -> list[tuple[str, Any]]:
    if as_frame(X) is None:
        single = np.asarray(X).dtype == np.float32
        return [("X", (FloatTensorType if single else DoubleTensorType)([None, np.shape(X)[1]]))]
    table = Table(X)
    dtypes = table.frame.schema.dtypes()
    kinds = [_type(table.values(j), dtype) for j, dtype in enumerate(dtypes)]
    return [(str(name), kind([None, 1])) for name, kind in zip(table.names, kinds, strict=True)]


def _type(column: Values, dtype: Any) -> Any:
    """The type of a column; where rows have gaps only, that of the data frame tells."""
    if column.kind == "category" or (column.kind == "nothing" and not dtype.is_numeric()):
        return StringTensorType
    return FloatTensorType if column.values.dtype == np.float32 else DoubleTensorType


def onnx_inputs(session: InferenceSession, X: TableLike) -> dict[str, np.ndarray]:
    """Make the inputs of a session from a table.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
        Of a model that `to_onnx` made.
    X : data frame or array-like of shape (n_samples, n_features)

    Returns
    -------
    inputs : dict of str to ndarray
        An array as it is, in the precision of the model. Of a data frame each column: a category as
        text, a time as its seconds since 1970, a duration as its seconds, and a gap as NaN, or as
        empty text in a category.

    Raises
    ------
    ValueError
        If a column is missing, or holds text where the model takes numbers. The error names it.

    Examples
    --------
    >>> import onnxruntime, pandas as pd
    >>> from sklearn_zorb import ZORBClassifier
    >>> from sklearn_zorb.onnx import onnx_inputs, to_onnx
    >>> table = pd.DataFrame({"size": [1.0, 2.0, None, 4.0], "city": ["Bonn", "Rome"] * 2})
    >>> model = ZORBClassifier(random_state=0).fit(table, ["a", "b", "a", "b"])
    >>> content = to_onnx(model, table).SerializeToString()
    >>> session = onnxruntime.InferenceSession(content)
    >>> inputs = onnx_inputs(session, table)
    >>> inputs["size"].ravel().tolist()
    [1.0, 2.0, nan, 4.0]
    >>> labels, probabilities = session.run(None, inputs)
    >>> labels.tolist(), probabilities.shape
    (['a', 'b', 'a', 'b'], (4, 2))
    """
    wanted = {one.name: TYPES[one.type] for one in session.get_inputs()}
    if as_frame(X) is None:
        ((name, kind),) = wanted.items()
        return {name: np.asarray(X, dtype=kind)}
    table = Table(X)
    places = {str(name): j for j, name in enumerate(table.names)}
    missing = [name for name in wanted if name not in places]
    if missing:
        raise ValueError(f"X has no columns {shown(missing)}, which the model takes.")
    return {name: _column(table.values(places[name]), name, kind) for name, kind in wanted.items()}


def _column(column: Values, name: str, kind: type) -> np.ndarray:
    if kind is not object:
        if column.kind == "category":
            raise ValueError(f"column {name!r} of X holds text, and the model takes numbers.")
        return column.values.astype(kind).reshape(-1, 1)
    values = column.values
    if column.kind != "category":
        values = [None if np.isnan(value) else level_name(value) for value in values]
    texts = [GAP if value is None else value for value in values]
    return np.array(texts, dtype=object).reshape(-1, 1)
