"""Layers: hyperparameters plus pure methods."""

from .activations import Cos, Identity, LeakyReLU, ReLU, Sigmoid, Sign, Softmax, Step, Tanh
from .base import Context, Layer, Solved
from .composite import Parallel, Skip
from .conv import Conv2D
from .dense import Dense
from .estimator import EstimatorLayer
from .initializers import ReceptiveFields
from .kernel import Kernel
from .noise import Dropout, GaussianNoise
from .normal_scores import NormalScores
from .normalization import BatchNorm, Standardize
from .piecewise import PiecewiseLinear
from .pooling import AvgPool2D, MaxPool2D
from .shape import Flatten, Reshape
from .stack import Stack
from .text import LayerSyntaxError, format_layers, parse_layers
from .trees import Trees

__all__ = [
    "AvgPool2D",
    "BatchNorm",
    "Context",
    "Conv2D",
    "Cos",
    "Dense",
    "Dropout",
    "EstimatorLayer",
    "Flatten",
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
    "ReLU",
    "ReceptiveFields",
    "Reshape",
    "Sigmoid",
    "Sign",
    "Skip",
    "Softmax",
    "Solved",
    "Stack",
    "Standardize",
    "Step",
    "Tanh",
    "Trees",
    "format_layers",
    "parse_layers",
]
