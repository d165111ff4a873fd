"""Layers: hyperparameters plus pure methods."""

from ..lists import LayerSyntaxError, format_layers, parse_layers, register_layer
from .activations import Cos, Identity, LeakyReLU, ReLU, Sigmoid, Sign, Softmax, Step, Tanh
from .auto import Auto
from .base import Context, Layer, Solved, Traits
from .composite import Parallel, Skip
from .conv import Conv2D
from .crelu import CReLU
from .dense import Dense
from .encode import Encode
from .initializers import ReceptiveFields
from .kernel import Kernel
from .models import EstimatorLayer, Trees
from .noise import Dropout, GaussianNoise
from .normal_scores import NormalScores
from .piecewise import PiecewiseLinear
from .pooling import AvgPool2D, MaxPool2D
from .power import Power
from .scaling import BatchNorm, Standardize
from .shape import Flatten, Reshape
from .stack import Stack
from .views import FlipAverage, ShiftAverage

__all__ = [
    "Auto",
    "AvgPool2D",
    "BatchNorm",
    "CReLU",
    "Context",
    "Conv2D",
    "Cos",
    "Dense",
    "Dropout",
    "Encode",
    "EstimatorLayer",
    "Flatten",
    "FlipAverage",
    "GaussianNoise",
    "Identity",
    "Kernel",
    "Layer",
    "LayerSyntaxError",
    "LeakyReLU",
    "MaxPool2D",
    "NormalScores",
    "Parallel",
    "PiecewiseLinear",
    "Power",
    "ReLU",
    "ReceptiveFields",
    "Reshape",
    "ShiftAverage",
    "Sigmoid",
    "Sign",
    "Skip",
    "Softmax",
    "Solved",
    "Stack",
    "Standardize",
    "Step",
    "Tanh",
    "Traits",
    "Trees",
    "format_layers",
    "parse_layers",
    "register_layer",
]

for _public in map(globals().get, __all__):
    if isinstance(_public, type) and issubclass(_public, Layer) and _public is not Layer:
        register_layer(_public)
