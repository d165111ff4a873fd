"""Estimators as skl2onnx knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import (
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
)
from skl2onnx.common.utils_classifier import get_label_classes
from sklearn.base import is_classifier

from ..estimators import (
    NetworkClassifier,
    NetworkRegressor,
    ZORBClassifier,
    ZORBRegressor,
    ZORBTransformer,
)
from .inputs import columns_of
from .registry import converted, converter_of
from .tensor import Graph

if TYPE_CHECKING:
    from ..estimators.model import FittedModel
    from .tensor import Tensor

OLDEST_OPSET = 18
CLASSIFIER_OPTIONS = {
    "zipmap": [True, False, "columns"],
    "nocl": [False, True],
    "output_class_labels": [False, True],
    "raw_scores": [False, True],
}


def register() -> None:
    """Tell skl2onnx how estimators of this package are converted."""
    for kinds, options in (
        ((ZORBClassifier, NetworkClassifier), CLASSIFIER_OPTIONS),
        ((ZORBRegressor, NetworkRegressor, ZORBTransformer), None),
    ):
        for kind in kinds:
            update_registered_converter(kind, kind.__name__, _shapes, _convert, options=options)


def _shapes(operator: Any) -> None:
    """Types of the outputs: numbers in double precision where a column comes in it."""
    decoder, (first, *others) = operator.raw_operator.model_.decoder, operator.outputs
    rows = operator.inputs[0].get_first_dimension()
    double = any(isinstance(one.type, DoubleTensorType) for one in operator.inputs)
    numbers = DoubleTensorType if double else FloatTensorType
    if not is_classifier(operator.raw_operator):
        first.type = numbers([rows, decoder.n_outputs])
        return
    several = [decoder.n_outputs] if decoder.task == "multilabel" else []
    text = _classes(operator.scope_inst, operator.raw_operator).dtype.kind == "U"
    first.type = (StringTensorType if text else Int64TensorType)([rows, *several])
    others[0].type = numbers([rows, len(decoder.classes)])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    if container.target_opset < OLDEST_OPSET:
        raise ValueError(f"target_opset={container.target_opset}; pass {OLDEST_OPSET} or more.")
    estimator, variables = operator.raw_operator, operator.inputs
    model = estimator.model_
    graph = Graph(scope, container, model.dtype)
    columns = columns_of(graph, model, variables, getattr(estimator, "feature_names_in_", None))
    results = converter_of(model.decoder)(graph, model.decoder, _outputs(graph, model, columns))
    if is_classifier(estimator):
        index, probabilities, decision = results
        raw = container.get_options(estimator, {"raw_scores": False})["raw_scores"]
        if model.decoder.task != "multilabel":
            index = graph("Gather", _classes(scope, estimator), index, axis=0)
        results = [index, decision if raw else probabilities]
    for result, variable in zip(results, operator.outputs, strict=True):
        _hand_over(graph, result, variable)


def _outputs(graph: Graph, model: FittedModel, inputs: Tensor) -> Tensor:
    """Outputs of the whole network, before the decoder."""
    network, seen = model.network, []
    for i, layer in enumerate(network.layers):
        if i in network.taps and not network.stacked:
            seen.append(inputs.reshape(0, -1))
        if i == network.readout and not network.stacked:
            inputs = graph.concat(seen, axis=1)
        try:
            inputs = converted(graph, layer, model.params[i], inputs, network.shapes[i])
        except NotImplementedError as error:
            raise NotImplementedError(f"layer {network.names[i]!r}: {error}.") from error
    return inputs


def _classes(scope: Any, estimator: Any) -> np.ndarray:
    """The classes as ONNX has them: text or whole numbers."""
    classes = get_label_classes(scope, estimator)
    return classes.astype(np.int64 if classes.dtype.kind in "biuf" else str)


def _hand_over(graph: Graph, result: Tensor, variable: Any) -> None:
    """Make a tensor the output that a variable stands for."""
    kind = variable.type.to_onnx_type().tensor_type.elem_type
    name = graph.scope.get_unique_operator_name("Cast")
    graph.container.add_node("Cast", [result.name], [variable.onnx_name], name=name, to=kind)
