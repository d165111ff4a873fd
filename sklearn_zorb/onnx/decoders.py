"""Converters of decoders: from outputs of a network to labels, probabilities and numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..decoders import Classes, Labels, LinearDiscriminant, Numbers
from ..estimators.transformer import Features
from .registry import converter_of, converts

if TYPE_CHECKING:
    from .tensor import Graph, Tensor


@converts(Numbers)
def numbers(graph: Graph, decoder: Numbers, outputs: Tensor) -> list[Tensor]:
    predicted: Tensor = outputs * decoder.spread + decoder.mean
    if decoder.clip:
        predicted = graph("Min", graph("Max", predicted, decoder.low), decoder.high)
    return [predicted]


@converts(Features)
def features(graph: Graph, decoder: Features, outputs: Tensor) -> list[Tensor]:
    return [outputs]


@converts(Classes)
def classes(graph: Graph, decoder: Classes, outputs: Tensor) -> list[Tensor]:
    """Index of the class, probabilities, and signed scores."""
    binary = decoder.task == "binary"
    scores = _scores(graph, decoder, outputs, "Sigmoid" if binary else "Softmax")
    decision = scores
    if binary:
        one = decoder.n_outputs == 1
        decision = scores * 2.0 - 1.0 if one else scores[:, 1:2] - scores[:, 0:1]
        index = graph.cast(decision > 0.0, np.int64).reshape(-1)
    else:
        index = graph("ArgMax", decision, axis=1, keepdims=0)
    if decoder.link == "logits":
        decision = outputs
    both = graph.concat([1.0 - scores, scores], axis=1) if decoder.n_outputs == 1 else scores
    return [index, _probabilities(graph, decoder, both, axis=1), decision]


@converts(Labels)
def labels(graph: Graph, decoder: Labels, outputs: Tensor) -> list[Tensor]:
    """The matrix of labels, their probabilities, and signed scores."""
    scores = _scores(graph, decoder, outputs, "Sigmoid")
    index = graph.cast(scores > 0.5, np.int64)
    places = np.array([2])
    pairs = [graph("Unsqueeze", one, places) for one in (1.0 - scores, scores)]
    found = _probabilities(graph, decoder, graph.concat(pairs, axis=2), axis=2)
    decision = outputs if decoder.link == "logits" else scores * 2.0 - 1.0
    return [index, graph("Gather", found, np.array(1), axis=2), decision]


@converts(LinearDiscriminant)
def discriminant(graph: Graph, decoder: LinearDiscriminant, outputs: Tensor) -> Tensor:
    axes, offsets = decoder.linear()
    return graph("Softmax", outputs @ axes + offsets, axis=1)


def _scores(graph: Graph, decoder: Classes | Labels, outputs: Tensor, activation: str) -> Tensor:
    if decoder.link == "logits":
        return graph(activation, outputs)
    if decoder.discriminant is None:
        return outputs
    return converter_of(decoder.discriminant)(graph, decoder.discriminant, outputs)


def _probabilities(graph: Graph, decoder: Classes | Labels, scores: Tensor, axis: int) -> Tensor:
    """Shares of one along an axis, by the decoder's calibration."""
    if decoder.link == "scores":
        calibration = decoder.calibration
        floor = calibration.floor / (2 if axis == 2 else len(decoder.classes))
        logs = graph("Log", graph("Max", scores, floor))
        return graph("Softmax", logs * calibration.power, axis=axis)
    scores = scores * (1 - 2 * decoder.shrink) + decoder.shrink
    tiny = float(np.finfo(graph.dtype).tiny)
    shares = graph("Min", graph("Max", scores, tiny), 1.0)
    return shares / shares.sum(axis=axis, keepdims=True)
