"""Layers: hyperparameters plus pure methods."""

from .activations import Cos, Identity, LeakyReLU, ReLU, Sigmoid, Sign, Softmax, Step, Tanh
from .base import Context, Layer, Solved
from .composite import Parallel, Skip
from .dense import Dense

__all__ = [
    "Context",
    "Cos",
    "Dense",
    "Identity",
    "Layer",
    "LeakyReLU",
    "Parallel",
    "ReLU",
    "Sigmoid",
    "Sign",
    "Skip",
    "Softmax",
    "Solved",
    "Step",
    "Tanh",
]
