"""`check_layer` passes every public layer."""

import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from sklearn_zorb import layers, parse_layers
from sklearn_zorb.layers import EstimatorLayer, Layer
from sklearn_zorb.testing import check_layer

ROW, IMAGE = (4,), (6, 7, 2)


def cases(shape, text):
    return [(layer, shape) for layer in parse_layers(text)]


EXACT = cases(ROW, """
    BatchNorm NormalScores NormalScores[ratio=0] Cos Dense[3] Dropout Encode Flatten Tanh
    LeakyReLU[slope=0.2] CReLU CReLU[0.3] Power Dense[5, initializer=patches]
    Dense[6, initializer=orthogonal, alpha=1.0] PiecewiseLinear PiecewiseLinear[1] Sign Softmax
    Dense[3, use_bias=false, alpha=0.0, initializer=data_pairs] ReLU[negative_targets=zero]
    ReLU[negative_targets=uniform] Reshape[(2, 2, 1)] Standardize[with_mean=false, clip=2.0] Step
""") + cases(IMAGE, """
    BatchNorm[epsilon=0.1] Conv2D[3, 2, stride=2] Dropout[0] Flatten GaussianNoise Identity
    Conv2D[9, (2, 1), stride=(3, 2), use_bias=false, alpha=0.0] MaxPool2D
    Conv2D[3, 2, stride=2, initializer=data_pairs] MaxPool2D[(3, 1), stride=(3, 2)]
    AvgPool2D[(2, 3)] AvgPool2D[regions=(2, 1)] ReLU Reshape[(7, -1)] Sigmoid Standardize
""")  # fmt: skip

# windows that overlap do not agree on the pixels they share
ROUGH = cases(IMAGE, """
    AvgPool2D[3, stride=1] Conv2D[3] Conv2D[3, padding=same, initializer=he]
    Conv2D[3, (2, 3), padding=1, use_bias=false] Conv2D[2, stride=2, padding=same]
    MaxPool2D[3, stride=2] Conv2D[4, 2, stride=2, initializer=kmeans, contrast=.1]
    FlipAverage(Conv2D[3, 2] CReLU) ShiftAverage(Conv2D[3, 2] CReLU)
""")  # fmt: skip

# nothing to invert: they look for the nearest thing they know
LEARNERS = cases(ROW, """
    Kernel[20] Kernel[200] Kernel[40, reweight=0] Kernel[12, kind=gaussian]
    Kernel[12, kind=laplace] Kernel[12, kind=laplace_l1] Trees[5, units=3]
    Skip(Dense[3] Tanh) Parallel(Identity | Dense[4] Tanh)
    Trees[5, kind=boosting, units=2, max_depth=2]
    Stack[units=3](Identity | Dense[4] Tanh | Trees[5, units=3])
""") + [
    (EstimatorLayer(Ridge(), 3), ROW), (EstimatorLayer(StandardScaler()), ROW),
    (EstimatorLayer(PCA(2)), (3,)),
]  # fmt: skip


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
    # Auto is replaced by other layers before it is ever asked for outputs
    assert public - {Layer, layers.Auto} <= {type(layer) for layer, _ in EXACT + ROUGH + LEARNERS}
