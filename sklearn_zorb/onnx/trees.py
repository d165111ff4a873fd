"""Converters of ensembles of trees, and of what stands before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from onnx import numpy_helper

from ..layers.models.ensembles import Ensemble
from ..layers.models.nodes import CATEGORIES
from ..layers.models.one_hot import OfJoined
from .registry import converter_of, converts

if TYPE_CHECKING:
    from numpy.typing import DTypeLike
    from onnx import TensorProto

    from ..layers.models.nodes import Nodes
    from .tensor import Graph, Tensor


@converts(OfJoined)
def of_joined(graph: Graph, model: OfJoined, rows: Tensor) -> Tensor:
    joined = converter_of(model.joined)(graph, model.joined, rows)
    return converter_of(model.model)(graph, model.model, joined)


@converts(Ensemble)
def ensemble(graph: Graph, model: Ensemble, rows: Tensor) -> Tensor:
    # in double precision runtimes add up as NumPy does; what it compares is rounded before
    double = graph.of(np.float64)
    rows = double.cast(graph.cast(rows, model.nodes.threshold.dtype))
    sums = _sums(double, model.nodes, model.groups, len(model.baseline), rows)
    outputs: Tensor = double.cast(sums) + model.baseline
    if model.members is not None:
        ends = np.flatnonzero(np.diff(model.members, append=-1)) + 1
        starts = np.append(0, ends[:-1])
        shares = [outputs[:, slice(*part)] for part in zip(starts, ends, strict=True)]
        outputs = double.concat([double("Softmax", one, axis=1) for one in shares], axis=1)
    return graph.cast(outputs @ model.mixing)


def _sums(graph: Graph, nodes: Nodes, groups: np.ndarray, n_sums: int, rows: Tensor) -> Tensor:
    """Sums over the trees of each group."""
    feature, threshold = nodes.feature.astype(int), nodes.threshold.astype(np.float64)
    left = nodes.missing_left
    parts = np.flatnonzero(np.isnan(threshold))
    if len(parts):
        rows, places = _with_sides(graph, nodes, parts, rows)
        feature += len(parts)
        # 1 goes right
        feature[parts], threshold[parts] = places, 0.5
    counts = nodes.counts.astype(int)
    tree = np.repeat(np.arange(len(counts)), counts)
    starts = np.cumsum(2 * counts + 1) - (2 * counts + 1)
    position = np.arange(len(feature)) - (np.cumsum(counts) - counts)[tree]
    children = nodes.children.astype(int)
    children = np.where(children < 0, counts[tree, None] - 1 - children, children)
    inner, of_all = starts[tree] + position, np.repeat(np.arange(len(counts)), 2 * counts + 1)
    n_nodes = len(of_all)
    leaves = np.setdiff1d(np.arange(n_nodes), inner, assume_unique=True)

    def whole(values: np.ndarray, dtype: DTypeLike = int) -> np.ndarray:
        table = np.zeros(n_nodes, dtype=dtype)
        table[inner] = values
        return table

    modes = np.full(n_nodes, "LEAF", dtype=object)
    modes[inner] = "BRANCH_LEQ"
    width = nodes.values.shape[1]
    told = nodes.values != 0
    told[:, 0] = True  # a leaf without any value is none
    leaf, column = np.nonzero(told)
    numbers = np.arange(n_nodes) - starts[of_all]
    return graph(
        "TreeEnsembleRegressor", rows, n_targets=n_sums,
        nodes_treeids=of_all.tolist(), nodes_nodeids=numbers.tolist(), nodes_modes=modes.tolist(),
        nodes_featureids=whole(feature).tolist(),
        nodes_values_as_tensor=_doubles("thresholds", whole(threshold, float)),
        nodes_truenodeids=whole(children[:, 0]).tolist(),
        nodes_falsenodeids=whole(children[:, 1]).tolist(),
        nodes_missing_value_tracks_true=whole(left).tolist(),
        target_treeids=of_all[leaves][leaf].tolist(),
        target_nodeids=numbers[leaves][leaf].tolist(),
        target_ids=(width * groups[of_all[leaves][leaf]] + column).tolist(),
        target_weights_as_tensor=_doubles("values", nodes.values[told]),
    )  # fmt: skip


def _doubles(name: str, values: np.ndarray) -> TensorProto:
    return numpy_helper.from_array(values.astype(np.float64), name)


def _with_sides(
    graph: Graph, nodes: Nodes, parts: np.ndarray, rows: Tensor
) -> tuple[Tensor, np.ndarray]:
    """Rows behind a column for each node that parts categories, 1 where it sends them right.

    Returns them, and the place of the column of each node.
    """
    bits = np.unpackbits(nodes.left_sets, axis=1, bitorder="little").astype(bool)
    sides = np.column_stack([~bits, ~nodes.missing_left[parts]]).astype(np.float64)
    features, blocks, order = nodes.feature[parts], [], []
    for column in np.unique(features):
        of_column = np.flatnonzero(features == column)
        codes = rows[:, int(column)]
        known = (codes >= 0.0) & (codes < float(CATEGORIES)) & (codes == graph("Floor", codes))
        index = graph.cast(graph("Where", known, codes, float(CATEGORIES)), np.int64)
        blocks.append(graph("Gather", sides[of_column].T, index, axis=0))
        order.append(of_column)
    places = np.empty(len(parts), dtype=int)
    places[np.concatenate(order)] = np.arange(len(parts))
    return graph.concat([*blocks, rows], axis=1), places
