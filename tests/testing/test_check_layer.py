"""`check_layer` passes every public layer."""

import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from sklearn_zorb import layers
from sklearn_zorb.layers import (
    AvgPool2D,
    BatchNorm,
    Conv2D,
    Cos,
    Dense,
    Dropout,
    EstimatorLayer,
    Flatten,
    GaussianNoise,
    Identity,
    Kernel,
    Layer,
    LeakyReLU,
    MaxPool2D,
    NormalScores,
    Parallel,
    PiecewiseLinear,
    ReLU,
    Reshape,
    Sigmoid,
    Sign,
    Skip,
    Softmax,
    Stack,
    Standardize,
    Step,
    Tanh,
    Trees,
)
from sklearn_zorb.testing import check_layer

ROW, IMAGE = (4,), (6, 7, 2)

EXACT = [
    (BatchNorm(), ROW),
    (BatchNorm(epsilon=0.1), IMAGE),
    (NormalScores(), ROW),
    (NormalScores(ratio=0), ROW),
    (Conv2D(3, 2, stride=2), IMAGE),
    (Conv2D(9, (2, 1), stride=(3, 2), use_bias=False, alpha=0.0), IMAGE),
    (Conv2D(3, 2, stride=2, initializer="data_pairs"), IMAGE),
    (Cos(), ROW),
    (Dense(3), ROW),
    (Dense(6, initializer="orthogonal", alpha=1.0), ROW),
    (Dense(3, use_bias=False, alpha=0.0, initializer="data_pairs"), ROW),
    (Dropout(), ROW),
    (Dropout(0), IMAGE),
    (Flatten(), ROW),
    (Flatten(), IMAGE),
    (GaussianNoise(), IMAGE),
    (Identity(), IMAGE),
    (LeakyReLU(slope=0.2), ROW),
    (MaxPool2D(), IMAGE),
    (MaxPool2D((3, 1), stride=(3, 2)), IMAGE),
    (AvgPool2D((2, 3)), IMAGE),
    (PiecewiseLinear(), ROW),
    (PiecewiseLinear(1), ROW),
    (ReLU(), IMAGE),
    (ReLU(negative_targets="zero"), ROW),
    (ReLU(negative_targets="uniform"), ROW),
    (Reshape((7, -1)), IMAGE),
    (Reshape((2, 2, 1)), ROW),
    (Sigmoid(), IMAGE),
    (Sign(), ROW),
    (Softmax(), ROW),
    (Standardize(), IMAGE),
    (Standardize(with_mean=False, clip=2.0), ROW),
    (Step(), ROW),
    (Tanh(), ROW),
]

# windows that overlap do not agree on the pixels they share
ROUGH = [
    (AvgPool2D(3, stride=1), IMAGE),
    (Conv2D(3), IMAGE),
    (Conv2D(3, padding="same", initializer="he"), IMAGE),
    (Conv2D(3, (2, 3), padding=1, use_bias=False), IMAGE),
    (Conv2D(2, stride=2, padding="same"), IMAGE),
    (MaxPool2D(3, stride=2), IMAGE),
]


# nothing to invert: they look for the nearest thing they know
LEARNERS = [
    (EstimatorLayer(Ridge(), 3), ROW),
    (EstimatorLayer(StandardScaler()), ROW),
    (EstimatorLayer(PCA(2)), (3,)),
    (Kernel(20), ROW),
    (Skip([Dense(3), Tanh()]), ROW),
    (Parallel([[Identity()], [Dense(4), Tanh()]]), ROW),
    (Stack([[Identity()], [Dense(4), Tanh()], [Trees(5, units=3)]], units=3), ROW),
    (Trees(units=3, n_estimators=5), ROW),
    (Trees(5, kind="boosting", units=2, max_depth=2), ROW),
]


@pytest.mark.parametrize(("layer", "shape"), EXACT, ids=str)
def test_layers_with_an_exact_inverse(layer, shape):
    check_layer(layer, shape)


@pytest.mark.parametrize(("layer", "shape"), ROUGH, ids=str)
def test_layers_with_a_rough_inverse(layer, shape):
    check_layer(layer, shape, exact_inverse=False)
    with pytest.raises(AssertionError, match="gives the outputs again"):
        check_layer(layer, shape)


@pytest.mark.parametrize(("layer", "shape"), LEARNERS, ids=str)
def test_layers_that_cannot_be_inverted(layer, shape):
    check_layer(layer, shape, exact_inverse=False)


def test_every_layer_is_in_the_table():
    public = {getattr(layers, name) for name in layers.__all__}
    public = {cls for cls in public if isinstance(cls, type) and issubclass(cls, Layer)}
    assert public - {Layer} <= {type(layer) for layer, _ in EXACT + ROUGH + LEARNERS}
