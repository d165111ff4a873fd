"""What a user writes, and what a type checker says of it: ``mypy --strict`` reads this file."""

from pathlib import Path
from typing import Any, assert_type

import numpy as np
import polars as pl

from sklearn_zorb import NetworkClassifier, ZORBClassifier, ZORBRegressor, load, save
from sklearn_zorb.datasets import make_two_spirals, make_xor
from sklearn_zorb.layers import Context, Dense, Layer, Parallel, Standardize, Tanh
from sklearn_zorb.testing import check_layer
from sklearn_zorb.trainers import Backprop
from sklearn_zorb.typing import Array, Params, Stream


class Double(Layer):
    """A layer of the user's own."""

    def __init__(self, factor: float = 2.0) -> None:
        self.factor = factor

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        return self.factor * inputs

    def invert(
        self, params: Params, targets: Array, inputs: Array | None, context: Context
    ) -> Array:
        return targets / self.factor


def test_classifiers(tmp_path: Path) -> None:
    X, y = make_two_spirals(200, degrees=180, random_state=np.int64(0))
    layers = [Dense(16), Tanh(), Double(), Parallel([[Dense(4)], [Tanh()]])]
    model = ZORBClassifier(layers, alpha=np.float64(1.0), class_weight={0: 1, 1: 2.5})
    assert_type(model.fit(X, y), ZORBClassifier)
    assert_type(model.predict_proba(X), np.ndarray)
    assert_type(model.score(X, y), float)
    assert_type(model.layers_[0], tuple[str, Layer])
    save(ZORBClassifier("Dense[8] Tanh", random_state=0).fit(X, y), tmp_path / "model")
    assert load(tmp_path / "model").predict(X.tolist()).shape == y.shape
    assert_type(model.set_params(relaxation=0.5).partial_fit(X, y, classes=[0, 1]), ZORBClassifier)
    rule = Backprop("sgd", learning_rate=0.1, max_epochs=2, schedule=lambda share: 1 - share)
    network = NetworkClassifier("Dense[8] Tanh", trainer=rule, dtype=np.float32).fit(X, y)
    assert_type(network.history_, list[dict[str, Any]])


def test_regressor_of_a_data_frame() -> None:
    X, y = make_xor(60, random_state=0)
    frame = pl.DataFrame({"a": X[:, 0], "b": X[:, 1]})
    model = ZORBRegressor([Standardize(clip=3), ("wide", Dense(8))], categorical_features=["b"])
    low, high = model.fit(frame, y, sample_weight=np.ones(60)).predict_interval(frame, 0.8)
    assert_type(low, np.ndarray)
    assert (low <= high).all()
    assert model.predict_quantiles(frame, [0.1, 0.9]).shape == (60, 2)


def test_layer_of_the_user() -> None:
    check_layer(Double(3), (4,))
