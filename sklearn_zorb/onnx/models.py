"""Converters of models of scikit-learn within a layer, and of means of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from skl2onnx.algebra.onnx_operator import OnnxSubEstimator
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
from sklearn.base import is_classifier

from ..layers.models.cross_fit import Columns, Probabilities
from ..layers.models.estimator import Transformed
from ..layers.models.foreign import Mean, Window
from .registry import converter_of, converts
from .tensor import Tensor

if TYPE_CHECKING:
    from .tensor import Graph


@converts(Mean, Window)
def mean(graph: Graph, model: Mean | Window, rows: Tensor) -> Tensor:
    outputs = [converter_of(one)(graph, one, rows) for one in model.models]
    return graph("Sum", *outputs) / len(outputs)


@converts(Columns)
def columns(graph: Graph, model: Columns, rows: Tensor) -> Tensor:
    return graph.concat([_of_sklearn(graph, one, rows) for one in model.models], axis=1)


@converts(Transformed)
def transformed(graph: Graph, model: Transformed, rows: Tensor) -> Tensor:
    return _of_sklearn(graph, model.transformer, rows)


@converts(Probabilities)
def probabilities(graph: Graph, model: Probabilities, rows: Tensor) -> Tensor:
    # a column of as many ones as there are rows
    ones = graph.cast(graph("IsNaN", rows[:, [0]])) * 0.0 + 1.0
    if len(model.models) != model.units:
        if model.models[0] is None:
            return ones * np.array(model.constants)
        places = np.zeros((len(model.models[0].classes_), model.units))
        places[np.arange(len(places)), model.models[0].classes_.astype(int)] = 1
        return _of_sklearn(graph, model.models[0], rows) @ places
    shares = [
        ones * constant if one is None
        else _of_sklearn(graph, one, rows)[:, [list(one.classes_).index(1)]]
        for one, constant in zip(model.models, model.constants[-model.units :], strict=True)
    ]  # fmt: skip
    return graph.concat(shares, axis=1)


def _of_sklearn(graph: Graph, estimator: Any, rows: Tensor) -> Tensor:
    """Predictions, probabilities or what a transformer makes of rows, of two dimensions."""
    kind = DoubleTensorType if graph.dtype == np.float64 else FloatTensorType
    classifier = is_classifier(estimator)
    names = [graph.new_name(text) for text in ("label", "found")[not classifier :]]
    options = {"zipmap": False} if classifier else None
    sub = OnnxSubEstimator(
        estimator, (rows.name, kind([None, estimator.n_features_in_])), options=options,
        op_version=graph.container.target_opset, output_names=names,
    )  # fmt: skip
    try:
        sub.add_to(graph.scope, graph.container)
    except Exception as error:  # skl2onnx has errors of many kinds
        raise NotImplementedError(f"{estimator!r} cannot be exported ({error})") from error
    found = graph.cast(Tensor(graph, names[-1]))
    return found if classifier else found.reshape(0, -1)
